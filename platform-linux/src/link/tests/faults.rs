//! Contents that cannot be sent, or not to the end.

use core::convert::Infallible;
use core::ops::Range;
use core::task::Poll;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;

use barewire_core::time::Instant;

use super::echo::Echo;
use super::sender::{Phase, Sender, TestFiles, ask, calls_and_gathered, file, serve, serve_all};
use super::{Contents, Link, LinkError, converse, pair};
use crate::executor::Executor;
use crate::stream::StreamSocket;
use crate::testing::task;

#[test]
fn contents_that_end_early_end_in_a_reset() {
    for (size, rest) in [(1000, 0), (1000, 500), (8 << 20, 0), (8 << 20, 1 << 20)] {
        let files = TestFiles::of_sizes([size]);
        files.get(b'a').0.set_len(rest).unwrap();
        let (stream, peer) = pair();
        let peer = ask(peer, b"a");
        let over = serve_all(stream, &files, |_, _| {});
        assert!(matches!(over, Err(LinkError::Contents)), "{over:?}");
        let received = peer.join().unwrap();
        assert_eq!(received.unwrap_err().kind(), ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_reset_in_the_middle_of_contents_is_a_fault() {
    let files = TestFiles::of_sizes([8 << 20]);
    let (stream, mut peer) = pair();
    let reader = thread::spawn(move || {
        peer.write_all(b"a").unwrap();
        peer.read_exact(&mut [0; 10_000]).unwrap();
        StreamSocket::try_from(peer).unwrap().abort();
    });
    let over = serve_all(stream, &files, |_, _| {});
    reader.join().unwrap();
    let Err(LinkError::Connection(error)) = over else { panic!("{over:?}") };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
}

/// How the conversation ends if the one answer is `range` of `contents`.
fn offer_range(contents: Option<OwnedFd>, range: Range<u64>) -> LinkError<Infallible> {
    let (stream, mut peer) = pair();
    peer.write_all(b"a").unwrap();
    let (mut link, mut sender) = (Link::new(stream), Sender::default());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |fault: &mut Option<_>, cx| {
        loop {
            let mut contents = contents.as_ref().map(Contents::new);
            match link.advance(cx, &mut sender, contents.as_mut(), |()| {}) {
                Err(nb::Error::WouldBlock) => {}
                Err(nb::Error::Other(found)) => {
                    *fault = Some(found);
                    return Poll::Ready(());
                }
                Ok(()) => panic!("over in order"),
            }
            if sender.demand().is_none() {
                assert!(matches!(link.flush(cx, &mut sender), Err(nb::Error::WouldBlock)));
                return Poll::Pending;
            }
            sender.offer(range.clone());
        }
    }));
    let mut fault = None;
    executor.run(&mut fault).unwrap();
    assert_eq!(peer.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::ConnectionReset);
    fault.unwrap()
}

#[test]
fn what_is_no_contents_is_a_fault() {
    const LARGE: u64 = 1 << 20;

    assert!(matches!(offer_range(None, 0..10), LinkError::Contents));
    for length in [10, LARGE] {
        for start in [11, i64::MAX as u64 - LARGE, i64::MAX as u64, u64::MAX - LARGE] {
            let fault = offer_range(Some(file(b"some bytes").into()), start..start + length);
            assert!(matches!(fault, LinkError::Contents), "{start} {length}: {fault:?}");
        }
        let (pipe, _writer) = std::io::pipe().unwrap();
        let folder = OwnedFd::from(File::open("/").unwrap());
        for (name, file) in [("folder", folder), ("pipe", pipe.into())] {
            match offer_range(Some(file), 0..length) {
                LinkError::Connection(error) => {
                    let words = error.to_string();
                    assert!(words.starts_with("the contents cannot be read: "), "{name}: {words}");
                }
                fault => panic!("{name}: {fault:?}"),
            }
        }
    }
}

#[test]
fn who_is_given_up_with_output_left_over_sees_a_reset() {
    let files = TestFiles::of_sizes([10_000]);
    let (stream, mut peer) = pair();
    stream.set_send_buffer(2048).unwrap();
    let requests = vec![b'a'; 1000];
    peer.write_all(&requests).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let mut executor = Executor::simulated();
    let end = Instant::from_millis(10_000);
    let (mut link, mut sender) =
        (Link::new(stream), Sender { deadline: Some(end), ..Sender::default() });
    executor.spawn(task(move |has_leftover: &mut bool, cx| {
        let over = serve(cx, &mut link, &mut sender, &files, |_, _| {});
        assert!(matches!(over, Err(nb::Error::WouldBlock)), "{over:?}");
        if cx.now() < end {
            return Poll::Pending;
        }
        // As if it had said all it had to say, and only what is left over were to go out.
        (sender.phase, sender.ended) = (Phase::Listening, true);
        let over = serve(cx, &mut link, &mut sender, &files, |_, _| {});
        assert!(matches!(over, Err(nb::Error::WouldBlock)), "no end before that: {over:?}");
        *has_leftover = calls_and_gathered(&link).1 > 0;
        link.give_up(cx);
        Poll::Ready(())
    }));
    let mut has_leftover = false;
    executor.run(&mut has_leftover).unwrap();
    assert!(has_leftover);
    let error = peer.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_connection_that_breaks_before_what_is_gathered_went_out_is_a_fault() {
    let files = TestFiles::of_sizes([1000]);
    let (stream, mut peer) = pair();
    peer.write_all(b"a").unwrap();
    let mut peer = Some(peer);
    let (mut link, mut sender) = (Link::new(stream), Sender::default());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(), cx| {
        let mut contents = Contents::new(&files.get(b'a').0);
        let going_on = link.advance(cx, &mut sender, Some(&mut contents), |()| {});
        assert!(matches!(going_on, Err(nb::Error::WouldBlock)), "{going_on:?}");
        if sender.demand().is_none() {
            assert!(matches!(link.flush(cx, &mut sender), Err(nb::Error::WouldBlock)));
            return Poll::Pending;
        }
        sender.offer(0..1000);
        let going_on = link.advance(cx, &mut sender, Some(&mut contents), |()| {});
        assert!(matches!(going_on, Err(nb::Error::WouldBlock)), "{going_on:?}");
        assert!(calls_and_gathered(&link).1 > 0, "nothing went out");
        StreamSocket::try_from(peer.take().unwrap()).unwrap().abort();
        let over = link.flush(cx, &mut sender);
        let Err(nb::Error::Other(LinkError::Connection(error))) = over else { panic!("{over:?}") };
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(link.flush(cx, &mut sender).is_ok(), "there is nothing left to go out");
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

/// A Unix socket knows no reset, and who is turned away without a word is not to take that for an answer.
#[test]
fn a_close_before_a_byte_has_gone_either_way_is_a_reset_for_who_had_something_to_say() {
    for (words, expected) in
        [(&b""[..], ErrorKind::ConnectionReset), (b"go away", ErrorKind::BrokenPipe)]
    {
        let (stream, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(words).unwrap();
        drop(peer);
        let mut echo = Echo { filled: 5, ..Echo::default() };
        echo.ring[..5].copy_from_slice(b"hello");
        let outcome = converse(Executor::new().unwrap(), stream.try_into().unwrap(), echo);
        assert_eq!(outcome.heard, words);
        let Some(Err(LinkError::Connection(error))) = outcome.result else { panic!("no fault") };
        assert_eq!(error.kind(), expected);
    }
}
