//! The peers of `chat-server` made of system calls: one thread, one epoll, no checks and no limits.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsRawFd, RawFd};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv, send, setsockopt, sockopt};

/// Bytes that one call receives at most.
const RECEIVE_SIZE: usize = 64 * 1024;

/// Writes each line to each member at once.
///
/// # Errors
///
/// A system call that a server cannot go on without.
pub(crate) fn line_by_line(address: SocketAddr) -> io::Result<()> {
    serve(address, true)
}

/// Writes all that a round of epoll has brought to each member in one call: the limit.
///
/// # Errors
///
/// As for [`line_by_line`].
pub(crate) fn gathering(address: SocketAddr) -> io::Result<()> {
    serve(address, false)
}

/// Serves, and passes lines on at once or after each round.
fn serve(address: SocketAddr, at_once: bool) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    // Accepted sockets inherit this.
    setsockopt(&listener, sockopt::TcpNoDelay, &true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    epoll.add(&listener, EpollEvent::new(EpollFlags::EPOLLIN, token(listener.as_raw_fd())))?;
    println!("listening on {}", listener.local_addr()?);

    let mut room = RoomState {
        at_once,
        epoll,
        members: Vec::new(),
        indices: HashMap::new(),
        said: Vec::new(),
        lines: Vec::new(),
        for_one: Vec::new(),
        guests: 0,
    };
    let mut events = [EpollEvent::empty(); 256];
    let mut received = vec![0; RECEIVE_SIZE];
    loop {
        let ready = match room.epoll.wait(&mut events, EpollTimeout::NONE) {
            Err(Errno::EINTR) => continue,
            ready => ready?,
        };
        for event in &events[..ready] {
            let descriptor = RawFd::try_from(event.data()).expect("a token is a descriptor");
            if descriptor == listener.as_raw_fd() {
                room.accept_all(&listener)?;
                continue;
            }
            // One that has just left may have an event yet.
            let Some(&index) = room.indices.get(&descriptor) else { continue };
            if event.events().contains(EpollFlags::EPOLLOUT) {
                room.write_rest(index)?;
            }
            if event.events().intersects(!EpollFlags::EPOLLOUT) {
                match recv(descriptor, &mut received, MsgFlags::MSG_DONTWAIT) {
                    Ok(count @ 1..) => room.receive(index, &received[..count])?,
                    Err(Errno::EAGAIN) => {}
                    Ok(0) | Err(_) => room.leave(index),
                }
            }
        }
        room.broadcast()?;
    }
}

struct Member {
    stream: TcpStream,
    nick: String,
    /// The start of a line.
    begun: Vec<u8>,
    /// What its socket had no room for.
    rest: Vec<u8>,
}

struct RoomState {
    at_once: bool,
    epoll: Epoll,
    members: Vec<Member>,
    /// Where the member with a descriptor is.
    indices: HashMap<RawFd, usize>,
    /// Lines that have not been passed on, and who has said so many bytes of them.
    said: Vec<u8>,
    lines: Vec<(RawFd, usize)>,
    for_one: Vec<u8>,
    guests: u64,
}

impl RoomState {
    fn accept_all(&mut self, listener: &TcpListener) -> io::Result<()> {
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            };
            let descriptor = stream.as_raw_fd();
            self.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, token(descriptor)))?;
            self.guests += 1;
            self.indices.insert(descriptor, self.members.len());
            let nick = format!("guest{}: ", self.guests);
            self.members.push(Member { stream, nick, begun: Vec::new(), rest: Vec::new() });
        }
    }

    fn receive(&mut self, index: usize, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let member = &mut self.members[index];
            if !piece.ends_with(b"\n") {
                member.begun.extend_from_slice(piece);
                continue;
            }
            let before = self.said.len();
            self.said.extend_from_slice(member.nick.as_bytes());
            self.said.append(&mut member.begun);
            self.said.extend_from_slice(piece);
            self.lines.push((member.stream.as_raw_fd(), self.said.len() - before));
            if self.at_once {
                self.broadcast()?;
            }
        }
        Ok(())
    }

    /// Sends what was said to all who have not said it: to most, as it stands.
    fn broadcast(&mut self) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        for member in &mut self.members {
            let descriptor = member.stream.as_raw_fd();
            if self.lines.iter().all(|(by, _)| *by != descriptor) {
                member.send(&self.said, &self.epoll)?;
                continue;
            }
            self.for_one.clear();
            let mut at = 0;
            for &(by, length) in &self.lines {
                if by != descriptor {
                    self.for_one.extend_from_slice(&self.said[at..at + length]);
                }
                at += length;
            }
            member.send(&self.for_one, &self.epoll)?;
        }
        self.said.clear();
        self.lines.clear();
        Ok(())
    }

    fn write_rest(&mut self, index: usize) -> io::Result<()> {
        let member = &mut self.members[index];
        let rest = std::mem::take(&mut member.rest);
        member.send(&rest, &self.epoll)?;
        if member.rest.is_empty() {
            let descriptor = token(member.stream.as_raw_fd());
            let mut reads = EpollEvent::new(EpollFlags::EPOLLIN, descriptor);
            self.epoll.modify(&member.stream, &mut reads)?;
        }
        Ok(())
    }

    fn leave(&mut self, index: usize) {
        let gone = self.members.swap_remove(index);
        self.indices.remove(&gone.stream.as_raw_fd());
        if let Some(moved) = self.members.get(index) {
            self.indices.insert(moved.stream.as_raw_fd(), index);
        }
    }
}

impl Member {
    /// Sends what there is room for, and keeps the rest. Of one that has gone, its end is read later.
    fn send(&mut self, bytes: &[u8], epoll: &Epoll) -> io::Result<()> {
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
        let sent = match self.rest.is_empty() {
            true if bytes.is_empty() => return Ok(()),
            true => match send(self.stream.as_raw_fd(), bytes, flags) {
                Ok(sent) => sent,
                Err(Errno::EAGAIN) => 0,
                Err(_) => bytes.len(),
            },
            false => 0,
        };
        if sent < bytes.len() {
            if self.rest.is_empty() {
                let both = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT;
                let mut event = EpollEvent::new(both, token(self.stream.as_raw_fd()));
                epoll.modify(&self.stream, &mut event)?;
            }
            self.rest.extend_from_slice(&bytes[sent..]);
        }
        Ok(())
    }
}

fn token(descriptor: RawFd) -> u64 {
    u64::try_from(descriptor).expect("an open descriptor is not negative")
}
