//! A turn that a panic ends.

use core::task::Poll;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use super::keyed::{SMALL_RECORDS, client, greeter, guest, server};
use super::pair;
use crate::executor::Executor;
use crate::testing::task;

/// Whoever catches it and goes on does so under the key.
#[test]
fn a_link_that_has_a_key_has_it_after_a_panic_too() {
    let (ours, theirs) = pair();
    let (mut here, mut there) = (
        server(ours, &[1], SMALL_RECORDS),
        theirs.try_into().map(|theirs| client(theirs, 1, SMALL_RECORDS)).unwrap(),
    );
    let (mut greeter, mut guest) = (greeter(), guest());
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |has_panicked: &mut bool, cx| {
        let turn = || here.drive(cx, &mut greeter, |_| resume_unwind(Box::new("heard")));
        let Err(_) = catch_unwind(AssertUnwindSafe(turn)) else { return Poll::Pending };
        assert_eq!(here.peer_key(), Some(0));
        *has_panicked = true;
        here.abort();
        Poll::Ready(())
    }));
    executor.spawn(task(move |_: &mut bool, cx| match there.drive(cx, &mut guest, |_| {}) {
        Err(nb::Error::WouldBlock) => Poll::Pending,
        _ => Poll::Ready(()),
    }));
    let mut has_panicked = false;
    executor.run(&mut has_panicked).unwrap();
    assert!(has_panicked);
}
