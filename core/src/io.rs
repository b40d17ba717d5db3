//! Drivers for streams that speak `embedded-io`; nothing else in the core names it.
//!
//! - [`StreamDriver`] never blocks, for a super-loop: it moves what can be moved now. It needs a stream
//!   that knows what is ready.
//! - `AsyncStreamDriver` (feature `embedded-io-async`) waits in futures.
//!
//! Both are a [`Driver`] over a [`Transport`](crate::driver::Transport) with a buffer of `N` bytes for
//! what was read and not taken yet. A stack with ring buffers of its own, such as smoltcp, needs none:
//! there a session reads from them and lends to them directly.
//!
//! Sessions that send contents are driven as [`InMemory`](crate::session::InMemory): a stream knows
//! bytes only.

use core::ops::ControlFlow;

use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

use crate::driver::{Driver, Next, Step, Transport};
use crate::session::{Event, Session};
use crate::time::Instant;

#[cfg(feature = "embedded-io-async")]
mod asynchronous;
mod input;

#[cfg(feature = "embedded-io-async")]
pub use asynchronous::{AsyncStreamDriver, Split, Timer};
use input::Input;

/// What `embedded-io` has no word for: a stream whose sending direction can be ended alone, and that
/// can be reset.
pub trait Shutdown: ErrorType {
    /// Ends the sending direction behind all bytes written so far. In smoltcp and embassy-net it is
    /// `close`, in lwIP `tcp_shutdown`, in POSIX `shutdown(2)`.
    ///
    /// # Errors
    /// The stream's own.
    fn shut_down(&mut self) -> Result<(), Self::Error>;

    /// Resets the connection: the peer cannot take what it got for the whole. In smoltcp, embassy-net
    /// and lwIP it is `abort`, in POSIX `SO_LINGER` of zero and `close(2)`.
    fn reset(&mut self);
}

impl<T: Shutdown> Shutdown for &mut T {
    fn shut_down(&mut self) -> Result<(), Self::Error> {
        T::shut_down(self)
    }

    fn reset(&mut self) {
        T::reset(self);
    }
}

/// Drives a session over a stream that knows what is ready.
///
/// Of one turn's input it reads `N` bytes at most sixty-four times; what is left waits for the next.
#[derive(Debug)]
pub struct StreamDriver<T, const N: usize> {
    driver: Driver,
    transport: Readied<T, N>,
}

impl<T, const N: usize> StreamDriver<T, N> {
    /// A driver for a new connection.
    pub const fn new(stream: T) -> Self {
        Self::with_driver(stream, Driver::new())
    }

    /// As [`new`](Self::new), by a driver with limits of its own.
    pub const fn with_driver(stream: T, driver: Driver) -> Self {
        Self { driver, transport: Readied { stream, input: Input::new() } }
    }

    /// The stream.
    pub const fn stream(&mut self) -> &mut T {
        &mut self.transport.stream
    }

    /// Gives the conversation up; see [`Driver::give_up`].
    pub const fn give_up(&mut self) {
        self.driver.give_up();
    }
}

impl<T: Read + Write + ReadReady + WriteReady + Shutdown, const N: usize> StreamDriver<T, N> {
    /// Does what can be done at `now` without blocking, as [`Driver::step`] does. Then wait until the
    /// stream is ready, or as it says; or drop the stream, or [reset](Shutdown::reset) it.
    pub fn step<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        on_event: impl FnMut(Event<'_, S>) -> ControlFlow<()>,
    ) -> Step<S::Error, T::Error> {
        self.driver.step(now, session, &mut self.transport, on_event)
    }

    /// As [`step`](Self::step), and as [`Driver::next`], which returns with each event.
    pub fn next<'a, S: Session>(
        &'a mut self,
        now: Instant,
        session: &'a mut S,
    ) -> Next<'a, S, T::Error> {
        self.driver.next(now, session, &mut self.transport)
    }
}

/// A stream that is asked before it is used.
#[derive(Debug)]
struct Readied<T, const N: usize> {
    stream: T,
    input: Input<N>,
}

impl<T, const N: usize> Transport for Readied<T, N>
where
    T: Read + Write + ReadReady + WriteReady + Shutdown,
{
    type Error = T::Error;

    fn receive(&mut self) -> nb::Result<&[u8], T::Error> {
        let stream = &mut self.stream;
        self.input.receive(|buffer| {
            if !stream.read_ready()? {
                return Err(nb::Error::WouldBlock);
            }
            Ok(stream.read(buffer)?)
        })
    }

    fn consume(&mut self, count: usize) {
        self.input.consume(count);
    }

    fn send(&mut self, head: &[u8], _tail: &[u8], _more: bool) -> nb::Result<usize, T::Error> {
        if !self.stream.write_ready()? {
            return Err(nb::Error::WouldBlock);
        }
        Ok(self.stream.write(head)?)
    }

    fn shut_down(&mut self) -> nb::Result<(), T::Error> {
        Ok(self.stream.shut_down()?)
    }
}

#[cfg(test)]
mod tests;
