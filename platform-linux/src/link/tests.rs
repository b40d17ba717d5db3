use core::task::Poll;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream as StdStream};
use std::sync::mpsc;
use std::thread;

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::{Duration, Instant};

use super::{Connector, Fault, Link};
use crate::executor::{Context, Executor, SCRATCH};
use crate::stream::TcpStream;
use crate::testing::{Random, task};

/// Says back what it hears, through a ring of 16 bytes: what does not fit is left to the driver.
/// `#` at the front of the ring is beyond it, and so is its deadline.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one conversation")]
#[derive(Default)]
struct Echo {
    ring: [u8; 16],
    start: usize,
    filled: usize,
    ended: bool,
    shut: bool,
    failed: bool,
    deadline: Option<Instant>,
    /// Whatever is heard takes the deadline away.
    waits_for_any: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Unspeakable;

impl core::fmt::Display for Unspeakable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("unspeakable")
    }
}

impl core::error::Error for Unspeakable {}

#[derive(Debug, PartialEq, Eq)]
enum Heard<'e> {
    Bytes(&'e [u8]),
    End,
}

impl<'s> Events<'s> for Echo {
    type Event = Heard<'s>;
}

impl Session for Echo {
    type Error = Unspeakable;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Heard<'s>, Unspeakable> {
        assert!(!self.ended && !self.failed);
        if input.starts_with(b"#") {
            (self.start, self.filled) = (0, 5);
            self.ring[..5].copy_from_slice(b"sorry");
            self.failed = true;
            return Err(nb::Error::Other(Unspeakable));
        }
        let (taken, rest) = input.split_at(input.len().min(self.ring.len() - self.filled));
        *input = rest;
        for byte in taken {
            self.ring[(self.start + self.filled) % self.ring.len()] = *byte;
            self.filled += 1;
        }
        if self.waits_for_any {
            self.deadline = None;
        }
        if taken.is_empty() { Err(nb::Error::WouldBlock) } else { Ok(Heard::Bytes(taken)) }
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<Heard<'_>, Unspeakable> {
        if core::mem::replace(&mut self.ended, true) {
            return Err(nb::Error::WouldBlock);
        }
        Ok(Heard::End)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Heard<'_>, Unspeakable> {
        match self.deadline {
            Some(at) if at <= now => Err(nb::Error::Other(Unspeakable)),
            _ => Err(nb::Error::WouldBlock),
        }
    }

    fn poll_transmit(&self) -> Output<'_> {
        let (wrapped, front) = self.ring.split_at(self.start);
        let head = &front[..self.filled.min(front.len())];
        let tail = &wrapped[..self.filled - head.len()];
        match (head.is_empty(), self.ended || self.failed, self.shut) {
            (false, ..) => Output::Bytes { head, tail, more: false },
            (true, false, _) => Output::Nothing,
            (true, true, false) => Output::Shut,
            (true, true, true) => Output::Close,
        }
    }

    fn transmitted(&mut self, _: Instant, count: usize) {
        self.shut = (self.ended || self.failed) && self.filled == 0;
        let count = count.min(self.filled);
        self.start = (self.start + count) % self.ring.len();
        self.filled -= count;
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// What became of a conversation: the bytes heard, the number of turns, and the end.
#[derive(Debug, Default)]
struct World {
    heard: Vec<u8>,
    turns: usize,
    result: Option<Result<(), Fault<Unspeakable>>>,
}

fn pair() -> (TcpStream, StdStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    (ours.try_into().unwrap(), peer)
}

/// Drives `session` over `stream` to its end.
fn converse(executor: Executor<'_, World>, stream: TcpStream, session: Echo) -> World {
    converse_watched(executor, stream, session, |_| {})
}

/// Drives `session` over `stream` to its end, and shows the link after each turn.
fn converse_watched(
    mut executor: Executor<'_, World>,
    stream: TcpStream,
    mut session: Echo,
    mut watch: impl FnMut(&Link) + 'static,
) -> World {
    let mut link = Link::new(stream);
    executor.spawn(task(move |world: &mut World, cx: &mut Context<'_, World>| {
        world.turns += 1;
        let heard = &mut world.heard;
        let over = link.drive(cx, &mut session, |event| {
            if let Heard::Bytes(bytes) = event {
                heard.extend_from_slice(bytes);
            }
        });
        watch(&link);
        world.result = Some(match over {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(fault)) => Err(fault),
            Ok(()) => Ok(()),
        });
        assert!(link.stream().is_none(), "the connection is closed");
        assert!(link.drive(cx, &mut session, |_| unreachable!()).is_ok(), "and stays so");
        Poll::Ready(())
    }));
    let mut world = World::default();
    executor.run(&mut world).unwrap();
    world
}

