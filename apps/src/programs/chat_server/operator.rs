//! The task of the operator: what is typed at the server is said in the room.

use core::task::Poll;
use std::io::{self, IsTerminal as _};

use barewire_core::session::{Output, Session as _};
use barewire_core::text::MAX_TEXT;
use barewire_core::time::Instant;
use barewire_linux::executor::{Context, Task};
use barewire_linux::input::{Chunk, Input};
use barewire_linux::standard_streams;

use crate::output::system_error::describe;
use crate::server::context::ServerContext;

use super::moderation;
use super::operator_command::OperatorCommand;
use super::recorder::RoomEvent;
use super::state::ChatState;

/// How much of what was typed is taken in one turn.
const TYPED: usize = 4 * MAX_TEXT;

/// A member without a connection: standard input speaks, and what it hears is shown.
pub(super) struct Operator {
    input: Input<io::Stdin>,
    /// Typed, and not taken by the room yet.
    pending: Vec<u8>,
    /// The room has taken a line but for its end.
    in_line: bool,
    has_ended: bool,
}

impl Operator {
    pub(super) fn new() -> Self {
        let is_closed = standard_streams::check_input().is_err();
        if is_closed {
            log::info!("standard input is closed: nothing can be typed here");
        }
        Self { input: Input::stdin(), pending: Vec::new(), in_line: false, has_ended: is_closed }
    }

    /// Takes what was typed. A server whose standard input has ended goes on without.
    fn read<W>(&mut self, cx: &mut Context<'_, W>) {
        if self.has_ended || self.pending.contains(&b'\n') || self.pending.len() >= TYPED {
            return;
        }
        let mut typed = [0; TYPED];
        match self.input.read(cx, &mut typed) {
            Ok(Chunk::Bytes(bytes)) => self.pending.extend_from_slice(bytes),
            Ok(Chunk::End) => {
                self.has_ended = true;
                if io::stdin().is_terminal() {
                    log::info!("standard input has ended (Ctrl-D): nothing more can be typed here");
                }
            }
            Err(nb::Error::WouldBlock) => {}
            Err(nb::Error::Other(error)) => {
                log::warn!("cannot read standard input: {}", describe(&error));
                self.has_ended = true;
            }
        }
    }

    /// What was typed next, as far as something can be done about it.
    fn next_part(&self) -> Option<TypedPart<'_>> {
        let end = self.pending.iter().position(|byte| *byte == b'\n');
        let part = &self.pending[..end.map_or(self.pending.len(), |end| end + 1)];
        if part.is_empty() {
            return None;
        }
        let may_be_command = !self.in_line && part.starts_with(b"/");
        if may_be_command && end.is_none() && !self.has_ended && part.len() < TYPED {
            // The rest of it may follow.
            return None;
        }
        let command = OperatorCommand::parse(part).filter(|_| may_be_command);
        Some(TypedPart { bytes: part, command })
    }

    /// Does what only the operator can, and gives the room the rest. Gives what the operator is told.
    fn execute_pending(
        &mut self,
        context: &mut ServerContext<ChatState>,
        now: Instant,
    ) -> Vec<String> {
        let ServerContext { state, printer, .. } = context;
        let mut answers = Vec::new();
        while let Some(TypedPart { bytes, command }) = self.next_part() {
            let mut rest = bytes;
            if let Some(command) = command {
                let is_help = command == OperatorCommand::Help;
                answers.extend(moderation::execute(command, state, now));
                if !is_help {
                    rest = &[];
                }
            }
            let ChatState { room, recorder, .. } = state;
            let operator = room.operator();
            let Some(mut member) = room.member(operator) else { break };
            while let Ok(event) = member.handle_input(now, &mut rest) {
                recorder.record(RoomEvent::Member(event), printer);
            }
            let (taken, is_blocked) = (bytes.len() - rest.len(), !rest.is_empty());
            self.in_line = !bytes[..taken].ends_with(b"\n");
            self.pending.drain(..taken);
            if is_blocked {
                break;
            }
        }
        answers
    }
}

/// A line that was typed, or a part of one.
struct TypedPart<'t> {
    bytes: &'t [u8],
    command: Option<OperatorCommand<'t>>,
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
        let now = cx.now();
        let ServerContext { state: ChatState { room, recorder, .. }, printer, .. } = context;
        let operator = room.operator();
        let Some(mut member) = room.member(operator) else { return Poll::Pending };
        if member.poll_deadline().is_some_and(|deadline| deadline <= now) {
            while let Ok(event) = member.handle_timeout(now) {
                recorder.record(RoomEvent::Member(event), printer);
            }
        }
        self.in_line &= member.poll_deadline().is_some();
        let answers = self.execute_pending(context, now);
        let ServerContext { state: ChatState { room, recorder, .. }, printer, .. } = context;
        let Some(mut member) = room.member(operator) else { return Poll::Pending };
        // The operator takes all there is, so whole lines are lent to it.
        while let Output::Bytes { head, tail, .. } = member.poll_transmit() {
            let lines = [head, tail].concat();
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                recorder.show_line(line.strip_suffix(b"\n").unwrap_or(line), printer);
            }
            member.transmitted(now, lines.len());
        }
        for answer in answers {
            recorder.show_line(format!("* {answer}").as_bytes(), printer);
        }
        let deadlines = [member.poll_deadline(), self.input.poll_deadline(now)];
        cx.set_deadline(deadlines.into_iter().flatten().min());
        context.state.broadcast_later(cx);
        context.flush_later(cx);
        Poll::Pending
    }
}
