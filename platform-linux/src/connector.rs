//! Makes the connection that a link is then driven over.

#[cfg(test)]
mod tests;

use std::io;
use std::net::SocketAddr;
use std::vec;

use barewire_core::time::{Duration, Instant};

use crate::executor::{Context, Readiness, Source};
use crate::link::Link;
use crate::stream::TcpStream;

/// How long connecting may take, over all addresses together, unless the owner chooses another
/// limit.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// Tries the addresses of a peer one after another until one answers. Each has its share of the time
/// that is left, so that one that says nothing does not use up the others'.
#[derive(Debug)]
pub struct Connector {
    addresses: vec::IntoIter<SocketAddr>,
    timeout: Duration,
    /// When to give up; set by the first poll.
    deadline: Option<Instant>,
    attempt: Option<Attempt>,
    /// Why the last attempt failed.
    failure: Option<io::Error>,
}

#[derive(Debug)]
struct Attempt {
    stream: TcpStream,
    source: Source,
    peer: SocketAddr,
    deadline: Instant,
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
    /// Otherwise why the last address failed ([`TimedOut`](io::ErrorKind::TimedOut) at the limit), or
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if there was none.
    pub fn poll<W>(
        &mut self,
        cx: &mut Context<'_, W>,
    ) -> nb::Result<(Link, SocketAddr), io::Error> {
        let deadline = *self.deadline.get_or_insert(cx.now() + self.timeout);
        loop {
            if let Some(attempt) = self.attempt.take() {
                let Attempt { stream, source, peer, deadline } = attempt;
                let result = if cx.readiness(source).intersects(Readiness::WRITABLE) {
                    stream.connect_result()
                } else if deadline <= cx.now() {
                    Err(io::ErrorKind::TimedOut.into())
                } else {
                    self.attempt = Some(Attempt { stream, source, peer, deadline });
                    cx.set_deadline(Some(deadline));
                    return Err(nb::Error::WouldBlock);
                };
                match result {
                    Ok(()) => {
                        cx.set_deadline(None);
                        return Ok((Link::with_source(stream, Some(source)), peer));
                    }
                    Err(error) => self.failure = Some(error),
                }
                cx.release(source);
            } else if let Some(peer) = self.addresses.next() {
                let others = u64::try_from(self.addresses.len()).unwrap_or(u64::MAX - 1);
                let share = deadline.duration_since(cx.now()).as_micros() / (others + 1);
                match begin(cx, peer, cx.now() + Duration::from_micros(share)) {
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

    /// Ends the attempt that is under way, and leaves nothing of it with the task: its place among
    /// the [sources](crate::executor::MAX_SOURCES) is free, and the deadline gone. For a task that
    /// goes on without it; dropping the connector is enough for one that ends.
    pub fn give_up<W>(self, cx: &mut Context<'_, W>) {
        if let Some(attempt) = self.attempt {
            cx.release(attempt.source);
        }
        cx.set_deadline(None);
    }
}

fn begin<W>(cx: &mut Context<'_, W>, peer: SocketAddr, deadline: Instant) -> io::Result<Attempt> {
    let stream = TcpStream::connect(peer)?;
    let source = cx.register(&stream, Readiness::READABLE | Readiness::WRITABLE)?;
    Ok(Attempt { stream, source, peer, deadline })
}