#[test]
fn nothing_is_lost_under_back_pressure_and_the_half_close_is_answered() {
    let mut random = Random::seeded();
    let sent: Vec<u8> = (0..300_000).map(|_| b"abcdefghij"[random.below(10) as usize]).collect();
    let (stream, mut peer) = pair();
    let reader = {
        let mut peer = peer.try_clone().unwrap();
        thread::spawn(move || {
            let mut received = Vec::new();
            peer.read_to_end(&mut received).map(|_| received)
        })
    };
    let writer = {
        let sent = sent.clone();
        thread::spawn(move || {
            peer.write_all(&sent).unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
        })
    };
    let world = converse(Executor::new().unwrap(), stream, Echo::default());
    writer.join().unwrap();
    let received = reader.join().unwrap().unwrap();
    assert!(matches!(world.result, Some(Ok(()))), "{:?}", world.result);
    assert!(world.heard == sent, "the session heard all");
    assert!(received == sent, "and so did the peer");
}

#[test]
fn a_turn_is_bounded() {
    let (stream, mut peer) = pair();
    // Each 16 bytes of these take one write.
    peer.write_all(&[b'x'; 4096]).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let world = converse(Executor::new().unwrap(), stream, Echo::default());
    assert!(matches!(world.result, Some(Ok(()))));
    assert!(world.turns >= 4096 / 16 / super::WRITES, "{} turns", world.turns);
}

#[test]
fn a_full_send_buffer_is_waited_for() {
    let (stream, mut peer) = pair();
    stream.set_send_buffer(4096);
    let sent = vec![b'y'; 1_000_000];
    let (full, is_full) = mpsc::channel();
    let writer = {
        let (mut peer, sent) = (peer.try_clone().unwrap(), sent.clone());
        thread::spawn(move || {
            peer.write_all(&sent).unwrap();
            peer.shutdown(Shutdown::Write).unwrap();
        })
    };
    let reader = thread::spawn(move || {
        is_full.recv().unwrap();
        let mut received = Vec::new();
        peer.read_to_end(&mut received).map(|_| received)
    });
    let world = converse_watched(Executor::new().unwrap(), stream, Echo::default(), move |link| {
        if link.full {
            // Later ones find nobody who listens.
            let _ = full.send(());
        }
    });
    writer.join().unwrap();
    assert!(matches!(world.result, Some(Ok(()))));
    assert!(reader.join().unwrap().unwrap() == sent);
}

#[test]
fn a_reset_is_never_an_orderly_end() {
    let (stream, mut peer) = pair();
    peer.write_all(b"some").unwrap();
    TcpStream::try_from(peer).unwrap().abort();
    let world = converse(Executor::new().unwrap(), stream, Echo::default());
    let Some(Err(Fault::Connection(error))) = world.result else { panic!("{:?}", world.result) };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
}

#[test]
fn a_failed_session_has_a_last_word_that_unread_bytes_do_not_destroy() {
    let (stream, mut peer) = pair();
    let mut sent = vec![b'#'];
    sent.resize(SCRATCH + 1000, b'z');
    peer.write_all(&sent).unwrap();
    let world = converse(Executor::new().unwrap(), stream, Echo::default());
    assert!(matches!(world.result, Some(Err(Fault::Session(Unspeakable)))));
    let mut last = String::new();
    peer.read_to_string(&mut last).unwrap();
    assert_eq!(last, "sorry");
}

