//! The load on a hello server: one thread that is all the clients.
//!
//! A client is as cheap as its part of the conversation allows, and yet costs a little more than a
//! server's: on a loopback, most of the work of opening a TCP connection is done inside `connect`.
//! So with a server near the limit it is the clients that set the pace: handshakes a second at a `load`
//! near 100 % say what the machine can do, not the server. What tells such servers apart is the
//! processor time that each spends on a handshake.

use std::io::{self, Read};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, send, socket,
};

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
    let server = SockaddrStorage::from(server);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let load_before = own_processor_time()?;
    let started = Instant::now();

    let mut clients = Vec::with_capacity(AT_ONCE);
    for slot in 0..AT_ONCE {
        clients.push(Some(Client::connect(&epoll, &server, slot)?));
    }
    let mut under_way = clients.len();
    let mut handshakes = 0;
    let mut events = [EpollEvent::empty(); AT_ONCE];
    while under_way > 0 {
        let patience = EpollTimeout::try_from(PATIENCE).unwrap_or(EpollTimeout::MAX);
        let ready = match epoll.wait(&mut events, patience) {
            Ok(0) => {
                let message = format!("{under_way} handshakes stand still");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            Ok(ready) => ready,
            Err(Errno::EINTR) => 0,
            Err(error) => return Err(error.into()),
        };
        let more = started.elapsed() < span;
        for event in &events[..ready] {
            let slot = usize::try_from(event.data()).expect("epoll returns the slots it was given");
            let Some(client) = &mut clients[slot] else { continue };
            if client.advance()? {
                handshakes += 1;
                // The old connection is closed before the next one opens.
                clients[slot] = None;
                if more {
                    clients[slot] = Some(Client::connect(&epoll, &server, slot)?);
                } else {
                    under_way -= 1;
                }
            }
        }
    }
    Ok(Run {
        handshakes,
        elapsed: started.elapsed(),
        load: own_processor_time()?.saturating_sub(load_before),
    })
}

/// Holds one whole handshake, and returns how long it took.
///
/// # Errors
///
/// As for [`run`].
pub(crate) fn once(server: SocketAddr) -> io::Result<Duration> {
    let started = Instant::now();
    let stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut client = Client { stream, heard: 0, answered: false };
    if !client.advance()? {
        return Err(io::Error::new(io::ErrorKind::TimedOut, "the server says no more"));
    }
    drop(client);
    Ok(started.elapsed())
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

/// A client in the middle of its handshake.
#[derive(Debug)]
struct Client {
    stream: TcpStream,
    /// Bytes of the greeting received.
    heard: usize,
    /// Whether the answer is sent and this side half-closed.
    answered: bool,
}

impl Client {
    fn connect(epoll: &Epoll, server: &SockaddrStorage, slot: usize) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        match connect(socket.as_raw_fd(), server) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let events = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        epoll.add(&socket, EpollEvent::new(events, slot as u64))?;
        Ok(Self { stream: TcpStream::from(socket), heard: 0, answered: false })
    }

    /// Takes the conversation as far as it goes now. True when it is over.
    fn advance(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 64];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) if self.heard >= GREETING.trim_end().len() => {
                    self.answer()?;
                    return Ok(true);
                }
                Ok(0) => return Err(wrong_greeting(&GREETING.as_bytes()[..self.heard])),
                Ok(count) => {
                    let expected = GREETING.as_bytes().get(self.heard..self.heard + count);
                    if expected != Some(&buffer[..count]) {
                        return Err(wrong_greeting(&buffer[..count]));
                    }
                    self.heard += count;
                    if self.heard == GREETING.len() {
                        self.answer()?;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }

    fn answer(&mut self) -> io::Result<()> {
        if !self.answered {
            self.answered = true;
            send_last(&self.stream, ANSWER)?;
        }
        Ok(())
    }
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
