//! The driver for streams that know what is ready.

use core::ops::ControlFlow;

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::input::Input;
use super::shutdown::Shutdown;
use crate::driver::{Driver, Next, Step, Transport};
use crate::session::{Event, Session};
use crate::time::Instant;

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