#[test]
fn the_deadline_of_the_session_is_kept() {
    let (stream, _peer) = pair();
    let deadline = Some(Instant::from_millis(10_000));
    let echo = Echo { deadline, ..Echo::default() };
    let world = converse(Executor::simulated(), stream, echo);
    assert!(matches!(world.result, Some(Err(Fault::Session(Unspeakable)))));
}

#[test]
fn what_came_in_time_is_heard_before_the_deadline() {
    let (stream, mut peer) = pair();
    peer.write_all(b"in time").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let echo = Echo { deadline: Some(Instant::ZERO), waits_for_any: true, ..Echo::default() };
    let world = converse(Executor::new().unwrap(), stream, echo);
    assert!(matches!(world.result, Some(Ok(()))), "{:?}", world.result);
    assert_eq!(world.heard, b"in time");
}

#[test]
fn a_peer_that_never_stops_does_not_outrun_the_deadline() {
    // Each 16 bytes of these take one write, and all together more than a turn has.
    let (stream, mut peer) = pair();
    peer.write_all(&[b'x'; 4096]).unwrap();
    let echo = Echo { deadline: Some(Instant::ZERO), ..Echo::default() };
    let world = converse(Executor::new().unwrap(), stream, echo);
    assert!(matches!(world.result, Some(Err(Fault::Session(Unspeakable)))));
    assert_eq!((world.turns, world.heard.len()), (1, 16 * super::WRITES));
}

#[test]
fn a_read_goes_on_behind_an_urgent_mark() {
    use nix::sys::socket::{MsgFlags, send};
    use std::os::fd::AsRawFd;

    let (stream, mut peer) = pair();
    peer.write_all(b"abc").unwrap();
    send(peer.as_raw_fd(), b"!", MsgFlags::MSG_OOB).unwrap();
    peer.write_all(b"def").unwrap();
    let reader = thread::spawn(move || {
        // Only a failure waits for so long.
        peer.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
        let mut received = [0; 6];
        peer.read_exact(&mut received).map(|()| received)
    });
    let world = converse(Executor::new().unwrap(), stream, Echo::default());
    assert_eq!(&reader.join().unwrap().unwrap(), b"abcdef");
    assert_eq!(world.heard, b"abcdef");
}

#[test]
fn a_close_after_a_reset_is_not_orderly() {
    let (stream, peer) = pair();
    let (mut link, mut session, mut peer) = (Link::new(stream), Echo::default(), Some(peer));
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |result: &mut Option<_>, cx| {
        if peer.is_none() {
            // The owner has said all, and wants no answer.
            (session.ended, session.shut) = (true, true);
        }
        match link.drive(cx, &mut session, |_| unreachable!()) {
            Err(nb::Error::WouldBlock) => {
                TcpStream::try_from(peer.take().unwrap()).unwrap().abort();
                return Poll::Pending;
            }
            Err(nb::Error::Other(Fault::Connection(error))) => *result = Some(error.kind()),
            _ => {}
        }
        Poll::Ready(())
    }));
    let mut result = None;
    executor.run(&mut result).unwrap();
    assert_eq!(result, Some(ErrorKind::ConnectionReset));
}

