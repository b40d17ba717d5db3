use barewire_core::io::{AsyncStreamDriver, Shutdown, Split};
use barewire_core::session::Session;
use embassy_net::tcp::{Error, TcpReader, TcpSocket};
use embedded_io_async::{ErrorType, Read, Write};

use crate::time::Clock;

/// A connected socket, as the core's [`AsyncStreamDriver`] takes it.
#[expect(missing_debug_implementations, reason = "embassy-net's socket has none")]
pub struct Socket<'a> {
    /// embassy-net's own.
    pub tcp: TcpSocket<'a>,
    /// This side has ended its direction.
    has_shut_down: bool,
}

impl<'a> Socket<'a> {
    /// A socket that is connected.
    pub const fn new(tcp: TcpSocket<'a>) -> Self {
        Self { tcp, has_shut_down: false }
    }

    /// Waits until all has left, a reset too: what embassy-net has not sent when a socket is dropped is
    /// lost.
    pub async fn flush(&mut self) {
        // That it has broken is no news after the end.
        let _ = self.tcp.flush().await;
    }
}

impl ErrorType for Socket<'_> {
    type Error = Error;
}

impl Shutdown for Socket<'_> {
    fn shut_down(&mut self) -> Result<(), Error> {
        self.tcp.close();
        self.has_shut_down = true;
        Ok(())
    }

    fn reset(&mut self) {
        self.tcp.abort();
    }
}

impl Split for Socket<'_> {
    fn split(&mut self) -> (impl Read<Error = Error>, impl Write<Error = Error>) {
        // Behind the peer's end embassy-net's reader tells of that end for ever, of a reset too.
        let is_reset = !self.has_shut_down && !self.tcp.may_send() && self.tcp.recv_queue() == 0;
        let (inner, writer) = self.tcp.split();
        (Reader { inner, is_reset }, writer)
    }
}

/// What the peer sends.
struct Reader<'s> {
    inner: TcpReader<'s>,
    is_reset: bool,
}

impl ErrorType for Reader<'_> {
    type Error = Error;
}

impl Read for Reader<'_> {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        if self.is_reset {
            return Err(Error::ConnectionReset);
        }
        self.inner.read(buffer).await
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
