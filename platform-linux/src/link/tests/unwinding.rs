//! A turn that a panic ends, which somebody catches who goes on.

use core::task::Poll;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::echo::{Echo, Heard};
use super::keyed::{SMALL_RECORDS, client, greeter, guest, server};
use super::{Link, pair, say_and_hear};
use crate::executor::{Executor, SCRATCH};
use crate::testing::task;

/// Every seventh event: what was read with it is not lost, and what is read after it is no end.
#[test]
fn a_link_goes_on_where_a_panic_has_left_it() {
    let sent: Vec<u8> = (0..5 * SCRATCH).map(|at| b"abcdefghij"[at % 10]).collect();
    let (stream, peer) = pair();
    let (writer, reader) = say_and_hear(peer, sent.clone());
    let (mut link, mut session) = (Link::new(stream), Echo::default());
    let (mut events, mut panics) = (0, 0);
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |heard: &mut Vec<u8>, cx| {
        loop {
            let turn = || {
                link.drive(cx, &mut session, |event| {
                    if let Heard::Bytes(bytes) = event {
                        heard.extend_from_slice(bytes);
                    }
                    events += 1;
                    if events % 7 == 0 {
                        resume_unwind(Box::new("heard"));
                    }
                })
            };
            match catch_unwind(AssertUnwindSafe(turn)) {
                Err(_) => panics += 1,
                Ok(Err(nb::Error::WouldBlock)) => return Poll::Pending,
                Ok(over) => {
                    over.unwrap();
                    assert!(panics > 1, "{events} events");
                    return Poll::Ready(());
                }
            }
        }
    }));
    let mut heard = Vec::new();
    executor.run(&mut heard).unwrap();
    writer.join().unwrap();
    let received = reader.join().unwrap().unwrap();
    assert!(heard == sent && received == sent, "{} and {} bytes", heard.len(), received.len());
}

#[test]
fn a_link_that_has_a_key_goes_on_under_the_key() {
    let (ours, theirs) = pair();
    let (mut here, mut there) = (
        server(ours, &[1], SMALL_RECORDS),
        theirs.try_into().map(|theirs| client(theirs, 1, SMALL_RECORDS)).unwrap(),
    );
    let (mut greeter, mut guest) = (greeter(), guest());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |panics: &mut u8, cx| {
        let turn = || here.drive(cx, &mut greeter, |_| resume_unwind(Box::new("heard")));
        match catch_unwind(AssertUnwindSafe(turn)) {
            Err(_) => {
                assert_eq!(here.peer_key(), Some(0));
                *panics += 1;
                cx.yield_now();
                Poll::Pending
            }
            Ok(Err(nb::Error::WouldBlock)) => Poll::Pending,
            Ok(over) => {
                over.unwrap();
                Poll::Ready(())
            }
        }
    }));
    executor.spawn(task(move |_: &mut u8, cx| match there.drive(cx, &mut guest, |_| {}) {
        Err(nb::Error::WouldBlock) => Poll::Pending,
        over => {
            over.unwrap();
            Poll::Ready(())
        }
    }));
    let mut panics = 0;
    executor.run(&mut panics).unwrap();
    assert_eq!(panics, 1);
}
