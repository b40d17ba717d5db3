//! Makes connections to a server that is known by a name and a port, or by the path of a Unix socket.
//!
//! A [`Dialer`] looks the name up at every attempt, since names move, by way of a [`Resolver`], which keeps
//! nobody waiting. It races the addresses as RFC 8305 has it (a [`Race`]): a dead one costs a quarter of a
//! second. The one that has answered is tried first the next time.

mod error;
mod race;
mod resolver;
#[cfg(test)]
mod tests;
mod unix;

use std::io;
use std::net::SocketAddr;

use barewire_core::time::{Duration, Instant};

pub use error::DialError;
pub use race::{ATTEMPT_DELAY, MAX_ATTEMPTS, Race, Step};
pub use resolver::{LOOKUP_TIMEOUT, Resolver};

use crate::address::{Address, UnixAddress, self_connected};
use crate::executor::{Context, EventSource, MAX_EVENT_SOURCES, Readiness};
use crate::link::Link;
use crate::stream::StreamSocket;
use unix::UnixAttempt;

/// How long connecting may take, over all addresses together, unless the owner chooses another
/// limit.
pub const TIMEOUT: Duration = Duration::from_secs(10);

const _: () = assert!(MAX_ATTEMPTS < MAX_EVENT_SOURCES);

/// Makes one connection after another to a server.
#[derive(Debug)]
pub struct Dialer {
    target: Target,
    timeout: Duration,
    /// The address that has answered last.
    preferred: Option<SocketAddr>,
    racing: Option<Racing>,
}

#[derive(Debug)]
enum Target {
    Name(Resolver),
    Unix(UnixAttempt),
}

/// The attempts to connect, once the addresses are known.
#[derive(Debug)]
struct Racing {
    race: Race,
    /// The oldest first.
    attempts: Vec<Attempt>,
    deadline: Instant,
    tried: usize,
    /// Why the last attempt that failed did.
    failure: Option<io::Error>,
}

#[derive(Debug)]
struct Attempt {
    stream: StreamSocket,
    source: EventSource,
    peer: SocketAddr,
}

impl Dialer {
    /// Will connect to an address that `resolver` finds, within [`TIMEOUT`] over all.
    pub fn new(resolver: Resolver) -> Self {
        Self::to(Target::Name(resolver))
    }

    /// Will connect to a Unix socket, within [`TIMEOUT`]; it waits only where others wait to be accepted.
    pub fn to_unix(address: UnixAddress) -> Self {
        Self::to(Target::Unix(UnixAttempt::new(address)))
    }

    fn to(target: Target) -> Self {
        Self { target, timeout: TIMEOUT, preferred: None, racing: None }
    }

    /// Changes how long connecting may take, over all addresses together, once these are known.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Goes on as far as it can without waiting. To be called in every turn of the task until it
    /// gives the link (registered with the task already) and the address that answered; the next call
    /// begins the next connection. It sets the task's deadline, and has [`MAX_ATTEMPTS`] of its
    /// [sources](MAX_EVENT_SOURCES) meanwhile.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: it is under way. Otherwise why there is no connection. One that was
    /// made with itself, as TCP can (RFC 9293 §3.5, "simultaneous open"), counts as
    /// [refused](io::ErrorKind::ConnectionRefused): nobody listens there.
    pub fn poll<W>(&mut self, cx: &mut Context<'_, W>) -> nb::Result<(Link, Address), DialError> {
        let result = self.advance(cx);
        if !matches!(result, Err(nb::Error::WouldBlock)) {
            self.give_up(cx);
        }
        result
    }

    fn advance<W>(&mut self, cx: &mut Context<'_, W>) -> nb::Result<(Link, Address), DialError> {
        let resolver = match &mut self.target {
            Target::Name(resolver) => resolver,
            Target::Unix(attempt) => return attempt.poll(cx, self.timeout),
        };
        let racing = if let Some(racing) = &mut self.racing {
            racing
        } else {
            let addresses = resolver.poll(cx)?;
            let race = Race::new(&addresses, self.preferred, self.timeout);
            self.racing.insert(Racing::new(race, cx.now() + self.timeout))
        };
        let (link, peer) = racing.advance(cx)?;
        self.preferred = Some(peer);
        Ok((link, Address::Ip(peer)))
    }

