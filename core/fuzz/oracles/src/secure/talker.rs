//! The session within: it says what it is told to, takes what it may, and waits for a minute at most.

use std::fmt;

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::{Duration, Instant};

/// How long a conversation lasts, whatever happens.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What ends a sentence: an event is told for each, and for nothing else.
pub(super) const STOP: u8 = b'.';

#[expect(clippy::struct_excessive_bools, reason = "independent facts about one conversation")]
#[derive(Debug)]
pub(super) struct Talker {
    says: Vec<u8>,
    /// All that it ever said.
    pub(super) said: Vec<u8>,
    pub(super) has_finished: bool,
    has_shut_down: bool,
    pub(super) hears: Vec<u8>,
    pub(super) hears_end: bool,
    /// How many bytes it takes yet.
    pub(super) takes: usize,
    late: Instant,
    is_late: bool,
    /// It was called at all.
    pub(super) is_called: bool,
}

/// It has waited for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late;

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("late")
    }
}

impl std::error::Error for Late {}

impl Talker {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            says: Vec::new(),
            said: Vec::new(),
            has_finished: false,
            has_shut_down: false,
            hears: Vec::new(),
            hears_end: false,
            takes: usize::MAX,
            late: now + PATIENCE,
            is_late: false,
            is_called: false,
        }
    }

    pub(super) fn say(&mut self, bytes: &[u8]) {
        if !self.has_finished {
            self.says.extend_from_slice(bytes);
            self.said.extend_from_slice(bytes);
        }
    }
}

impl<'s> Events<'s> for Talker {
    type Event = &'s [u8];
}

impl Session for Talker {
    type Error = Late;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<&'s [u8], Late> {
        assert!(!self.hears_end && !self.is_late, "it is called behind its end");
        self.is_called = true;
        let most = self.takes.min(input.len());
        let stop = input[..most].iter().position(|byte| *byte == STOP).map(|at| at + 1);
        let (taken, rest) = input.split_at(stop.unwrap_or(most));
        *input = rest;
        self.takes -= taken.len();
        self.hears.extend_from_slice(taken);
        if stop.is_some() { Ok(taken) } else { Err(nb::Error::WouldBlock) }
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<&[u8], Late> {
        assert!(!self.is_late, "it is called behind its end");
        (self.is_called, self.hears_end) = (true, true);
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<&[u8], Late> {
        self.is_called = true;
        if now < self.late {
            return Err(nb::Error::WouldBlock);
        }
        self.is_late = true;
        Err(nb::Error::Other(Late))
    }

    fn prepare_transmit(&mut self, _now: Instant) {
        self.is_called = true;
    }

    fn poll_transmit(&self) -> Output<'_> {
        if !self.says.is_empty() {
            let (head, tail) = self.says.split_at(self.says.len().div_ceil(2));
            return Output::Bytes { head, tail, more: false };
        }
        match (self.has_finished, self.has_shut_down, self.hears_end) {
            (true, false, _) => Output::Shutdown,
            (_, true, true) => Output::Close,
            _ => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.has_shut_down = self.says.is_empty();
        self.says.drain(..count.min(self.says.len()));
    }

    fn poll_deadline(&self) -> Option<Instant> {
        Some(self.late)
    }
}
