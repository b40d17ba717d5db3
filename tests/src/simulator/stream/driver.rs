//! The driver for any session: the core's, over the program's side of a link, with a judge of whether
//! the session keeps its side of the contract.

use std::fmt::Debug;
use std::mem;

use barewire_core::driver::{DriveError, LastStep, Step, Transport};
use barewire_core::session::{Event, Session};
use barewire_core::time::Instant;
use barewire_oracles::judge::Turn;

use super::socket::{Received, Reset};
use super::streams::{End, Ending, Happening, Streams};

/// How a conversation ended at one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<E> {
    /// In order.
    Closed,
    /// The session failed.
    Failed(E),
    /// The connection was reset, of which the session is told nothing.
    Broken,
}

impl<E: Debug> Outcome<E> {
    fn of(over: Result<(), DriveError<E, Reset>>) -> Self {
        match over {
            Ok(()) => Self::Closed,
            Err(DriveError::Session(error)) => Self::Failed(error),
            Err(DriveError::Connection(Reset)) => Self::Broken,
            Err(other) => panic!("contents are in memory here, an end is taken at once: {other:?}"),
        }
    }
}

impl Streams {
    /// Gives the session at `end` its turn; call it for what [`advance`](Self::advance) returns. The
    /// conversation has ended when this returns an outcome. What the connection's own end takes then
    /// is no matter of the session's.
    pub fn drive<S: Session>(
        &mut self,
        end: End,
        session: &mut S,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Option<Outcome<S::Error>> {
        let now = self.now();
        let mut judge = mem::take(&mut self.ends[end.0].judge);
        let mut outcome = None;
        loop {
            let mut socket = Socket { streams: self, end };
            match judge.step(Turn::WHOLE, now, session, &mut socket, &mut on_event) {
                Step::Wait(until) => {
                    self.arm(end, until);
                    break;
                }
                Step::Over(Ok(())) if self.ends[end.0].ending != Ending::Orderly => {
                    self.close(end);
                    return Some(Outcome::Closed);
                }
                Step::Over(over) => outcome = Some(Outcome::of(over)),
                Step::Close => {
                    self.close(end);
                    break;
                }
                Step::Reset => {
                    self.give_up(end);
                    break;
                }
            }
        }
        let state = &mut self.ends[end.0];
        (state.judge, state.lingers) = (judge, outcome.is_some());
        outcome
    }

    /// Goes on with an end whose conversation is over.
    pub(super) fn linger(&mut self, end: End) {
        let now = self.now();
        let mut judge = mem::take(&mut self.ends[end.0].judge);
        match judge.end(now, &mut Socket { streams: self, end }) {
            LastStep::Wait(until) => self.arm(end, Some(until)),
            LastStep::Close => self.close(end),
            LastStep::Reset => self.give_up(end),
        }
        self.ends[end.0].judge = judge;
    }

    /// Whether the program at an end has enough for this turn. (One that is late itself takes all first.)
    fn pauses(&mut self, end: End) -> bool {
        let now = self.now();
        let is_late = self.ends[end.0].armed.is_some_and(|at| at <= now);
        let pauses = !is_late && self.pipes[end.peer().0].pauses();
        if pauses {
            self.wake(end, now);
        }
        pauses
    }

    /// Has the driver woken at its deadline, which any call may have moved.
    fn arm(&mut self, end: End, deadline: Option<Instant>) {
        let state = &mut self.ends[end.0];
        if let Some(at) = deadline
            && state.armed != deadline
        {
            self.schedule.enter(at, Happening::Wake(end));
        }
        state.armed = deadline;
    }
}

/// What the program at an end has of its connection.
pub(super) struct Socket<'a> {
    pub(super) streams: &'a mut Streams,
    pub(super) end: End,
}

impl Transport for Socket<'_> {
    type Error = Reset;

    fn receive(&mut self) -> nb::Result<&[u8], Reset> {
        let Self { streams, end } = self;
        // Its program has closed, and reads no more.
        if streams.ends[end.0].ending == Ending::Abandoned {
            return Err(nb::Error::WouldBlock);
        }
        // What the session left is back-pressure: nothing more is read until it is taken.
        if streams.ends[end.0].input.is_empty() {
            match streams.read(*end)? {
                Received::Bytes(bytes) => streams.ends[end.0].input = bytes,
                Received::End => streams.check(*end)?,
                Received::Nothing => return Err(nb::Error::WouldBlock),
            }
        }
        if !streams.ends[end.0].input.is_empty() && streams.pauses(*end) {
            return Err(nb::Error::WouldBlock);
        }
        Ok(&streams.ends[end.0].input)
    }

    fn consume(&mut self, count: usize) {
        self.streams.ends[self.end.0].input.drain(..count);
    }

    fn send(&mut self, head: &[u8], tail: &[u8], _more: bool) -> nb::Result<usize, Reset> {
        // A driver with vectored writes sends both parts at once, another the first.
        let vectored = self.streams.random.chance(50);
        let bytes = if vectored { [head, tail].concat() } else { head.to_vec() };
        Ok(self.streams.write(self.end, &bytes)?)
    }

    fn shut_down(&mut self) -> nb::Result<(), Reset> {
        // The end of a direction is then a part of the close.
        let state = &mut self.streams.ends[self.end.0];
        if state.ending == Ending::Orderly {
            return Ok(self.streams.shut_down(self.end)?);
        }
        state.ending = Ending::Abandoned;
        Ok(())
    }
}
