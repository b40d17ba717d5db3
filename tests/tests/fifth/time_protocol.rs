//! The Time Protocol (RFC 868): the server tells the seconds since 1900 in four bytes, and closes.

use core::fmt;

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::{Duration, Instant};

/// How long one conversation may take.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// How it fails: each is the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// The server closed before it had told the time.
    Cut,
    /// The server told more than the time.
    TooLong,
    /// The peer took longer than [`TIMEOUT`].
    TimedOut,
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cut => "the server closed before it had told the time",
            Self::TooLong => "the server told more than the time",
            Self::TimedOut => "timed out",
        })
    }
}

impl core::error::Error for TimeError {}

/// The side that tells the time.
#[derive(Debug)]
pub struct Server {
    seconds: [u8; 4],
    sent: usize,
    has_ended: bool,
    deadline: Instant,
}

impl Server {
    /// A conversation on a connection that was opened at `now`.
    pub const fn new(now: Instant, seconds: u32) -> Self {
        let deadline = now.saturating_add(TIMEOUT);
        Self { seconds: seconds.to_be_bytes(), sent: 0, has_ended: false, deadline }
    }
}

impl Events<'_> for Server {
    /// There is nothing to hear.
    type Event = ();
}

impl Session for Server {
    type Error = TimeError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<(), TimeError> {
        // Whatever the client says is no part of the protocol.
        *input = &[];
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<(), TimeError> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<(), TimeError> {
        let is_late = !self.has_ended && now >= self.deadline;
        Err(if is_late { nb::Error::Other(TimeError::TimedOut) } else { nb::Error::WouldBlock })
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &self.seconds[self.sent..] {
            [] if self.has_ended => Output::Close,
            [] => Output::Shutdown,
            head => Output::Bytes { head, tail: &[], more: true },
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        if self.sent == self.seconds.len() {
            self.has_ended = true;
        }
        self.sent = self.seconds.len().min(self.sent + count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        (!self.has_ended).then_some(self.deadline)
    }
}

/// The side that asks, by coming.
#[derive(Debug)]
pub struct Client {
    seconds: [u8; 4],
    received: usize,
    is_over: bool,
    deadline: Instant,
}

impl Client {
    /// A conversation on a connection that was opened at `now`.
    pub const fn new(now: Instant) -> Self {
        let deadline = now.saturating_add(TIMEOUT);
        Self { seconds: [0; 4], received: 0, is_over: false, deadline }
    }
}

impl Events<'_> for Client {
    /// The seconds since 1900.
    type Event = u32;
}

impl Session for Client {
    type Error = TimeError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<u32, TimeError> {
        while let Some((byte, rest)) = input.split_first() {
            let place = self.seconds.get_mut(self.received);
            *place.ok_or(nb::Error::Other(TimeError::TooLong))? = *byte;
            self.received += 1;
            *input = rest;
        }
        Err(nb::Error::WouldBlock)
    }

    /// Only now it is sure that there was no more.
    fn handle_end(&mut self, _now: Instant) -> nb::Result<u32, TimeError> {
        if self.is_over {
            return Err(nb::Error::WouldBlock);
        }
        if self.received < self.seconds.len() {
            return Err(nb::Error::Other(TimeError::Cut));
        }
        self.is_over = true;
        Ok(u32::from_be_bytes(self.seconds))
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<u32, TimeError> {
        let is_late = !self.is_over && now >= self.deadline;
        Err(if is_late { nb::Error::Other(TimeError::TimedOut) } else { nb::Error::WouldBlock })
    }

    fn poll_transmit(&self) -> Output<'_> {
        if self.is_over { Output::Close } else { Output::Nothing }
    }

    fn transmitted(&mut self, _now: Instant, _count: usize) {}

    fn poll_deadline(&self) -> Option<Instant> {
        (!self.is_over).then_some(self.deadline)
    }
}
