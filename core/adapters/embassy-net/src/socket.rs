use barewire_core::io::{AsyncStreamDriver, Shutdown, Split};
use barewire_core::session::Session;
use embassy_net::tcp::{Error, TcpSocket};
use embedded_io_async::{ErrorType, Read, Write};

use crate::time::Clock;

/// A connected socket, as the core's [`AsyncStreamDriver`] takes it.
#[expect(missing_debug_implementations, reason = "embassy-net's socket has none")]
pub struct Socket<'a>(pub TcpSocket<'a>);

impl Socket<'_> {
    /// Waits until all has left, a reset too: what embassy-net has not sent when a socket is dropped is
    /// lost.
    pub async fn flush(&mut self) {
        // That it has broken is no news after the end.
        let _ = self.0.flush().await;
    }
}

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

/// Ends a connection whose conversation is over, as [`AsyncStreamDriver::close`] does. Then its socket
/// can be dropped.
pub async fn close<const N: usize>(
    driver: &mut AsyncStreamDriver<Socket<'_>, N>,
    session: &mut impl Session,
) {
    driver.close(session, &mut Clock).await;
    driver.stream().flush().await;
}
