//! The task of the operator: what is typed at the server is said in the room.

use core::task::Poll;

use barewire_core::chat::{Kind, Line};
use barewire_core::session::{Output as Out, Session as _};
use barewire_core::text::MAX_TEXT;
use barewire_linux::executor::{Context, Executor, Task, TaskId};
use barewire_linux::input::{Chunk, Input};

use super::events::Told;
use super::state::House;

use crate::output::events::chat::ChatEvent;
use crate::output::printer::Printer;
use crate::output::system_error::describe;
use crate::server::serve::Hall;

/// How much of what was typed is taken in one turn.
const TYPED: usize = 4 * MAX_TEXT;

/// A member without a connection: standard input speaks, and what it hears is shown.
pub(super) struct Operator {
    input: Input<std::io::Stdin>,
    /// Typed, and not taken by the room yet.
    held: Vec<u8>,
    has_ended: bool,
}

impl Operator {
    pub(super) fn hire(executor: &mut Executor<'_, Hall<'_, House>>) -> TaskId {
        let operator = Self { input: Input::stdin(), held: Vec::new(), has_ended: false };
        executor.spawn(Box::new(operator))
    }

    /// Takes what was typed. A server whose standard input has ended goes on without.
    fn listen<W>(&mut self, cx: &mut Context<'_, W>) {
        if self.has_ended || !self.held.is_empty() {
            return;
        }
        let mut typed = [0; TYPED];
        match self.input.read(cx, &mut typed) {
            Ok(Chunk::Bytes(bytes)) => self.held.extend_from_slice(bytes),
            Ok(Chunk::End) => self.has_ended = true,
            Err(nb::Error::WouldBlock) => {}
            Err(nb::Error::Other(error)) => {
                log::warn!("cannot read standard input: {}", describe(&error));
                self.has_ended = true;
            }
        }
    }
}

impl<'h> Task<Hall<'h, House>> for Operator {
    fn turn(
        &mut self,
        hall: &mut Hall<'h, House>,
        cx: &mut Context<'_, Hall<'h, House>>,
    ) -> Poll<()> {
        cx.set_background();
        if cx.stopping() {
            self.input.close(cx);
            return Poll::Ready(());
        }
        self.listen(cx);
        let (house, output, now) = (hall.house, &mut hall.output, cx.now());
        let mut floor = house.floor();
        let operator = floor.room.operator();
        let Some(mut member) = floor.room.member(operator) else { return Poll::Pending };
        if member.poll_deadline().is_some_and(|deadline| deadline <= now) {
            while let Ok(heard) = member.handle_timeout(now) {
                Told::Heard(heard).tell(house, output);
            }
        }
        let mut rest = &self.held[..];
        while let Ok(heard) = member.handle_input(now, &mut rest) {
            Told::Heard(heard).tell(house, output);
        }
        let taken = self.held.len() - rest.len();
        self.held.drain(..taken);
        while let Out::Bytes { head, tail, .. } = member.poll_transmit() {
            let lines = [head, tail].concat();
            for line in lines.split_inclusive(|byte| *byte == b'\n') {
                show(house, output, line.strip_suffix(b"\n").unwrap_or(line));
            }
            member.transmitted(now, lines.len());
        }
        cx.set_deadline(member.poll_deadline());
        floor.spread(cx);
        drop(floor);
        if hall.output.has_pending() {
            hall.print(cx);
        }
        Poll::Pending
    }
}

/// Shows a line of the room. The operator takes all there is, so whole lines are lent to it.
fn show(house: &House, output: &mut Printer, bytes: &[u8]) {
    if output.is_quiet() {
        return;
    }
    let line = Line::read(bytes);
    if let Kind::Notice(_) = line.kind {
        let mut told = house.told();
        if told.front().is_some_and(|told| told.as_bytes() == bytes) {
            told.pop_front();
            return;
        }
    }
    output.show(&ChatEvent::from(line));
}
