//! The task of the operator: what is typed at the server is said in the room.

use core::task::Poll;
use std::io;

use barewire_core::session::{Output, Session as _};
use barewire_core::text::MAX_TEXT;
use barewire_linux::executor::{Context, Task};
use barewire_linux::input::{Chunk, Input};
use barewire_linux::standard_streams;

use crate::output::system_error::describe;
use crate::server::context::ServerContext;

use super::recorder::RoomEvent;
use super::state::ChatState;

/// How much of what was typed is taken in one turn.
const TYPED: usize = 4 * MAX_TEXT;

/// A member without a connection: standard input speaks, and what it hears is shown.
pub(super) struct Operator {
    input: Input<io::Stdin>,
    /// Typed, and not taken by the room yet.
    pending: Vec<u8>,
    has_ended: bool,
}

impl Operator {
    pub(super) fn new() -> Self {
        let is_closed = standard_streams::check_input().is_err();
        if is_closed {
            log::info!("standard input is closed: nothing can be typed here");
        }
        Self { input: Input::stdin(), pending: Vec::new(), has_ended: is_closed }
    }

    /// Takes what was typed. A server whose standard input has ended goes on without.
    fn read<W>(&mut self, cx: &mut Context<'_, W>) {
        if self.has_ended || !self.pending.is_empty() {
            return;
        }
        let mut typed = [0; TYPED];
        match self.input.read(cx, &mut typed) {
            Ok(Chunk::Bytes(bytes)) => self.pending.extend_from_slice(bytes),
            Ok(Chunk::End) => self.has_ended = true,
            Err(nb::Error::WouldBlock) => {}
            Err(nb::Error::Other(error)) => {
                log::warn!("cannot read standard input: {}", describe(&error));
                self.has_ended = true;
            }
        }
    }
}

impl Task<ServerContext<ChatState>> for Operator {
    fn turn(
        &mut self,
        context: &mut ServerContext<ChatState>,
        cx: &mut Context<'_, ServerContext<ChatState>>,
    ) -> Poll<()> {
        cx.set_background();
        if cx.stopping() {
            self.input.close(cx);
            return Poll::Ready(());
        }
        self.read(cx);
        let ServerContext { state: ChatState { room, recorder, .. }, printer, .. } = context;
        let now = cx.now();
        let operator = room.operator();
        let Some(mut member) = room.member(operator) else { return Poll::Pending };
        if member.poll_deadline().is_some_and(|deadline| deadline <= now) {
            while let Ok(event) = member.handle_timeout(now) {
                recorder.record(RoomEvent::Member(event), printer);
            }
        }
        let mut rest = &self.pending[..];
        while let Ok(event) = member.handle_input(now, &mut rest) {
            recorder.record(RoomEvent::Member(event), printer);
        }
        let taken = self.pending.len() - rest.len();
        self.pending.drain(..taken);
        // The operator takes all there is, so whole lines are lent to it.
        while let Output::Bytes { head, tail, .. } = member.poll_transmit() {
            let lines = [head, tail].concat();
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                recorder.show_line(line.strip_suffix(b"\n").unwrap_or(line), printer);
            }
            member.transmitted(now, lines.len());
        }
        let deadlines = [member.poll_deadline(), self.input.poll_deadline(now)];
        cx.set_deadline(deadlines.into_iter().flatten().min());
        context.state.broadcast_later(cx);
        context.flush_later(cx);
        Poll::Pending
    }
}
