//! The load of clients that each fetch one small file on a connection of their own: one thread that
//! is all of them.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockType, SockaddrStorage, connect, send, socket,
};

use super::contents::SMALL_SIZE;
use super::form::Form;
use super::small_files::{AT_ONCE, Run, SmallFiles, slot, wait};
use crate::process::own_processor_time;

/// Bytes kept of an answer: contents, and a head of any server.
const CAPACITY: usize = SMALL_SIZE + 1024;

/// Fetches files from the server at `server`, [`AT_ONCE`] at a time, for `span`.
///
/// The servers close first, so that `TIME_WAIT` is on their side and ports never run out.
///
/// # Errors
///
/// A server that refuses, resets, falls silent, or sends anything but the file.
pub(super) fn run(
    server: SocketAddr,
    form: Form,
    files: &SmallFiles,
    span: Duration,
) -> io::Result<Run> {
    let server = SockaddrStorage::from(server);
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let load_before = own_processor_time()?;
    let started = Instant::now();
    let mut next = 0;
    let mut connect = |slot| {
        next = (next + 1) % files.contents.len();
        Client::connect(&epoll, &server, slot, next, files)
    };
    let mut clients =
        (0..AT_ONCE).map(|slot| connect(slot).map(Some)).collect::<Result<Vec<_>, _>>()?;
    let mut under_way = clients.len();
    let mut fetched = 0;
    let mut events = [EpollEvent::empty(); AT_ONCE];
    while under_way > 0 {
        let ready = wait(&epoll, &mut events)?;
        let more = started.elapsed() < span;
        for event in &events[..ready] {
            let slot = slot(event);
            let Some(client) = &mut clients[slot] else { continue };
            if client.advance(form, files, event.events())? {
                fetched += 1;
                // The old connection is closed before the next one opens.
                clients[slot] = None;
                if more {
                    clients[slot] = Some(connect(slot)?);
                } else {
                    under_way -= 1;
                }
            }
        }
    }
    Ok(Run {
        files: fetched,
        elapsed: started.elapsed(),
        load: own_processor_time()?.saturating_sub(load_before),
    })
}

/// A client that waits for its file.
#[derive(Debug)]
struct Client {
    stream: TcpStream,
    /// The number of its file.
    file: usize,
    asked: bool,
    received: usize,
    answer: [u8; CAPACITY],
}

impl Client {
    fn connect(
        epoll: &Epoll,
        server: &SockaddrStorage,
        slot: usize,
        file: usize,
        files: &SmallFiles,
    ) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let socket = socket(AddressFamily::Inet, SockType::Stream, flags, None)?;
        match connect(socket.as_raw_fd(), server) {
            Ok(()) | Err(Errno::EINPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let stream = TcpStream::from(socket);
        let mut client = Self { stream, file, asked: false, received: 0, answer: [0; CAPACITY] };
        // On a loopback the connection stands by now, if the server's queue had room for it.
        client.ask(files)?;
        let mut events = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        events.set(EpollFlags::EPOLLOUT, !client.asked);
        epoll.add(&client.stream, EpollEvent::new(events, slot as u64))?;
        Ok(client)
    }

    fn ask(&mut self, files: &SmallFiles) -> io::Result<()> {
        let request = files.request(self.file);
        match send(self.stream.as_raw_fd(), request, MsgFlags::MSG_NOSIGNAL) {
            Ok(count) => self.asked = count == request.len(),
            Err(Errno::EAGAIN) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Goes on as far as it goes now. True when the file is there.
    fn advance(&mut self, form: Form, files: &SmallFiles, events: EpollFlags) -> io::Result<bool> {
        if !self.asked {
            self.ask(files)?;
        }
        loop {
            match self.stream.read(&mut self.answer[self.received..]) {
                Ok(0) => {
                    files.check(form, self.file, &self.answer[..self.received])?;
                    return Ok(true);
                }
                Ok(count) => {
                    self.received += count;
                    // A short read has emptied the buffer (epoll(7)); an end would have shown itself.
                    if !events.contains(EpollFlags::EPOLLRDHUP) && self.received < CAPACITY {
                        return Ok(false);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
    }
}
