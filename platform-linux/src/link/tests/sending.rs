//! Contents are sent, and small output is gathered.

use core::cell::Cell;
use core::task::Poll;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use barewire_core::chat::{RoomConfig, RoomStorage};
use barewire_core::session::InMemory;
use barewire_core::source::Source;
use barewire_core::time::Instant;

use super::sender::{Phase, Sender, TestFiles, ask, calls_and_gathered, serve, serve_all};
use super::{Echo, Link, Random, converse_watched, pair};
use crate::executor::Executor;
use crate::link::connection::{CONTENTS, CONTENTS_PIECE, GATHERED, PIECES, SMALL};
use crate::testing::task;

#[test]
fn contents_arrive_whole_and_in_order_through_a_small_send_buffer() {
    let mut random = Random::seeded();
    // Some are gathered and some are not; and one takes several calls.
    let files = TestFiles::of_sizes([0, 1, 1000, SMALL - 1, SMALL, SMALL + 1, 100_000, 3 << 20]);
    // On loopback, a send buffer below the size of a segment waits for the delayed acknowledgement
    // of each: few answers only.
    for (send_buffer, kinds, count) in [(Some(2048), 7, 4), (Some(40_000), 8, 50), (None, 8, 40)] {
        let requests: Vec<u8> =
            (0..count).map(|_| b"abcdefgh"[random.below(kinds) as usize]).collect();
        let (stream, peer) = pair();
        if let Some(bytes) = send_buffer {
            stream.set_send_buffer(bytes).unwrap();
        }
        let peer = ask(peer, &requests);
        serve_all(stream, &files, |_, _| {}).unwrap();
        assert!(peer.join().unwrap().unwrap() == files.answers(&requests), "{send_buffer:?}");
    }
}

#[test]
fn contents_in_memory_arrive_alike() {
    let files = TestFiles::of_sizes([1000, SMALL + 1, 1 << 20]);
    let requests = b"aaabacaabbccaa";
    let (stream, peer) = pair();
    let peer = ask(peer, requests);
    let (mut link, mut sender) = (Link::new(stream), Sender::default());
    let mut executor = Executor::new().unwrap();
    let lender = files.clone();
    executor.spawn(task(move |(): &mut (), cx| {
        loop {
            let contents = sender.in_hand().map_or(&[][..], |asked| &lender.get(asked).1);
            let mut lent = InMemory { session: &mut sender, contents };
            match link.advance(cx, &mut lent, None, |()| {}) {
                Err(nb::Error::WouldBlock) => {}
                over => {
                    over.unwrap();
                    return Poll::Ready(());
                }
            }
            let Some(asked) = sender.demand() else { break };
            sender.offer(0..lender.get(asked).1.len() as u64);
        }
        assert!(matches!(link.flush(cx, &mut sender), Err(nb::Error::WouldBlock)));
        Poll::Pending
    }));
    executor.run(&mut ()).unwrap();
    assert!(peer.join().unwrap().unwrap() == files.answers(requests));
}

#[test]
fn what_the_kernel_did_not_take_goes_out_first_when_it_can() {
    let files = TestFiles::of_sizes([1000, 1, 10_000]);
    let requests = b"abc".repeat(100);
    let (stream, mut peer) = pair();
    stream.set_send_buffer(40_000).unwrap();
    peer.write_all(&requests).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let (full, is_full) = mpsc::channel();
    let reader = thread::spawn(move || {
        is_full.recv().unwrap();
        let mut received = Vec::new();
        peer.read_to_end(&mut received).map(|_| received)
    });
    let (mut link, mut sender, answers) =
        (Link::new(stream), Sender::default(), files.answers(&requests));
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(): &mut (), cx| {
        match serve(cx, &mut link, &mut sender, &files, |_, _| {}) {
            Err(nb::Error::WouldBlock) => {}
            over => {
                over.unwrap();
                return Poll::Ready(());
            }
        }
        if calls_and_gathered(&link).1 > 0 {
            // Later ones find nobody who listens.
            let _ = full.send(());
        }
        Poll::Pending
    }));
    executor.run(&mut ()).unwrap();
    assert!(reader.join().unwrap().unwrap() == answers);
}

#[test]
fn a_close_waits_for_what_is_left_over() {
    let files = TestFiles::of_sizes([10_000]);
    let (stream, mut peer) = pair();
    stream.set_send_buffer(2048).unwrap();
    peer.write_all(&[b'a'; 1000]).unwrap();
    let (full, is_full) = mpsc::channel();
    let reader = thread::spawn(move || {
        is_full.recv().unwrap();
        peer.read_to_end(&mut Vec::new())
    });
    let (mut link, mut sender) = (Link::new(stream), Sender::default());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |sent: &mut u64, cx| {
        match serve(cx, &mut link, &mut sender, &files, |_, _| {}) {
            Err(nb::Error::WouldBlock) => {}
            over => {
                over.unwrap();
                return Poll::Ready(());
            }
        }
        if *sent == 0 && calls_and_gathered(&link).1 > 0 {
            // It has said enough, and wants the connection closed without more ado.
            *sent = sender.sent;
            (sender.phase, sender.ended, sender.shut) = (Phase::Listening, true, true);
            full.send(()).unwrap();
        }
        Poll::Pending
    }));
    let mut sent = 0;
    executor.run(&mut sent).unwrap();
    assert_eq!(reader.join().unwrap().unwrap() as u64, sent);
}

