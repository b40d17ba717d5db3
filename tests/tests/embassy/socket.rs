//! What the core needs of embassy-net: a socket that can be split and half-closed, and the time.

use std::future::pending;

use barewire_core::io::{HalfClose, Split, Timer};
use barewire_core::time::Instant;
use embassy_net::tcp::{Error, TcpSocket};
use embedded_io_async::{ErrorType, Read, Write};

/// A connected socket.
pub(crate) struct Socket<'a>(pub(crate) TcpSocket<'a>);

impl ErrorType for Socket<'_> {
    type Error = Error;
}

impl HalfClose for Socket<'_> {
    fn half_close(&mut self) -> Result<(), Error> {
        self.0.close();
        Ok(())
    }
}

impl Split for Socket<'_> {
    fn split(&mut self) -> (impl Read<Error = Error>, impl Write<Error = Error>) {
        self.0.split()
    }
}

impl Socket<'_> {
    /// Ends the connection as the conversation ended: a failed one is reset, unless this side had
    /// ended its direction before.
    pub(crate) async fn end<V, E>(mut self, outcome: Result<V, E>) -> Result<V, E> {
        if outcome.is_err() && self.0.may_send() {
            self.0.abort();
        } else {
            self.0.close();
        }
        // What embassy-net has not sent when a socket is dropped is lost. That it has broken is no
        // news after the end.
        let _ = self.0.flush().await;
        outcome
    }
}

/// The time that the stack goes by.
pub(crate) struct Clock;

impl Timer for Clock {
    fn now(&self) -> Instant {
        Instant::from_micros(embassy_time::Instant::now().as_micros())
    }

    async fn wait_until(&mut self, at: Instant) {
        // "Never" is later than some clocks can tell.
        match embassy_time::Instant::try_from_micros(at.as_micros()) {
            Some(at) => embassy_time::Timer::at(at).await,
            None => pending().await,
        }
    }
}
