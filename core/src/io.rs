//! Drivers for streams that speak `embedded-io`; nothing else in the core names it.
//!
//! A [`Pump`] carries out the [driving rule](crate::session) over any stream:
//!
//! - [`Pump::drive`] never blocks, for a super-loop or an `nb` executor: it moves what can be moved
//!   now and returns `WouldBlock`. It needs a stream that knows what is ready.
//! - `Pump::run` (feature `embedded-io-async`) is a future that ends with the conversation, and
//!   `Pump::turn` one that ends with each turn of it, for an owner that has commands to give.
//!
//! Sessions that send contents are driven as [`InMemory`](crate::session::InMemory): a pump knows bytes only.
//!
//! A stack with ring buffers of its own, such as smoltcp, needs neither: a session reads from them
//! and lends to them directly.

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

use crate::driver::DriveError;
use crate::session::{Event, Output, Session};
use crate::time::Instant;

#[cfg(feature = "embedded-io-async")]
mod run;

#[cfg(feature = "embedded-io-async")]
pub use run::{Split, Timer};

/// A stream whose sending direction can be ended alone, which `embedded-io` has no word for.
///
/// In smoltcp and embassy-net it is `close`, in lwIP `tcp_shutdown`, in POSIX `shutdown(2)`.
pub trait HalfClose: ErrorType {
    /// Ends the sending direction after all bytes written so far.
    ///
    /// # Errors
    /// The stream's own.
    fn half_close(&mut self) -> Result<(), Self::Error>;
}

impl<T: HalfClose> HalfClose for &mut T {
    fn half_close(&mut self) -> Result<(), Self::Error> {
        T::half_close(self)
    }
}

/// Moves bytes between one stream and one session.
///
/// It holds the `N` bytes that were read and that the session has not taken yet; so a driver that
/// is dropped or stops between two calls loses nothing.
#[derive(Debug)]
pub struct Pump<const N: usize> {
    buffer: [u8; N],
    start: usize,
    end: usize,
    stream_ended: bool,
}

impl<const N: usize> Default for Pump<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Pump<N> {
    /// A pump for a new connection.
    pub const fn new() -> Self {
        const { assert!(N > 0, "a pump without a buffer moves nothing") };
        Self { buffer: [0; N], start: 0, end: 0, stream_ended: false }
    }

    /// Moves what can be moved at `now`, without blocking: at most `N` bytes in, and out what the
    /// stream takes.
    ///
    /// # Errors
    /// `WouldBlock`: the conversation goes on, and the session may be looked at and given commands.
    /// Call again after a command, while the stream is ready, and when the session's deadline is
    /// reached. [`DriveError`]: it has failed; reset the
    /// stream, or close it if it was [half-closed](HalfClose) before. (`Ok`: it is over; close the
    /// stream.)
    pub fn drive<S: Session, T: Read + Write + ReadReady + WriteReady + HalfClose>(
        &mut self,
        stream: &mut T,
        session: &mut S,
        now: Instant,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> nb::Result<(), DriveError<S::Error, T::Error>> {
        if self.wants_input() && stream.read_ready().map_err(DriveError::Connection)? {
            let count = stream.read(&mut self.buffer).map_err(DriveError::Connection)?;
            self.filled(count);
        }
        loop {
            let heard = self.handle(session, now, &mut on_event);
            let sent = transmit(stream, session, now);
            heard.map_err(DriveError::Session)?;
            match sent? {
                Sent::Close => return Ok(()),
                // Which may have made room for the input that is left.
                Sent::Some => {}
                Sent::Nothing => return Err(nb::Error::WouldBlock),
            }
        }
    }

    /// Whether all that was read has been taken, and more may come.
    const fn wants_input(&self) -> bool {
        self.start == self.end && !self.stream_ended
    }

    /// Takes note that `count` bytes were read into the empty buffer; 0 is the end of the stream.
    fn filled(&mut self, count: usize) {
        self.start = 0;
        self.end = count.min(N);
        self.stream_ended = count == 0;
    }

    /// Offers the session what there is to handle: input or the end of it, then the time, which may
    /// have made room for the input that is left. Tells whether anything came of it.
    fn handle<S: Session>(
        &mut self,
        session: &mut S,
        now: Instant,
        on_event: &mut impl FnMut(Event<'_, S>),
    ) -> Result<bool, S::Error> {
        let taken = self.offer(session, now, on_event)?;
        if session.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Ok(taken);
        }
        while settle(session.handle_timeout(now), on_event)? {}
        self.offer(session, now, on_event)?;
        Ok(true)
    }

    /// Tells whether the session took any input, or had anything to tell.
    fn offer<S: Session>(
        &mut self,
        session: &mut S,
        now: Instant,
        on_event: &mut impl FnMut(Event<'_, S>),
    ) -> Result<bool, S::Error> {
        let start = self.start;
        let mut has_told = false;
        if self.start != self.end {
            let mut input = self.buffer.get(self.start..self.end).unwrap_or_default();
            while settle(session.handle_input(now, &mut input), on_event)? {
                has_told = true;
            }
            self.start = self.end.saturating_sub(input.len());
        }
        if self.start == self.end && self.stream_ended {
            while settle(session.handle_end(now), on_event)? {
                has_told = true;
            }
        }
        Ok(has_told || self.start != start)
    }
}

/// Passes an event on; tells whether there was one.
fn settle<V, E>(step: nb::Result<V, E>, on_event: &mut impl FnMut(V)) -> Result<bool, E> {
    match step {
        Ok(event) => {
            on_event(event);
            Ok(true)
        }
        Err(nb::Error::WouldBlock) => Ok(false),
        Err(nb::Error::Other(error)) => Err(error),
    }
}

/// What [`transmit`] did.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    Nothing,
    Some,
    Close,
}

/// Sends what the stream takes now.
fn transmit<S: Session, T: Write + WriteReady + HalfClose>(
    stream: &mut T,
    session: &mut S,
    now: Instant,
) -> Result<Sent, DriveError<S::Error, T::Error>> {
    let mut sent = Sent::Nothing;
    loop {
        let count = match session.poll_transmit() {
            Output::Nothing => return Ok(sent),
            Output::Close => return Ok(Sent::Close),
            Output::Contents { .. } => return Err(DriveError::Contents),
            Output::Shutdown => {
                stream.half_close().map_err(DriveError::Connection)?;
                0
            }
            Output::Bytes { head, .. } => {
                if !stream.write_ready().map_err(DriveError::Connection)? {
                    return Ok(sent);
                }
                stream.write(head).map_err(DriveError::Connection)?
            }
        };
        session.transmitted(now, count);
        sent = Sent::Some;
    }
}

#[cfg(test)]
mod tests;
