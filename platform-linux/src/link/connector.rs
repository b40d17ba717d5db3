//! Makes the connection that a link is then driven over.

use std::io;
use std::net::SocketAddr;
use std::vec;

use barewire_core::time::{Duration, Instant};

use super::Link;
use crate::executor::{Context, Readiness, Source};
use crate::stream::TcpStream;

/// How long connecting may take, over all addresses together, unless the owner chooses another
/// limit.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Tries the addresses of a peer one after another until one answers.
#[derive(Debug)]
pub struct Connector {
    addresses: vec::IntoIter<SocketAddr>,
    timeout: Duration,
    /// When to give up; set by the first poll.
    deadline: Option<Instant>,
    attempt: Option<(TcpStream, Source, SocketAddr)>,
    /// Why the last attempt failed.
    failure: Option<io::Error>,
}

impl Connector {
    /// Will try `addresses` in their order, within `timeout` (usually [`TIMEOUT`]) over all.
    pub fn new(addresses: Vec<SocketAddr>, timeout: Duration) -> Self {
        Self {
            addresses: addresses.into_iter(),
            timeout,
            deadline: None,
            attempt: None,
            failure: None,
        }
    }

    /// Goes on as far as it can without waiting. To be called in every turn of the task until it
    /// gives the link (registered with the task already) and the address that answered. It sets the
    /// task's deadline.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: an attempt is under way.
    /// [`TimedOut`](io::ErrorKind::TimedOut) at the limit; otherwise why the last address failed, or
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if there was none.
    pub fn poll<W>(
        &mut self,
        cx: &mut Context<'_, W>,
    ) -> nb::Result<(Link, SocketAddr), io::Error> {
        let deadline = *self.deadline.get_or_insert(cx.now() + self.timeout);
        loop {
            if let Some((stream, source, peer)) = self.attempt.take() {
                if !cx.readiness(source).intersects(Readiness::WRITABLE) {
                    if deadline <= cx.now() {
                        cx.release(source);
                        return Err(nb::Error::Other(io::ErrorKind::TimedOut.into()));
                    }
                    self.attempt = Some((stream, source, peer));
                    cx.set_deadline(Some(deadline));
                    return Err(nb::Error::WouldBlock);
                }
                match stream.connect_result() {
                    Ok(()) => {
                        cx.set_deadline(None);
                        return Ok((Link::with_source(stream, Some(source)), peer));
                    }
                    Err(error) => self.failure = Some(error),
                }
                cx.release(source);
            } else if let Some(peer) = self.addresses.next() {
                match begin(cx, peer) {
                    Ok(attempt) => self.attempt = Some(attempt),
                    Err(error) => self.failure = Some(error),
                }
            } else {
                cx.set_deadline(None);
                let failure = self.failure.take();
                let failure = failure.unwrap_or_else(|| io::ErrorKind::InvalidInput.into());
                return Err(nb::Error::Other(failure));
            }
        }
    }
}

fn begin<W>(
    cx: &mut Context<'_, W>,
    peer: SocketAddr,
) -> io::Result<(TcpStream, Source, SocketAddr)> {
    let stream = TcpStream::connect(peer)?;
    let source = cx.register(&stream, Readiness::READABLE | Readiness::WRITABLE)?;
    Ok((stream, source, peer))
}