#[test]
fn an_abandoned_link_is_reset() {
    let (stream, mut peer) = pair();
    Link::new(stream).abort();
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn who_is_cut_off_in_the_middle_sees_a_reset() {
    // By a failure of the session, before it has ended its direction.
    let (stream, mut peer) = pair();
    let echo = Echo { deadline: Some(Instant::ZERO), ..Echo::default() };
    let world = converse(Executor::new().unwrap(), stream, echo);
    assert!(matches!(world.result, Some(Err(Fault::Session(Unspeakable)))));
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);

    // By the end of the task.
    let (stream, mut peer) = pair();
    drop(Link::new(stream));
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_session_may_be_a_view_of_the_turn() {
    /// A session that its owner lends.
    struct View<'o>(&'o mut Echo);

    impl<'s> Events<'s> for View<'_> {
        type Event = Heard<'s>;
    }

    impl Session for View<'_> {
        type Error = Unspeakable;

        fn handle_input<'s, 'i: 's>(
            &'s mut self,
            now: Instant,
            input: &mut &'i [u8],
        ) -> nb::Result<Heard<'s>, Unspeakable> {
            self.0.handle_input(now, input)
        }

        fn handle_end(&mut self, now: Instant) -> nb::Result<Heard<'_>, Unspeakable> {
            self.0.handle_end(now)
        }

        fn handle_timeout(&mut self, now: Instant) -> nb::Result<Heard<'_>, Unspeakable> {
            self.0.handle_timeout(now)
        }

        fn poll_transmit(&self) -> Output<'_> {
            self.0.poll_transmit()
        }

        fn transmitted(&mut self, now: Instant, count: usize) {
            self.0.transmitted(now, count);
        }

        fn poll_deadline(&self) -> Option<Instant> {
            self.0.poll_deadline()
        }
    }

    let (stream, mut peer) = pair();
    peer.write_all(b"seen").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut link = Link::new(stream);
    let mut executor = Executor::new().unwrap();
    // The session is the world's; each turn has its own view of it.
    executor.spawn(task(move |(echo, ends): &mut (Echo, usize), cx| {
        let on_event = |event: Heard<'_>| *ends += usize::from(event == Heard::End);
        match link.drive(cx, &mut View(echo), on_event) {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            over => {
                over.unwrap();
                Poll::Ready(())
            }
        }
    }));
    let mut world = (Echo::default(), 0);
    executor.run(&mut world).unwrap();
    let mut received = String::new();
    peer.read_to_string(&mut received).unwrap();
    assert_eq!((received.as_str(), world.1), ("seen", 1));
}

#[test]
fn a_connector_tries_one_address_after_another() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let answering = listener.local_addr().unwrap();
    let connect = |addresses| {
        let mut connector = Connector::new(addresses, Duration::from_secs(10));
        let mut executor = Executor::new().unwrap();
        executor.spawn(task(move |result: &mut Option<_>, cx| match connector.poll(cx) {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            Err(nb::Error::Other(error)) => {
                *result = Some(Err(error.kind()));
                Poll::Ready(())
            }
            Ok((link, peer)) => {
                assert_eq!(link.stream().unwrap().peer_addr().unwrap(), peer);
                *result = Some(Ok(peer));
                Poll::Ready(())
            }
        }));
        let mut result = None;
        executor.run(&mut result).unwrap();
        result.unwrap()
    };
    assert_eq!(connect(vec![refusing, answering]), Ok(answering));
    assert_eq!(connect(vec![refusing]), Err(ErrorKind::ConnectionRefused));
    assert_eq!(connect(vec![]), Err(ErrorKind::InvalidInput));
}

/// An address that does not answer: the backlog is full, and the kernel drops what would be the next
/// connection's first segment. It does so as long as the two sockets are there.
fn silent() -> (SocketAddr, (TcpListener, StdStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = StdStream::connect(address).unwrap();
    (address, (listener, waiting))
}

/// What connecting to `addresses` gives within ten seconds of a simulated clock, and when.
fn connect_simulated(addresses: Vec<SocketAddr>) -> (Result<SocketAddr, ErrorKind>, Instant) {
    let mut connector = Connector::new(addresses, Duration::from_secs(10));
    let mut executor = Executor::simulated();
    executor.spawn(task(move |result: &mut Option<_>, cx| {
        let over = match connector.poll(cx) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(error)) => Err(error.kind()),
            Ok((_, peer)) => Ok(peer),
        };
        *result = Some((over, cx.now()));
        Poll::Ready(())
    }));
    let mut result = None;
    executor.run(&mut result).unwrap();
    result.unwrap()
}

#[test]
fn a_connector_gives_up_at_its_limit() {
    let (address, _sockets) = silent();
    for addresses in [vec![address], vec![address; 3]] {
        let limit = Instant::from_millis(10_000);
        assert_eq!(connect_simulated(addresses), (Err(ErrorKind::TimedOut), limit));
    }
}

#[test]
fn an_address_that_does_not_answer_leaves_time_for_the_others() {
    let (address, _sockets) = silent();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let answering = listener.local_addr().unwrap();
    let half = Instant::from_millis(5_000);
    assert_eq!(connect_simulated(vec![address, answering]), (Ok(answering), half));
}
