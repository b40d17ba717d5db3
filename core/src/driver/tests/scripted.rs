//! A session and a stack that do what a test sets.

extern crate std;
use crate::driver::Transport;
use crate::session::{Events, Output, Session};
use crate::time::Instant;
use core::error::Error;
use core::{fmt, mem};
use std::format;
use std::string::String;
use std::vec::Vec;

/// A session whose next doings a test sets, and which notes what is done to it.
#[derive(Default)]
pub(super) struct ScriptedSession {
    /// How many bytes it takes yet.
    pub(super) capacity: usize,
    /// How many events it gives yet without taking any.
    pub(super) pending_events: usize,
    pub(super) says: Vec<u8>,
    pub(super) contents: u64,
    pub(super) wants_shut_down: bool,
    pub(super) closes: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) fails: bool,
    pub(super) notes: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Strange;

impl fmt::Display for Strange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("strange")
    }
}

impl Error for Strange {}

impl ScriptedSession {
    fn note(&mut self, what: &str) {
        if !self.notes.is_empty() {
            self.notes.push(' ');
        }
        self.notes += what;
    }

    fn tell<V>(&mut self, event: V) -> nb::Result<V, Strange> {
        if self.fails {
            return Err(nb::Error::Other(Strange));
        }
        self.pending_events = self.pending_events.checked_sub(1).ok_or(nb::Error::WouldBlock)?;
        Ok(event)
    }

    pub(super) fn take_notes(&mut self) -> String {
        mem::take(&mut self.notes)
    }
}

impl<'s> Events<'s> for ScriptedSession {
    type Event = &'s str;
}

impl Session for ScriptedSession {
    type Error = Strange;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<&'s str, Strange> {
        self.note(&format!("input:{}", core::str::from_utf8(input).unwrap()));
        let (taken, rest) = input.split_at(self.capacity.min(input.len()));
        *input = rest;
        self.capacity -= taken.len();
        self.tell(core::str::from_utf8(taken).unwrap())
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<&str, Strange> {
        self.note("end");
        self.tell("")
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<&str, Strange> {
        self.note("time");
        self.deadline = None;
        self.tell("")
    }

    fn poll_transmit(&self) -> Output<'_> {
        if !self.says.is_empty() {
            Output::Bytes { head: &self.says, tail: &[], more: false }
        } else if self.contents > 0 {
            Output::Contents { offset: 0, length: self.contents }
        } else if self.wants_shut_down {
            Output::Shutdown
        } else if self.closes {
            Output::Close
        } else {
            Output::Nothing
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.note(&format!("sent:{count}"));
        self.wants_shut_down &= count > 0 || !self.says.is_empty();
        self.says.drain(..count.min(self.says.len()));
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// A stack as a test wants it.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
#[derive(Default)]
pub(super) struct Stack {
    pub(super) arrived: Vec<u8>,
    pub(super) has_ended: bool,
    pub(super) is_broken: bool,
    /// It breaks behind what has arrived.
    pub(super) breaks_behind: bool,
    pub(super) room: usize,
    pub(super) sent: Vec<u8>,
    pub(super) refuses_shut_down: bool,
    pub(super) has_shut_down: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken")
    }
}

impl Error for Broken {}

impl Stack {
    fn check(&self) -> nb::Result<(), Broken> {
        if self.is_broken { Err(nb::Error::Other(Broken)) } else { Ok(()) }
    }
}

impl Transport for Stack {
    type Error = Broken;

    fn receive(&mut self) -> nb::Result<&[u8], Broken> {
        self.check()?;
        if self.arrived.is_empty() && self.breaks_behind {
            return Err(nb::Error::Other(Broken));
        }
        if self.arrived.is_empty() && !self.has_ended {
            return Err(nb::Error::WouldBlock);
        }
        Ok(&self.arrived)
    }

    fn consume(&mut self, count: usize) {
        self.arrived.drain(..count);
    }

    fn send(&mut self, head: &[u8], _tail: &[u8], _more: bool) -> nb::Result<usize, Broken> {
        self.check()?;
        let count = head.len().min(self.room);
        self.room -= count;
        self.sent.extend_from_slice(&head[..count]);
        Ok(count)
    }

    fn shut_down(&mut self) -> nb::Result<(), Broken> {
        self.check()?;
        if self.refuses_shut_down {
            return Err(nb::Error::WouldBlock);
        }
        self.has_shut_down = true;
        Ok(())
    }
}
