//! A session that says back what it hears.

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;

/// Says back what it hears, through a ring of 16 bytes: what does not fit is left to the driver.
/// `#` at the front of the ring is beyond it, and so is its deadline.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one conversation")]
#[derive(Default)]
pub(super) struct Echo {
    pub(super) ring: [u8; 16],
    pub(super) start: usize,
    pub(super) filled: usize,
    pub(super) ended: bool,
    pub(super) shut: bool,
    pub(super) failed: bool,
    pub(super) deadline: Option<Instant>,
    /// Whatever is heard takes the deadline away.
    pub(super) waits_for_any: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unspeakable;

impl core::fmt::Display for Unspeakable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("unspeakable")
    }
}

impl core::error::Error for Unspeakable {}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard<'e> {
    Bytes(&'e [u8]),
    End,
}

impl<'s> Events<'s> for Echo {
    type Event = Heard<'s>;
}

impl Session for Echo {
    type Error = Unspeakable;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Heard<'s>, Unspeakable> {
        assert!(!self.ended && !self.failed);
        if input.starts_with(b"#") {
            (self.start, self.filled) = (0, 5);
            self.ring[..5].copy_from_slice(b"sorry");
            self.failed = true;
            return Err(nb::Error::Other(Unspeakable));
        }
        let (taken, rest) = input.split_at(input.len().min(self.ring.len() - self.filled));
        *input = rest;
        for byte in taken {
            self.ring[(self.start + self.filled) % self.ring.len()] = *byte;
            self.filled += 1;
        }
        if self.waits_for_any {
            self.deadline = None;
        }
        if taken.is_empty() { Err(nb::Error::WouldBlock) } else { Ok(Heard::Bytes(taken)) }
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<Heard<'_>, Unspeakable> {
        if core::mem::replace(&mut self.ended, true) {
            return Err(nb::Error::WouldBlock);
        }
        Ok(Heard::End)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Heard<'_>, Unspeakable> {
        match self.deadline {
            Some(at) if at <= now => Err(nb::Error::Other(Unspeakable)),
            _ => Err(nb::Error::WouldBlock),
        }
    }

    fn poll_transmit(&self) -> Output<'_> {
        let (wrapped, front) = self.ring.split_at(self.start);
        let head = &front[..self.filled.min(front.len())];
        let tail = &wrapped[..self.filled - head.len()];
        match (head.is_empty(), self.ended || self.failed, self.shut) {
            (false, ..) => Output::Bytes { head, tail, more: false },
            (true, false, _) => Output::Nothing,
            (true, true, false) => Output::Shutdown,
            (true, true, true) => Output::Close,
        }
    }

    fn transmitted(&mut self, _: Instant, count: usize) {
        self.shut = (self.ended || self.failed) && self.filled == 0;
        let count = count.min(self.filled);
        self.start = (self.start + count) % self.ring.len();
        self.filled -= count;
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.deadline
    }
}
