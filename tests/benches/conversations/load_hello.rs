//! The load on a hello server: one thread that is all the clients.
//!
//! A client is as cheap as its part of the conversation allows: it hears greeting and end in one call,
//! and uses its socket for one connection after another. Yet it costs more than a server's, since on a
//! loopback most of the work of opening a TCP connection is done inside `connect`. So with a server
//! near the limit it is the clients that set the pace: handshakes a second at a `load` near 100 % say
//! what the machine can do, not the server. What tells such servers apart is the processor time that
//! each spends on a handshake.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, recv, send, socket,
};
use rustix::net::connect_unspec;

use crate::process::own_processor_time;

/// What the server says, as barewire sends it.
pub(crate) const GREETING: &str = "你好\n";

/// What a client answers.
pub(crate) const ANSWER: &str = "Hello";

/// Handshakes that are under way at the same time.
pub(crate) const AT_ONCE: usize = 64;

/// A run in which nothing happens for so long has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    /// Handshakes held, each to its end.
    pub(crate) handshakes: u64,
    /// From the first connection to the end of the last.
    pub(crate) elapsed: Duration,
    /// Processor time that the clients took.
    pub(crate) load: Duration,
}

/// Holds handshakes with the server at `server`, [`AT_ONCE`] at a time, for `span`.
///
/// The clients are bound to no address. A server closes first here (it half-closes behind its
/// greeting), so that `TIME_WAIT` is on its side, and a client's port is free again at once; should a
/// port come back while the server still remembers it, the timestamps of the new connection prove it
/// new (RFC 6191). So ports never run out, and no run waits for one.
///
/// # Errors
///
/// A server that refuses, resets, says anything but the greeting, or falls silent.
pub(crate) fn run(server: SocketAddr, span: Duration) -> io::Result<Run> {
    let load_before = own_processor_time()?;
    let started = Instant::now();

    let mut clients = VecDeque::with_capacity(AT_ONCE);
    for _ in 0..AT_ONCE {
        let client = Client::new(server)?;
        client.connect()?;
        clients.push_back(client);
    }
    let mut handshakes = 0;
    let mut elapsed = Duration::ZERO;
    while let Some(oldest) = clients.pop_front() {
        oldest.shake_hands()?;
        handshakes += 1;
        let before = mem::replace(&mut elapsed, started.elapsed());
        in_time(elapsed.saturating_sub(before))?;
        if elapsed < span {
            oldest.connect()?;
            clients.push_back(oldest);
        }
    }
    Ok(Run { handshakes, elapsed, load: own_processor_time()?.saturating_sub(load_before) })
}

/// Holds one whole handshake, and returns how long it took.
///
/// # Errors
///
/// As for [`run`].
pub(crate) fn once(server: SocketAddr) -> io::Result<Duration> {
    let started = Instant::now();
    let client = Client::new(server)?;
    client.connect()?;
    client.shake_hands()?;
    in_time(started.elapsed())
}

/// Connects to the server, hears its greeting, and says nothing.
///
/// # Errors
///
/// As for [`run`].
pub(crate) fn fall_silent(server: SocketAddr) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting)?;
    if greeting != GREETING.as_bytes() {
        return Err(wrong_greeting(&greeting));
    }
    Ok(stream)
}

/// A client that holds one handshake after another, on one socket.
#[derive(Debug)]
struct Client {
    stream: TcpStream,
    server: SockaddrStorage,
}

impl Client {
    fn new(server: SocketAddr) -> io::Result<Self> {
        let socket = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { stream, server: server.into() })
    }

    /// Connects anew. Both ends have closed the last connection, if there was one, so that there is
    /// nothing to abort.
    fn connect(&self) -> io::Result<()> {
        connect_unspec(&self.stream)?;
        connect(self.stream.as_raw_fd(), &self.server)?;
        Ok(())
    }

    /// Hears the greeting and the end behind it, and answers.
    ///
    /// A server that falls silent in place of the end is told by the time it takes ([`in_time`]).
    fn shake_hands(&self) -> io::Result<()> {
        let mut buffer = [0; 64];
        let count = match recv(self.stream.as_raw_fd(), &mut buffer, MsgFlags::MSG_WAITALL) {
            Err(Errno::EAGAIN) => return Err(silence()),
            received => received?,
        };
        if &buffer[..count] != GREETING.as_bytes() {
            return Err(wrong_greeting(&buffer[..count]));
        }
        send_last(&self.stream, ANSWER)
    }
}

/// Passes on how long a handshake took, unless that is beyond all patience.
fn in_time(elapsed: Duration) -> io::Result<Duration> {
    if elapsed < PATIENCE {
        return Ok(elapsed);
    }
    Err(silence())
}

fn silence() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the server says no more")
}

/// Sends `text` on an empty connection and half-closes it, both in one segment.
///
/// # Errors
///
/// The peer has reset the connection.
pub(crate) fn send_last(stream: &TcpStream, text: &str) -> io::Result<()> {
    // There is more to come: the end.
    let more = MsgFlags::MSG_NOSIGNAL | MsgFlags::from_bits_retain(libc::MSG_MORE);
    if send(stream.as_raw_fd(), text.as_bytes(), more)? < text.len() {
        return Err(io::Error::other("an empty send buffer has no room for a few bytes"));
    }
    stream.shutdown(Shutdown::Write)
}

fn wrong_greeting(bytes: &[u8]) -> io::Error {
    io::Error::other(format!("the greeting is {:?}", String::from_utf8_lossy(bytes)))
}