    /// Ends what is under way, and leaves nothing of it with the task: its places among the
    /// [sources](MAX_EVENT_SOURCES) are free, and the deadline gone. For a task that goes on without it;
    /// dropping the dialer is enough for one that ends.
    pub fn give_up<W>(&mut self, cx: &mut Context<'_, W>) {
        match &mut self.target {
            Target::Name(resolver) => resolver.give_up(cx),
            Target::Unix(attempt) => attempt.give_up(cx),
        }
        for attempt in self.racing.take().into_iter().flat_map(|racing| racing.attempts) {
            cx.release(attempt.source);
        }
    }
}

impl Racing {
    fn new(race: Race, deadline: Instant) -> Self {
        Self { race, attempts: Vec::new(), deadline, tried: 0, failure: None }
    }

    fn advance<W>(&mut self, cx: &mut Context<'_, W>) -> nb::Result<(Link, SocketAddr), DialError> {
        loop {
            if let Some(connected) = self.first_connected(cx) {
                return Ok(connected);
            }
            if self.deadline <= cx.now() {
                return Err(nb::Error::Other(self.failed(Some(io::ErrorKind::TimedOut.into()))));
            }
            match self.race.poll(cx.now()) {
                Step::Begin(peer) => {
                    self.tried += 1;
                    match Attempt::begin(cx, peer) {
                        Ok(attempt) => self.attempts.push(attempt),
                        Err(error) => {
                            self.race.failed(self.attempts.len());
                            self.failure = Some(error);
                        }
                    }
                }
                Step::DropOldest => {
                    cx.release(self.attempts.remove(0).source);
                    self.failure = Some(io::ErrorKind::TimedOut.into());
                }
                Step::Wait(next) => {
                    let next = next.map_or(self.deadline, |next| next.min(self.deadline));
                    cx.set_deadline(Some(next));
                    return Err(nb::Error::WouldBlock);
                }
                Step::Lost => return Err(nb::Error::Other(self.failed(None))),
            }
        }
    }

    /// The first attempt that has made a connection. Those that have failed are left out.
    fn first_connected<W>(&mut self, cx: &mut Context<'_, W>) -> Option<(Link, SocketAddr)> {
        let is_over =
            |attempt: &Attempt| cx.readiness(attempt.source).intersects(Readiness::WRITABLE);
        let index = self.attempts.iter().position(is_over)?;
        let Attempt { stream, source, peer } = self.attempts.remove(index);
        match connected(stream, peer) {
            Ok(stream) => Some((Link::with_source(stream, Some(source)), peer)),
            Err(error) => {
                cx.release(source);
                self.race.failed(index);
                self.failure = Some(error);
                self.first_connected(cx)
            }
        }
    }

    fn failed(&mut self, why: Option<io::Error>) -> DialError {
        let last = why.or(self.failure.take());
        // A host has at least one address.
        let last = last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into());
        DialError::Unreached { tried: self.tried, last }
    }
}

impl Attempt {
    fn begin<W>(cx: &mut Context<'_, W>, peer: SocketAddr) -> io::Result<Self> {
        let stream = StreamSocket::connect(&Address::Ip(peer))?;
        let source = cx.register(&stream, Readiness::READABLE | Readiness::WRITABLE)?;
        Ok(Self { stream, source, peer })
    }
}

/// The stream, if the attempt has connected it with another socket.
fn connected(stream: StreamSocket, peer: SocketAddr) -> io::Result<StreamSocket> {
    stream.connect_result()?;
    let is_own = |local: SocketAddr| {
        local.port() == peer.port() && stream.peer_addr().is_ok_and(|peer| peer == local)
    };
    if stream.local_addr().is_ok_and(is_own) {
        // Its port is free at once for the server that is missing.
        stream.abort();
        return Err(self_connected());
    }
    Ok(stream)
}
