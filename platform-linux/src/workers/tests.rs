//! Tests of what is done once, of what is not done at all, and of who gets how much.

use core::num::NonZero;
use core::task::Poll;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::executor::{Executor, Waker};
use crate::testing::task;

fn pool(threads: usize) -> WorkerPool {
    WorkerPool::new(NonZero::new(threads).unwrap())
}

/// A waker that wakes nobody.
fn nobody() -> Waker {
    Executor::<()>::new().unwrap().waker()
}

/// Waits for what comes of it, as a task does: until it is woken.
fn outcome<T: Clone + 'static>(ticket: Ticket<T>) -> Result<T, Lost> {
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |outcome: &mut Option<Result<T, Lost>>, cx| {
        match ticket.poll(|| cx.waker()) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(lost)) => *outcome = Some(Err(lost)),
            Ok(result) => *outcome = Some(Ok(result)),
        }
        Poll::Ready(())
    }));
    let mut outcome = None;
    executor.run(&mut outcome).unwrap();
    outcome.unwrap()
}

/// Work that says when it begins, and goes on when it is let go.
struct Gate {
    begun: Receiver<u32>,
    say: SyncSender<u32>,
    go: SyncSender<()>,
    wait: Arc<Mutex<Receiver<()>>>,
}

impl Gate {
    fn new() -> Self {
        let ((say, begun), (go, wait)) = (sync_channel(1000), sync_channel(1000));
        Self { begun, say, go, wait: Arc::new(Mutex::new(wait)) }
    }

    fn work<T>(&self, number: u32) -> impl FnOnce(&Interest<T>) -> u32 + Send + 'static {
        let (say, wait) = (self.say.clone(), Arc::clone(&self.wait));
        move |_| {
            say.send(number).unwrap();
            wait.lock().unwrap().recv().unwrap();
            number
        }
    }
}

#[test]
fn what_is_under_way_is_done_once_for_all_who_ask() {
    let (share, gate, flights) = (pool(4).share(), Gate::new(), SingleFlight::new());
    let ask = |number| flights.ask(&share, "same", nobody, gate.work(number)).unwrap();
    let first = ask(1);
    assert_eq!(gate.begun.recv(), Ok(1));
    let others: Vec<_> = (2..50).map(ask).collect();
    gate.go.send(()).unwrap();
    for ticket in others.into_iter().chain([first]) {
        assert_eq!(outcome(ticket), Ok(1));
    }
    // It is not kept: whoever comes later has it done anew.
    gate.go.send(()).unwrap();
    assert_eq!(outcome(ask(60)), Ok(60));
}

/// Those who asked for the first see what was there when they did; and the others are not each given a
/// run of their own.
#[test]
fn what_may_have_changed_is_begun_after_it_was_asked_for() {
    let (share, gate, flights) = (pool(4).share(), Gate::new(), SingleFlight::begun_later());
    let ask = |number| flights.ask(&share, (), nobody, gate.work(number)).unwrap();
    let first = ask(1);
    assert_eq!(gate.begun.recv(), Ok(1));
    let one_more = ask(2);
    assert_eq!(gate.begun.recv(), Ok(2));
    gate.go.send(()).unwrap();
    gate.go.send(()).unwrap();
    assert_eq!((outcome(first), outcome(one_more)), (Ok(1), Ok(2)));

    // With no thread free they wait together.
    let (busy, flights) = (pool(1).share(), SingleFlight::begun_later());
    let ask = |key, number| flights.ask(&busy, key, nobody, gate.work(number)).unwrap();
    let first = ask(0, 3);
    assert_eq!(gate.begun.recv(), Ok(3));
    let others: Vec<_> = (4..30).map(|number| ask(1, number)).collect();
    gate.go.send(()).unwrap();
    gate.go.send(()).unwrap();
    assert_eq!(outcome(first), Ok(3));
    assert!(others.into_iter().all(|ticket| outcome(ticket) == Ok(4)));
}

#[test]
fn what_nobody_waits_for_any_more_is_not_begun() {
    let (share, gate, flights) = (pool(1).share(), Gate::new(), SingleFlight::new());
    let ask = |number: u32| flights.ask(&share, number, nobody, gate.work(number)).unwrap();
    let held = ask(0);
    assert_eq!(gate.begun.recv(), Ok(0));
    let (given_up, wanted) = (ask(1), ask(2));
    drop(given_up);
    gate.go.send(()).unwrap();
    gate.go.send(()).unwrap();
    assert_eq!((outcome(held), outcome(wanted)), (Ok(0), Ok(2)));
    assert_eq!(gate.begun.try_iter().collect::<Vec<_>>(), [2]);
}

