//! The load on a datagram server: a window of datagrams in flight, or one.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::exchange::{BATCH, Exchange};

/// What the server answers, as barewire does by default.
pub(crate) const REPLY: &str = "nice to meet you";

/// What is sent: 64 bytes, the size of many a request in practice, and no server's reply.
pub(crate) const REQUEST: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// Datagrams in flight: sent, and neither answered nor given up.
pub(crate) const IN_FLIGHT: usize = BATCH;

/// What is in flight is given up when no reply has come for so long.
const GIVE_UP: Duration = Duration::from_millis(100);

/// A run in which the window has been given up so often in a row has failed.
pub(crate) const TRIES: u32 = 20;

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Replies received.
    pub(crate) replies: u64,
    /// Datagrams that no reply came for in time.
    pub(crate) lost: u64,
    /// From the first datagram to the last reply.
    pub(crate) elapsed: Duration,
}

/// Keeps `in_flight` datagrams in flight to `server` for `span`, [`IN_FLIGHT`] at most.
///
/// The window slides by whatever has come: each batch of replies sends as many datagrams anew. A reply
/// later than its time-out counts as one more datagram in flight; on a loopback this hardly happens.
///
/// # Errors
///
/// Another reply than [`REPLY`], or none for seconds.
pub(crate) fn run(server: SocketAddr, in_flight: usize, span: Duration) -> io::Result<Run> {
    let socket = connect(server)?;
    let mut exchange = Exchange::connected(REQUEST);
    let mut run = Run { replies: 0, lost: 0, elapsed: Duration::ZERO };
    let mut tries = 0;
    let started = Instant::now();
    exchange.send(&socket, in_flight)?;
    while run.elapsed < span {
        match exchange.receive(&socket) {
            Ok(count) => {
                for index in 0..count {
                    check(exchange.datagram(index))?;
                }
                tries = 0;
                run.replies += count as u64;
                run.elapsed = started.elapsed();
                exchange.send(&socket, count)?;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && tries < TRIES => {
                tries += 1;
                run.lost += in_flight as u64;
                exchange.send(&socket, in_flight)?;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(run)
}

/// The median time of a datagram and its reply, one after another for `span`.
///
/// # Errors
///
/// As for [`run`].
pub(crate) fn round_trip(server: SocketAddr, span: Duration) -> io::Result<Duration> {
    let socket = connect(server)?;
    let mut buffer = [0; 1024];
    let mut times = Vec::new();
    let started = Instant::now();
    let mut sent = started;
    while sent.duration_since(started) < span {
        socket.send(REQUEST.as_bytes())?;
        match socket.recv(&mut buffer) {
            Ok(length) => {
                check(&buffer[..length])?;
                // The end of one round trip is the begin of the next: one look at the clock.
                let now = Instant::now();
                times.push(now.duration_since(sent));
                sent = now;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => sent = Instant::now(),
            Err(error) => return Err(error),
        }
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).copied();
    median.ok_or_else(|| io::Error::new(io::ErrorKind::TimedOut, "no reply at all"))
}

pub(crate) fn connect(server: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(GIVE_UP))?;
    Ok(socket)
}

fn check(reply: &[u8]) -> io::Result<()> {
    if reply == REPLY.as_bytes() {
        return Ok(());
    }
    Err(io::Error::other(format!("the reply is {:?}", String::from_utf8_lossy(reply))))
}
