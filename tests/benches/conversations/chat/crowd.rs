//! The members of a room, all of them on one thread: what they hear is counted, and little else.

use std::io;
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv, send};

use super::setup::{LINE, SENDERS, line};
use crate::process::Server;
use crate::voice::Voice;

/// A room in which nothing happens for so long has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long somebody waits at most before looking again whether all are in, in milliseconds.
const LOOK_AGAIN: u16 = 1;

/// Joins that come thick may be told together, a second later at most: in a room where nothing was told for
/// longer, all has been.
const GATHERED: Duration = Duration::from_millis(1_200);

/// Members that come in at once: no more than may wait to be accepted, and a share of a large room.
const AT_ONCE: usize = 8;
const CHUNKS: usize = 128;

/// Bytes that one call receives at most.
const ROOM: usize = 64 * 1024;

/// The members of a room. The first [`SENDERS`] of them may speak.
pub(super) struct Crowd {
    members: Vec<TcpStream>,
    /// What each of them speaks through, if the room is keyed.
    voices: Vec<Voice>,
    epoll: Epoll,
    events: Vec<EpollEvent>,
    room: Vec<u8>,
}

impl Crowd {
    /// Has `count` members come in, and hear all that is said about it.
    ///
    /// # Errors
    ///
    /// Somebody is not let in.
    pub(super) fn gather(server: &Server, count: usize) -> io::Result<Self> {
        Self::gather_with(server, count, |_| None)
    }

    /// The same in a keyed room.
    ///
    /// # Errors
    ///
    /// As there.
    pub(super) fn gather_keyed(server: &Server, count: usize) -> io::Result<Self> {
        Self::gather_with(server, count, |index| Some(Voice::new(index)))
    }

    fn gather_with(
        server: &Server,
        count: usize,
        voice: impl Fn(u64) -> Option<io::Result<Voice>>,
    ) -> io::Result<Self> {
        let mut crowd = Self {
            members: Vec::with_capacity(count),
            voices: Vec::new(),
            epoll: Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?,
            events: vec![EpollEvent::empty(); 1024],
            room: vec![0; ROOM],
        };
        server.settle()?;
        let before = server.open_files()?;
        let at_once = (count / CHUNKS).max(AT_ONCE);
        for index in 0..count {
            let stream = TcpStream::connect(server.address())?;
            stream.set_nodelay(true)?;
            crowd.epoll.add(&stream, EpollEvent::new(EpollFlags::EPOLLIN, index as u64))?;
            crowd.members.push(stream);
            if let Some(voice) = voice(index as u64).transpose()? {
                crowd.voices.push(voice);
                crowd.send(index)?;
            }
            if index % at_once == 0 {
                crowd.wait_until_in(server, before)?;
            }
        }
        crowd.wait_until_in(server, before)?;
        let mut heard_last = Instant::now();
        while heard_last.elapsed() < GATHERED {
            if crowd.hear(EpollTimeout::from(LOOK_AGAIN), |_, _| Ok(()))? > 0 {
                heard_last = Instant::now();
            }
        }
        crowd.hear_out(server)?;
        Ok(crowd)
    }

    /// Waits until the server, which had `before` files open, has accepted all.
    fn wait_until_in(&mut self, server: &Server, before: usize) -> io::Result<()> {
        let mut heard_last = Instant::now();
        while server.open_files()? < before + self.len() {
            if self.hear(EpollTimeout::from(LOOK_AGAIN), |_, _| Ok(()))? > 0 {
                heard_last = Instant::now();
            } else if heard_last.elapsed() > PATIENCE {
                return Err(silence());
            }
        }
        while self.hear(EpollTimeout::ZERO, |_, _| Ok(()))? > 0 {}
        Ok(())
    }

    /// How many members there are.
    pub(super) fn len(&self) -> usize {
        self.members.len()
    }

    /// Has everybody hear what is still under way, until the server has nothing to do. Returns how
    /// many lines that was.
    ///
    /// # Errors
    ///
    /// The server has closed on somebody.
    pub(super) fn hear_out(&mut self, server: &Server) -> io::Result<u64> {
        let mut lines = 0;
        loop {
            server.settle()?;
            let mut ready = 0;
            while self.hear(EpollTimeout::ZERO, |_, bytes| {
                lines += line_feeds(bytes);
                Ok(())
            })? > 0
            {
                ready += 1;
            }
            if ready == 0 {
                return Ok(lines);
            }
        }
    }

