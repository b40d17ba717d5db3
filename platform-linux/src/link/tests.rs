mod conformance;
mod echo;
mod faults;
mod keyed;
mod lingering;
mod sender;
mod sending;
mod unwinding;

use core::task::Poll;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream as StdStream};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use barewire_core::session::{Events, Output, Session};
use barewire_core::time::Instant;

use super::{Contents, Link, LinkError, connection};
use crate::executor::{Context, Executor, MAX_EVENT_SOURCES, SCRATCH};
use crate::stream::StreamSocket;
use crate::testing::{Random, task};
use echo::{Echo, Heard, Unspeakable};

const WRITES: usize = connection::WRITES as usize;

/// What became of a conversation: the bytes heard, the number of turns, and the end.
#[derive(Debug, Default)]
struct Outcome {
    heard: Vec<u8>,
    turns: usize,
    result: Option<Result<(), LinkError<Unspeakable>>>,
}

fn pair() -> (StreamSocket, StdStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let peer = StdStream::connect(listener.local_addr().unwrap()).unwrap();
    let (ours, _) = listener.accept().unwrap();
    (ours.try_into().unwrap(), peer)
}

/// Has a peer say all of `sent` and end its direction, and hear all that comes meanwhile: one thread for each.
fn say_and_hear(
    mut peer: StdStream,
    sent: Vec<u8>,
) -> (JoinHandle<()>, JoinHandle<io::Result<Vec<u8>>>) {
    let mut hearing = peer.try_clone().unwrap();
    let reader = thread::spawn(move || {
        let mut received = Vec::new();
        hearing.read_to_end(&mut received).map(|_| received)
    });
    let writer = thread::spawn(move || {
        peer.write_all(&sent).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
    });
    (writer, reader)
}

/// Drives `session` over `stream` to its end.
fn converse(executor: Executor<'_, Outcome>, stream: StreamSocket, session: Echo) -> Outcome {
    converse_watched(executor, stream, session, |_| {})
}

/// Drives `session` over `stream` to its end, and shows the link after each turn.
fn converse_watched(
    mut executor: Executor<'_, Outcome>,
    stream: StreamSocket,
    mut session: Echo,
    mut watch: impl FnMut(&Link) + 'static,
) -> Outcome {
    let mut link = Link::new(stream);
    executor.spawn(task(move |outcome: &mut Outcome, cx: &mut Context<'_, Outcome>| {
        outcome.turns += 1;
        let heard = &mut outcome.heard;
        let over = link.drive(cx, &mut session, |event| {
            if let Heard::Bytes(bytes) = event {
                heard.extend_from_slice(bytes);
            }
        });
        watch(&link);
        outcome.result = Some(match over {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(fault)) => Err(fault),
            Ok(()) => Ok(()),
        });
        assert!(link.stream().is_none(), "the connection is closed");
        assert!(link.drive(cx, &mut session, |_| unreachable!()).is_ok(), "and stays so");
        Poll::Ready(())
    }));
    let mut outcome = Outcome::default();
    executor.run(&mut outcome).unwrap();
    outcome
}

#[test]
fn nothing_is_lost_under_back_pressure_and_the_half_close_is_answered() {
    let mut random = Random::seeded();
    let sent: Vec<u8> = (0..300_000).map(|_| b"abcdefghij"[random.below(10) as usize]).collect();
    let (stream, peer) = pair();
    let (writer, reader) = say_and_hear(peer, sent.clone());
    let outcome = converse(Executor::new().unwrap(), stream, Echo::default());
    writer.join().unwrap();
    let received = reader.join().unwrap().unwrap();
    assert!(matches!(outcome.result, Some(Ok(()))), "{:?}", outcome.result);
    assert!(outcome.heard == sent, "the session heard all");
    assert!(received == sent, "and so did the peer");
}

#[test]
fn a_turn_is_bounded() {
    let (stream, mut peer) = pair();
    // Each 16 bytes of these take one write.
    peer.write_all(&[b'x'; 4096]).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let outcome = converse(Executor::new().unwrap(), stream, Echo::default());
    assert!(matches!(outcome.result, Some(Ok(()))));
    assert!(outcome.turns >= 4096 / 16 / WRITES, "{} turns", outcome.turns);
}

#[test]
fn a_full_send_buffer_is_waited_for() {
    let (stream, mut peer) = pair();
    stream.set_send_buffer(4096).unwrap();
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
    let outcome =
        converse_watched(Executor::new().unwrap(), stream, Echo::default(), move |link| {
            if link.driven.connection.as_ref().is_some_and(|connection| connection.full) {
                // Later ones find nobody who listens.
                let _ = full.send(());
            }
        });
    writer.join().unwrap();
    assert!(matches!(outcome.result, Some(Ok(()))));
    assert!(reader.join().unwrap().unwrap() == sent);
}

