//! The link follows the driving rule: the kit for adapters says so, over the loopback device.

use core::task::Poll;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream as StdStream};
use std::ops::ControlFlow;
use std::os::fd::AsFd;

use barewire_conformance::{Adapter, Examiner, ExaminerError, ExaminerEvent, Peer, Seen, check};
use barewire_core::driver::{DriveError, Step};
use barewire_core::time::Instant;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags};
use nix::sys::socket::{setsockopt, sockopt::TcpNoDelay};

use super::{Contents, Link, LinkError, pair};
use crate::executor::{Executor, TaskId};
use crate::sys;
use crate::sys::unread;
use crate::testing::task;

/// A link in an executor whose turns are given by hand, and the peer's socket.
struct Loopback {
    executor: Executor<'static, ()>,
    tasks: [TaskId; 2],
    link: Link,
    /// With it the link gathers, and sends contents from there.
    file: Option<File>,
    /// How the link has ended the connection, if it did so at once.
    end: Option<Step<ExaminerError, io::Error>>,
    /// The peer has ended its direction, and has seen the end of the other.
    has_ended: bool,
    has_seen_end: bool,
    /// Absent once it has reset the connection.
    peer: Option<StdStream>,
}

impl Loopback {
    fn new(file: Option<File>) -> Self {
        let (ours, peer) = pair();
        peer.set_nonblocking(true).unwrap();
        // As a listener does: a last word is not to wait for an acknowledgement.
        setsockopt(&ours, TcpNoDelay, &true).unwrap();
        let mut executor = Executor::simulated();
        let tasks = [(); 2].map(|()| executor.spawn(task(|(), _| Poll::Pending)));
        Self {
            executor,
            tasks,
            link: Link::new(ours),
            file,
            end: None,
            has_ended: false,
            has_seen_end: false,
            peer: Some(peer),
        }
    }

    /// Waits until what the peer did has come to the link's socket.
    fn settle(&self, awaited: EpollFlags) {
        let Some(stream) = self.link.stream() else { return };
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC).unwrap();
        epoll.add(stream, EpollEvent::new(awaited, 0)).unwrap();
        epoll.wait(&mut [EpollEvent::empty()], 1_000_u16).unwrap();
    }
}

impl Peer for Loopback {
    fn deliver(&mut self, bytes: &[u8]) {
        let before = self.link.stream().map(|stream| unread(stream).unwrap());
        // To who has closed the connection already it cannot be said.
        let _ = self.peer.as_ref().unwrap().write_all(bytes);
        while let (Some(before), Some(stream)) = (before, self.link.stream()) {
            if unread(stream).unwrap() >= before + bytes.len() as u64 {
                break;
            }
            std::thread::yield_now();
        }
    }

    fn end(&mut self) {
        self.has_ended = true;
        let _ = self.peer.as_ref().unwrap().shutdown(Shutdown::Write);
        self.settle(EpollFlags::EPOLLRDHUP);
    }

    fn reset(&mut self) {
        sys::reset_on_close(self.peer.take().unwrap()).unwrap();
        self.settle(EpollFlags::EPOLLERR);
    }

    fn set_contents(&mut self, contents: &[u8]) -> bool {
        self.file.as_mut().is_some_and(|file| file.write_all(contents).is_ok())
    }

    fn can_reset(&mut self) -> bool {
        !(self.has_ended && self.has_seen_end)
    }

    fn look(&mut self, seen: &mut Seen) {
        // An error is told once, and behind it comes an end.
        let Some(peer) = self.peer.as_mut().filter(|_| !seen.reset) else { return };
        let mut buffer = [0; 1024];
        loop {
            match peer.read(&mut buffer) {
                Ok(0) => {
                    (seen.ended, self.has_seen_end) = (true, true);
                    return;
                }
                Ok(count) => seen.received.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    seen.reset = true;
                    return;
                }
            }
        }
    }

    fn wait(&mut self) -> bool {
        let Some(peer) = &self.peer else { return false };
        poll(&mut [PollFd::new(peer.as_fd(), PollFlags::POLLIN)], 1_u8).unwrap();
        true
    }
}

impl Adapter for Loopback {
    type Error = io::Error;
    type Peer = Self;

    fn peer(&mut self) -> &mut Self {
        self
    }

    fn turn(
        &mut self,
        now: Instant,
        examiner: &mut Examiner,
        on_event: &mut dyn FnMut(ExaminerEvent<'_>) -> ControlFlow<()>,
    ) -> Step<ExaminerError, io::Error> {
        if let Some(end) = self.end.take() {
            return end;
        }
        let Self { executor, tasks, link, file, .. } = self;
        if link.stream().is_none() {
            executor.turns_at(now, *tasks, |_| {});
            // Another task lingers.
            return if executor.tasks() > 2 {
                Step::Wait(executor.next_deadline())
            } else {
                Step::Close
            };
        }
        let driven = executor.turns_at(now, *tasks, |cx| {
            examiner.begin_turn();
            let mut on_event = |event: ExaminerEvent<'_>| {
                let _ = on_event(event);
            };
            let Some(file) = file else { return link.drive(cx, examiner, on_event) };
            match link.advance(cx, examiner, Some(&mut Contents::new(file)), &mut on_event) {
                Err(nb::Error::WouldBlock) => link.flush(cx, examiner),
                over => over,
            }
        });
        match driven {
            Err(nb::Error::WouldBlock) => Step::Wait(executor.next_deadline()),
            over => {
                if executor.tasks() == 2 {
                    let is_closed = link.driven.driver.has_shut_down();
                    self.end = Some(if is_closed { Step::Close } else { Step::Reset });
                }
                Step::Over(match over {
                    Err(nb::Error::Other(error)) => Err(drive_error(error)),
                    _ => Ok(()),
                })
            }
        }
    }

    /// A link's owner gives it up by a method.
    fn can_give_up(&self) -> bool {
        false
    }

    fn start(&self) -> Instant {
        Instant::ZERO
    }
}

/// What the driver has made of it.
fn drive_error(error: LinkError<ExaminerError>) -> DriveError<ExaminerError, io::Error> {
    match error {
        LinkError::Session(error) => DriveError::Session(error),
        LinkError::Connection(error) => DriveError::Connection(error),
        LinkError::Contents => DriveError::Contents,
        LinkError::Stalled => DriveError::Stalled,
        LinkError::Channel(error) => panic!("without a channel: {error}"),
    }
}

#[test]
fn a_link_follows_the_rule() {
    check(|_| Loopback::new(None)).unwrap_or_else(|violation| panic!("{violation}"));
}

#[test]
fn a_link_that_gathers_follows_the_rule() {
    let file = || Some(tempfile::tempfile().unwrap());
    check(|_| Loopback::new(file())).unwrap_or_else(|violation| panic!("{violation}"));
}