#[test]
fn what_is_under_way_is_told_that_nobody_waits_any_more() {
    let (share, flights) = (pool(1).share(), SingleFlight::new());
    let ((say, said), (start, started)) = (channel(), channel());
    let ticket = flights.ask(&share, (), nobody, move |interest: &Interest<()>| {
        start.send(interest.is_there()).unwrap();
        while interest.is_there() {
            thread::yield_now();
        }
        say.send("given up").unwrap();
    });
    assert_eq!(started.recv(), Ok(true));
    drop(ticket);
    assert_eq!(said.recv(), Ok("given up"));
}

/// However many jobs of one share hang.
#[test]
fn a_share_leaves_half_of_the_threads_to_others() {
    let (pool, gate, flights) = (pool(4), Gate::new(), SingleFlight::new());
    let (greedy, other) = (pool.share(), pool.share());
    let stuck: Vec<_> = (0..100)
        .map(|number| flights.ask(&greedy, number, nobody, gate.work(number)).unwrap())
        .collect();
    assert_eq!([gate.begun.recv(), gate.begun.recv()], [Ok(0), Ok(1)]);
    let quick = flights.ask(&other, 1000, nobody, |_| 7).unwrap();
    assert_eq!(outcome(quick), Ok(7));
    assert_eq!(gate.begun.try_iter().count(), 0, "more than half are taken");
    (0..100).for_each(|_| gate.go.send(()).unwrap());
    for (number, ticket) in (0..).zip(stuck) {
        assert_eq!(outcome(ticket), Ok(number));
    }
}

#[test]
fn the_queue_is_bounded_for_each_share_and_what_is_given_up_leaves_it() {
    let (pool, gate, flights) = (pool(1), Gate::new(), SingleFlight::new());
    let (greedy, other) = (pool.share(), pool.share());
    let ask = |share: &Share, number| flights.ask(share, number, nobody, gate.work(number));
    let held = ask(&greedy, 0).unwrap();
    assert_eq!(gate.begun.recv(), Ok(0));
    let queued: Vec<_> = (1..).map_while(|number| ask(&greedy, number).ok()).collect();
    assert_eq!(queued.len(), SHARE_QUEUE);
    // Who joins takes no place.
    assert!(ask(&greedy, 1).is_ok() && ask(&greedy, 9999).is_err());
    let others = ask(&other, 5000).unwrap();
    drop(queued);
    assert!(ask(&greedy, 9999).is_ok());
    gate.go.send(()).unwrap();
    gate.go.send(()).unwrap();
    assert_eq!((outcome(held), outcome(others)), (Ok(0), Ok(5000)));
}

#[test]
fn who_found_the_queue_full_is_woken_when_there_is_room() {
    let (share, gate) = (pool(1).share(), Gate::new());
    let flights = SingleFlight::new();
    let held = flights.ask(&share, 0, nobody, gate.work(0)).unwrap();
    assert_eq!(gate.begun.recv(), Ok(0));
    let ask = |number| flights.ask(&share, number, nobody, |_| 1).ok();
    let queued: Vec<_> = (1..).map_while(ask).collect();
    let mut executor = Executor::new().unwrap();
    let (waiting, go) = (flights.clone(), gate.go.clone());
    let (of, mut ticket) = (share.clone(), None);
    executor.spawn(task(move |tries: &mut u32, cx| {
        if ticket.is_none() {
            *tries += 1;
            ticket = waiting.ask(&of, 9999, || cx.waker(), |_| 2).ok();
            let _ = go.try_send(());
        }
        match ticket.as_ref().map(|ticket| ticket.poll(|| cx.waker())) {
            Some(Ok(2)) => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }));
    let mut tries = 0;
    executor.run(&mut tries).unwrap();
    assert!(tries >= 2, "{tries}");
    assert_eq!(outcome(held), Ok(0));
    drop(queued);
}

#[test]
fn a_panic_is_the_loss_of_that_work_only() {
    let (share, flights) = (pool(1).share(), SingleFlight::new());
    let ticket = flights.ask(&share, 1, nobody, |_| panic!("on purpose"));
    assert_eq!(outcome::<u32>(ticket.unwrap()), Err(Lost));
    let again = flights.ask(&share, 1, nobody, |_| 5).unwrap();
    assert_eq!(outcome(again), Ok(5));
}

#[test]
fn threads_on_both_sides_get_each_their_own() {
    let (pool, flights, runs) = (pool(3), SingleFlight::new(), Arc::new(AtomicUsize::new(0)));
    thread::scope(|scope| {
        for _ in 0..4 {
            let (share, flights, runs) = (pool.share(), &flights, &runs);
            scope.spawn(move || {
                for key in 0..200_usize {
                    let counted = Arc::clone(runs);
                    let work = move |_: &Interest<usize>| {
                        counted.fetch_add(1, Ordering::SeqCst);
                        key * 3
                    };
                    let ticket = flights.ask(&share, key, nobody, work).unwrap();
                    assert_eq!(outcome(ticket), Ok(key * 3));
                }
            });
        }
    });
    let runs = runs.load(Ordering::SeqCst);
    assert!((200..=800).contains(&runs), "{runs}");
}
