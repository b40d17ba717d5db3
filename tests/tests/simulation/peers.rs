//! Peers that no machine of the core plays: they say what they are told to, and judge nothing.

use std::convert::Infallible;
use std::mem;

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;

/// A peer that says some bytes, ends its direction, takes whatever comes and closes when the other
/// side has ended too.
#[derive(Debug)]
pub(crate) struct Script {
    speech: Vec<u8>,
    sent: usize,
    is_shut: bool,
    has_heard_end: bool,
    /// Writes that the link took in part only.
    pub(crate) partial_writes: usize,
}

impl Script {
    pub(crate) fn new(speech: impl Into<Vec<u8>>) -> Self {
        let speech = speech.into();
        Self { speech, sent: 0, is_shut: false, has_heard_end: false, partial_writes: 0 }
    }
}

impl<'s> Events<'s> for Script {
    type Event = &'s [u8];
}

impl Session for Script {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<&'s [u8], Infallible> {
        if input.is_empty() { Err(nb::Error::WouldBlock) } else { Ok(mem::take(input)) }
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        self.has_heard_end = true;
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &self.speech[self.sent..] {
            // Two parts, as a ring buffer has them.
            [head, tail @ ..] => {
                Output::Bytes { head: std::slice::from_ref(head), tail, more: true }
            }
            [] if !self.is_shut => Output::Shutdown,
            [] if self.has_heard_end => Output::Close,
            [] => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.is_shut = self.sent == self.speech.len();
        self.sent += count;
        self.partial_writes += usize::from(count > 0 && self.sent < self.speech.len());
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

/// The program that a socket tutorial has people write: it sends once, without a terminator,
/// receives once, and closes; or the other way round.
#[derive(Debug)]
pub(crate) struct Tutorial {
    speech: Vec<u8>,
    sent: usize,
    speaks_first: bool,
    has_received: bool,
}

impl Tutorial {
    /// Sends, receives and closes.
    pub(crate) fn server(text: &str) -> Self {
        Self { speech: text.into(), sent: 0, speaks_first: true, has_received: false }
    }

    /// Receives, sends and closes.
    pub(crate) fn client(text: &str) -> Self {
        Self { speaks_first: false, ..Self::server(text) }
    }

    /// Whether it is in its call of `recv`.
    fn receives(&self) -> bool {
        !self.has_received && (!self.speaks_first || self.sent == self.speech.len())
    }
}

impl<'s> Events<'s> for Tutorial {
    type Event = &'s [u8];
}

impl Session for Tutorial {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<&'s [u8], Infallible> {
        if !self.receives() || input.is_empty() {
            return Err(nb::Error::WouldBlock);
        }
        self.has_received = true;
        Ok(mem::take(input))
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        self.has_received |= self.receives();
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &self.speech[self.sent..] {
            [] if self.has_received => Output::Close,
            head @ [_, ..] if self.speaks_first || self.has_received => {
                Output::Bytes { head, tail: &[], more: false }
            }
            _ => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.sent += count;
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}