    /// Has each sender say a line, and each member check that it hears those of the others, whole.
    ///
    /// # Errors
    ///
    /// Something else arrives, or nothing.
    pub(super) fn check(&mut self, server: &Server) -> io::Result<()> {
        let lines: Vec<_> = (0..SENDERS).map(|sender| line(&format!("line {sender} "))).collect();
        for (sender, line) in lines.iter().enumerate() {
            self.say(sender, line)?;
        }
        let mut heard = vec![Vec::new(); self.len()];
        let expected = (SENDERS * (self.len() - 1)) as u64;
        let mut arrived = 0;
        while arrived < expected {
            self.hear_soon(|member, bytes| {
                arrived += line_feeds(bytes);
                heard[member].extend_from_slice(bytes);
                Ok(())
            })?;
        }
        if self.hear_out(server)? > 0 {
            return Err(io::Error::other("a line has come twice"));
        }
        for (member, heard) in heard.iter().enumerate() {
            let mut ends: Vec<_> = heard
                .split_inclusive(|&byte| byte == b'\n')
                .map(|line| &line[line.len().saturating_sub(LINE)..])
                .collect();
            ends.sort_unstable();
            let others = lines.iter().enumerate().filter(|(sender, _)| *sender != member);
            if !ends.into_iter().eq(others.map(|(_, line)| &line[..])) {
                let heard = String::from_utf8_lossy(heard);
                return Err(io::Error::other(format!("member {member} has heard {heard:?}")));
            }
        }
        Ok(())
    }

    /// Has a member say a line, for which there is always room, since little is under way.
    ///
    /// # Errors
    ///
    /// The server has closed on it.
    pub(super) fn say(&mut self, index: usize, line: &[u8]) -> io::Result<()> {
        match self.voices.get_mut(index) {
            Some(voice) => {
                voice.say(line);
                self.send(index)
            }
            None => say(&self.members[index], line),
        }
    }

    /// Sends what a member of a keyed room has to send.
    fn send(&mut self, index: usize) -> io::Result<()> {
        let stream = &self.members[index];
        self.voices[index].send(|bytes| say(stream, bytes))
    }

    /// The stream of a member.
    pub(super) fn member(&self, index: usize) -> &TcpStream {
        &self.members[index]
    }

    /// As [`Crowd::hear`]; that nobody hears anything is an error.
    ///
    /// # Errors
    ///
    /// As there.
    pub(super) fn hear_soon(
        &mut self,
        heard: impl FnMut(usize, &[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let patience = EpollTimeout::try_from(PATIENCE).unwrap_or(EpollTimeout::MAX);
        if self.hear(patience, heard)? == 0 {
            return Err(silence());
        }
        Ok(())
    }

    /// Waits until somebody hears something, and takes what each has heard, at most [`ROOM`] bytes.
    /// Returns how many have.
    ///
    /// # Errors
    ///
    /// The server has closed on somebody, or `heard` says so.
    fn hear(
        &mut self,
        wait: EpollTimeout,
        mut heard: impl FnMut(usize, &[u8]) -> io::Result<()>,
    ) -> io::Result<usize> {
        let ready = match self.epoll.wait(&mut self.events, wait) {
            Err(Errno::EINTR) => 0,
            ready => ready?,
        };
        for event in 0..ready {
            let token = self.events[event].data();
            let index = usize::try_from(token).expect("a token is an index");
            let stream = self.members[index].as_raw_fd();
            let count = recv(stream, &mut self.room, MsgFlags::MSG_DONTWAIT)?;
            if count == 0 {
                return Err(io::Error::other(format!("member {index} was put out")));
            }
            let bytes = &self.room[..count];
            let Some(voice) = self.voices.get_mut(index) else {
                heard(index, bytes)?;
                continue;
            };
            voice.hear(bytes, |said| heard(index, said))?;
            self.send(index)?;
        }
        Ok(ready)
    }
}

/// Sends bytes, for which there is always room, since little is under way.
pub(super) fn say(member: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let flags = MsgFlags::MSG_NOSIGNAL | MsgFlags::MSG_DONTWAIT;
    if send(member.as_raw_fd(), bytes, flags)? < bytes.len() {
        return Err(io::Error::other("a send buffer has no room for a line"));
    }
    Ok(())
}

/// Counts line feeds, in steps of as many as a byte counts: so the compiler compares and adds dozens
/// at once.
pub(super) fn line_feeds(bytes: &[u8]) -> u64 {
    bytes
        .chunks(usize::from(u8::MAX))
        .map(|chunk| chunk.iter().map(|&byte| u8::from(byte == b'\n')).sum::<u8>())
        .map(u64::from)
        .sum()
}

fn silence() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the server says no more")
}
