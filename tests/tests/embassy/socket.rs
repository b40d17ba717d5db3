//! What the core needs of embassy-net: a socket that can be split and half-closed, and the time.

use std::future::pending;

use barewire_core::io::{AsyncStreamDriver, Shutdown, Split, Timer};
use barewire_core::session::Session;
use barewire_core::time::Instant;
use embassy_net::tcp::{Error, TcpSocket};
use embedded_io_async::{ErrorType, Read, Write};

/// A connected socket.
pub(crate) struct Socket<'a>(pub(crate) TcpSocket<'a>);

impl ErrorType for Socket<'_> {
    type Error = Error;
}

impl Shutdown for Socket<'_> {
    fn shut_down(&mut self) -> Result<(), Error> {
        self.0.close();
        Ok(())
    }

    fn reset(&mut self) {
        self.0.abort();
    }
}

impl Split for Socket<'_> {
    fn split(&mut self) -> (impl Read<Error = Error>, impl Write<Error = Error>) {
        self.0.split()
    }
}

/// Ends a connection whose conversation is over.
pub(crate) async fn close<const N: usize>(
    driver: &mut AsyncStreamDriver<Socket<'_>, N>,
    session: &mut impl Session,
) {
    driver.close(session, &mut Clock).await;
    flush(driver.stream()).await;
}

/// What embassy-net has not sent when a socket is dropped is lost.
pub(crate) async fn flush(socket: &mut Socket<'_>) {
    // That it has broken is no news after the end.
    let _ = socket.0.flush().await;
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