#[test]
fn small_answers_leave_together() {
    const COUNT: usize = 1000;

    let files = TestFiles::of_sizes([1000]);
    let (stream, peer) = pair();
    let requests = vec![b'a'; COUNT];
    let peer = ask(peer, &requests);
    let calls = Rc::new(Cell::new(0));
    let counter = Rc::clone(&calls);
    let mut before = 0;
    serve_all(stream, &files, move |link, sender| {
        let (calls, gathered) = calls_and_gathered(link);
        assert!(gathered <= GATHERED, "{gathered}");
        let answers = (sender.sent - before) / 1001;
        assert!(answers <= u64::from(PIECES) / 2, "{answers} answers in a turn");
        before = sender.sent;
        counter.set(counter.get() + calls + usize::from(gathered > 0));
    })
    .unwrap();
    assert!(peer.join().unwrap().unwrap() == files.answers(&requests));
    let calls = calls.get();
    assert!(calls < COUNT / 30, "{calls} calls");
}

#[test]
fn a_lone_answer_takes_one_call() {
    let files = TestFiles::of_sizes([1000]);
    let (stream, peer) = pair();
    let peer = ask(peer, b"a");
    let mut gathered_before = 0;
    serve_all(stream, &files, move |link, sender| {
        let (calls, gathered) = calls_and_gathered(link);
        if sender.sent > 0 && gathered_before == 0 {
            assert_eq!((calls, gathered), (0, 1001), "nothing has left before all is there");
        }
        gathered_before = gathered;
    })
    .unwrap();
    assert!(peer.join().unwrap().unwrap() == files.answers(b"a"));
}

#[test]
fn a_drive_does_not_gather() {
    let (stream, mut peer) = pair();
    peer.write_all(b"now").unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    let executor = Executor::new().unwrap();
    converse_watched(executor, stream, Echo::default(), |link| {
        assert_eq!(calls_and_gathered(link).1, 0);
    });
    let mut received = String::new();
    peer.read_to_string(&mut received).unwrap();
    assert_eq!(received, "now");
}

/// A welcome, of which a member sends one part after another.
#[test]
fn what_more_is_certain_to_follow_leaves_with_it() {
    const WELCOME: &str = "* welcome to barewire chat, you are guest1 (/help)\n";

    let (stream, mut peer) = pair();
    let storage = Box::leak(Box::new(RoomStorage::<2, 16, 16_384>::new()));
    let mut room = storage.room(RoomConfig::new()).unwrap();
    let id = room.join(Instant::ZERO, Source(1)).unwrap();
    let mut link = Link::new(stream);
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(): &mut (), cx| {
        let mut member = room.member(id).unwrap();
        assert!(link.run(cx, &mut member, None, false, |_| {}).is_err());
        assert_eq!(calls_and_gathered(&link), (0, WELCOME.len()));
        assert!(link.flush(cx, &mut member).is_err());
        let mut received = vec![0; WELCOME.len()];
        peer.read_exact(&mut received).unwrap();
        assert_eq!(received, WELCOME.as_bytes());
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

#[test]
fn who_asks_without_end_leaves_turns_to_others() {
    /// The sender of the one, and whether the other has had its say.
    type State = (Sender, bool);

    let (endless, mut greedy) = pair();
    let (modest, mut patient) = pair();
    greedy.write_all(b"a").unwrap();
    let greedy = thread::spawn(move || {
        let (mut buffer, mut count) = (vec![0; 1 << 20], 0);
        while let Ok(read @ 1..) = greedy.read(&mut buffer) {
            count += read as u64;
        }
        count
    });
    let patient = thread::spawn(move || {
        for _ in 0..100 {
            patient.write_all(b"ping").unwrap();
            patient.read_exact(&mut [0; 4]).unwrap();
        }
    });

    let mut executor = Executor::new().unwrap();
    let files = TestFiles::of_sizes([8 << 20]);
    let (mut link, mut before) = (Link::new(endless), 0);
    executor.spawn(task(move |(sender, others_done): &mut State, cx| {
        if sender.phase == Phase::Contents {
            // There is always more.
            sender.position = sender.position.min(1000);
        }
        let over = serve(cx, &mut link, sender, &files, |_, _| {});
        assert!(matches!(over, Err(nb::Error::WouldBlock)), "{over:?}");
        let in_this_turn = sender.sent - before;
        assert!(in_this_turn <= u64::from(CONTENTS + CONTENTS_PIECE), "{in_this_turn}");
        before = sender.sent;
        if *others_done {
            link.abort();
            return Poll::Ready(());
        }
        cx.yield_now();
        Poll::Pending
    }));
    let (mut link, mut echo) = (Link::new(modest), Echo::default());
    executor.spawn(task(move |(_, done): &mut State, cx| {
        *done = !matches!(link.drive(cx, &mut echo, |_| {}), Err(nb::Error::WouldBlock));
        if *done { Poll::Ready(()) } else { Poll::Pending }
    }));
    let mut state = (Sender::default(), false);
    executor.run(&mut state).unwrap();
    patient.join().unwrap();
    assert!(state.0.sent > 0);
    assert!(greedy.join().unwrap() > 0);
}