#[test]
fn a_reset_is_never_an_orderly_end() {
    let (stream, mut peer) = pair();
    peer.write_all(b"some").unwrap();
    StreamSocket::try_from(peer).unwrap().abort();
    let outcome = converse(Executor::new().unwrap(), stream, Echo::default());
    let Some(Err(LinkError::Connection(error))) = outcome.result else {
        panic!("{:?}", outcome.result)
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
}

#[test]
fn a_failed_session_has_a_last_word_that_unread_bytes_do_not_destroy() {
    let (stream, mut peer) = pair();
    let mut sent = vec![b'#'];
    sent.resize(SCRATCH + 1000, b'z');
    peer.write_all(&sent).unwrap();
    let outcome = converse(Executor::new().unwrap(), stream, Echo::default());
    assert!(matches!(outcome.result, Some(Err(LinkError::Session(Unspeakable)))));
    let mut last = String::new();
    peer.read_to_string(&mut last).unwrap();
    assert_eq!(last, "sorry");
}

#[test]
fn the_deadline_of_the_session_is_kept() {
    let (stream, _peer) = pair();
    let deadline = Some(Instant::from_millis(10_000));
    let echo = Echo { deadline, ..Echo::default() };
    let outcome = converse(Executor::simulated(), stream, echo);
    assert!(matches!(outcome.result, Some(Err(LinkError::Session(Unspeakable)))));
}

#[test]
fn what_came_in_time_is_heard_before_the_deadline() {
    let (stream, mut peer) = pair();
    peer.write_all(b"in time").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let echo = Echo { deadline: Some(Instant::ZERO), waits_for_any: true, ..Echo::default() };
    let outcome = converse(Executor::new().unwrap(), stream, echo);
    assert!(matches!(outcome.result, Some(Ok(()))), "{:?}", outcome.result);
    assert_eq!(outcome.heard, b"in time");
}

#[test]
fn a_peer_that_never_stops_does_not_outrun_the_deadline() {
    // Each 16 bytes of these take one write, and all together more than a turn has.
    let (stream, mut peer) = pair();
    peer.write_all(&[b'x'; 4096]).unwrap();
    let echo = Echo { deadline: Some(Instant::ZERO), ..Echo::default() };
    let outcome = converse(Executor::new().unwrap(), stream, echo);
    assert!(matches!(outcome.result, Some(Err(LinkError::Session(Unspeakable)))));
    assert_eq!((outcome.turns, outcome.heard.len()), (1, 16 * WRITES));
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
    let outcome = converse(Executor::new().unwrap(), stream, Echo::default());
    assert_eq!(&reader.join().unwrap().unwrap(), b"abcdef");
    assert_eq!(outcome.heard, b"abcdef");
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
                StreamSocket::try_from(peer.take().unwrap()).unwrap().abort();
                return Poll::Pending;
            }
            Err(nb::Error::Other(LinkError::Connection(error))) => *result = Some(error.kind()),
            _ => {}
        }
        Poll::Ready(())
    }));
    let mut result = None;
    executor.run(&mut result).unwrap();
    assert_eq!(result, Some(ErrorKind::ConnectionReset));
}

#[test]
fn a_half_close_after_a_reset_tells_of_the_reset() {
    use barewire_core::file::{Receiver, TransferConfig};

    let (stream, peer) = pair();
    StreamSocket::try_from(peer).unwrap().abort();
    let mut receiver = Receiver::<64>::new(Instant::ZERO, TransferConfig::default());
    receiver.finish();
    let mut link = Link::new(stream);
    let mut executor = Executor::simulated();
    executor.spawn(task(move |kind: &mut Option<ErrorKind>, cx| {
        match link.drive(cx, &mut receiver, |event| panic!("{event:?}")) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(LinkError::Connection(error))) => *kind = Some(error.kind()),
            over => panic!("{over:?}"),
        }
        Poll::Ready(())
    }));
    let mut kind = None;
    executor.run(&mut kind).unwrap();
    assert_eq!(kind, Some(ErrorKind::ConnectionReset));
}

#[test]
fn an_abandoned_link_is_reset() {
    let (stream, mut peer) = pair();
    Link::new(stream).abort();
    assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_link_that_is_given_up_leaves_its_place_to_others() {
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(|count: &mut usize, cx| {
        for _ in 0..3 * MAX_EVENT_SOURCES {
            let (stream, mut peer) = pair();
            let mut link = Link::new(stream);
            let over = link.drive(cx, &mut Echo::default(), |_| {});
            assert!(matches!(over, Err(nb::Error::WouldBlock)), "{over:?}");
            link.give_up(cx);
            assert!(link.stream().is_none());
            assert_eq!(peer.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);
            *count += 1;
        }
        Poll::Ready(())
    }));
    let mut count = 0;
    executor.run(&mut count).unwrap();
    assert_eq!(count, 3 * MAX_EVENT_SOURCES);
}

#[test]
fn who_is_cut_off_in_the_middle_sees_a_reset() {
    // By a failure of the session, before it has ended its direction.
    let (stream, mut peer) = pair();
    let echo = Echo { deadline: Some(Instant::ZERO), ..Echo::default() };
    let outcome = converse(Executor::new().unwrap(), stream, echo);
    assert!(matches!(outcome.result, Some(Err(LinkError::Session(Unspeakable)))));
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
    // The session is in the state; each turn has its own view of it.
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
    let mut state = (Echo::default(), 0);
    executor.run(&mut state).unwrap();
    let mut received = String::new();
    peer.read_to_string(&mut received).unwrap();
    assert_eq!((received.as_str(), state.1), ("seen", 1));
}
