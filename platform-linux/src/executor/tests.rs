mod deadlines;

use core::task::Poll;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use barewire_core::time::{Duration, Instant};

use super::{Context, Executor, GRACE, MAX_EVENT_SOURCES, Readiness, SCRATCH, Task, Waker};
use crate::testing::task;

type Log = Vec<&'static str>;

/// Never finishes by itself.
struct Stubborn;

impl Task<Log> for Stubborn {
    fn turn(&mut self, log: &mut Log, cx: &mut Context<'_, Log>) -> Poll<()> {
        log.push(if cx.stopping() { "told to stop" } else { "turn" });
        Poll::Pending
    }

    fn abandon(&mut self, log: &mut Log) {
        log.push("abandoned");
    }
}

#[test]
fn it_ends_when_no_task_is_left() {
    let mut executor = Executor::simulated();
    for _ in 0..3 {
        executor.spawn(task(|turns: &mut u32, _| {
            *turns += 1;
            Poll::Ready(())
        }));
    }
    let mut turns = 0;
    executor.run(&mut turns).unwrap();
    assert_eq!(turns, 3);
}

#[test]
fn a_background_task_serves_the_others_only() {
    let mut executor = Executor::simulated();
    executor.spawn(task(|(), cx| {
        cx.set_background();
        cx.set_background();
        Poll::Pending
    }));
    executor.spawn(task(|(), _| Poll::Ready(())));
    executor.run(&mut ()).unwrap();
}

#[test]
fn a_task_that_fails_ends_the_executor_with_the_first_error() {
    let mut executor = Executor::simulated();
    executor.spawn(Box::new(Stubborn));
    for kind in [io::ErrorKind::OutOfMemory, io::ErrorKind::Unsupported] {
        executor.spawn(task(move |_: &mut Log, cx| {
            cx.set_background();
            cx.fail(kind.into());
            Poll::Ready(())
        }));
    }
    let mut log = Log::new();
    assert_eq!(executor.run(&mut log).unwrap_err().kind(), io::ErrorKind::OutOfMemory);
    assert_eq!(log, ["turn", "abandoned"]);
}

#[test]
fn tasks_may_borrow() {
    struct Borrower<'a>(&'a str);

    impl Task<String> for Borrower<'_> {
        fn turn(&mut self, state: &mut String, _: &mut Context<'_, String>) -> Poll<()> {
            state.push_str(self.0);
            Poll::Ready(())
        }
    }

    let text = String::from("borrowed");
    let mut executor = Executor::simulated();
    executor.spawn(Box::new(Borrower(&text)));
    let mut state = String::new();
    executor.run(&mut state).unwrap();
    assert_eq!(state, text);
}

#[test]
fn a_round_gives_each_task_one_turn() {
    let mut executor = Executor::simulated();
    let sleeper = executor.spawn(task(|log: &mut Log, cx| {
        log.push("sleeper");
        if cx.stopping() { Poll::Ready(()) } else { Poll::Pending }
    }));
    let mut turns = 0;
    executor.spawn(task(move |log: &mut Log, cx| {
        log.push("waker");
        turns += 1;
        for _ in 0..100 {
            cx.wake(sleeper);
        }
        cx.yield_now();
        cx.yield_now();
        if turns < 3 {
            return Poll::Pending;
        }
        cx.stop();
        Poll::Ready(())
    }));
    let mut log = Log::new();
    executor.run(&mut log).unwrap();
    let rounds = ["sleeper", "waker"].repeat(3);
    assert_eq!(log, [rounds, vec!["sleeper"]].concat());
}

#[test]
fn a_spawned_task_has_its_first_turn_in_the_same_round() {
    let mut executor = Executor::simulated();
    executor.spawn(task(|log: &mut Log, cx| {
        log.push("parent");
        cx.spawn(task(|log: &mut Log, _| {
            log.push("child");
            Poll::Ready(())
        }));
        cx.yield_now();
        if log.len() > 2 { Poll::Ready(()) } else { Poll::Pending }
    }));
    let mut log = Log::new();
    executor.run(&mut log).unwrap();
    assert_eq!(log, ["parent", "child", "parent", "child"]);
}

#[test]
fn another_thread_wakes_a_task_again_and_again() {
    const TURNS: usize = 5;
    let mut executor = Executor::<usize>::new().unwrap();
    let (to_thread, from_task) = mpsc::channel::<Waker>();
    let thread = thread::spawn(move || from_task.iter().for_each(|waker| waker.wake()));
    executor.spawn(task(move |turns: &mut usize, cx| {
        *turns += 1;
        if *turns == TURNS {
            return Poll::Ready(());
        }
        to_thread.send(cx.waker()).unwrap();
        Poll::Pending
    }));
    let mut turns = 0;
    executor.run(&mut turns).unwrap();
    assert_eq!(turns, TURNS);
    drop(executor);
    thread.join().unwrap();
}

#[test]
fn another_thread_wakes_all_tasks_and_stops_them() {
    let mut executor = Executor::<()>::new().unwrap();
    for _ in 0..3 {
        executor.spawn(task(|(), cx| if cx.stopping() { Poll::Ready(()) } else { Poll::Pending }));
    }
    let waker = executor.waker();
    let thread = thread::spawn(move || {
        waker.wake();
        waker.stop();
    });
    executor.run(&mut ()).unwrap();
    thread.join().unwrap();
}

#[test]
fn a_waker_outlives_its_task_and_its_executor() {
    let mut executor = Executor::simulated();
    executor.spawn(task(|kept: &mut Option<Waker>, cx| {
        *kept = Some(cx.waker());
        Poll::Ready(())
    }));
    let mut kept = None;
    executor.run(&mut kept).unwrap();
    let waker = kept.unwrap();
    waker.wake();
    drop(executor);
    waker.wake();
    waker.stop();
}

#[test]
fn an_event_of_a_task_that_has_ended_never_reaches_its_successor() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    // Keeps the file, and so epoll's watch of it, alive beyond its task.
    let _theirs = theirs.try_clone().unwrap();
    let mut executor = Executor::simulated();
    executor.spawn(task(move |(), cx| {
        cx.register(&theirs, Readiness::READABLE).unwrap();
        cx.set_deadline(Some(Instant::from_millis(5)));
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();

    let (_other, own) = UnixStream::pair().unwrap();
    let mut source = None;
    executor.spawn(task(move |(), cx| {
        if let Some(source) = source {
            assert_eq!(cx.now(), Instant::from_millis(10), "only its own deadline brings a turn");
            assert_eq!(cx.readiness(source), Readiness::NONE);
            return Poll::Ready(());
        }
        assert_eq!(cx.id().index, 0, "the slot is used again");
        assert_eq!(source.insert(cx.register(&own, Readiness::READABLE).unwrap()).0, 0);
        cx.set_deadline(Some(Instant::from_millis(10)));
        ours.write_all(b"x").unwrap();
        Poll::Pending
    }));
    executor.run(&mut ()).unwrap();
}

#[test]
fn the_scratch_buffer_has_the_size_that_was_asked_for() {
    for (asked, given) in [(None, SCRATCH), (Some(3), 3), (Some(0), 1)] {
        let mut executor = Executor::simulated();
        if let Some(asked) = asked {
            executor.set_scratch(asked);
        }
        executor.spawn(task(move |(), cx| {
            assert_eq!(cx.scratch().len(), given);
            Poll::Ready(())
        }));
        executor.run(&mut ()).unwrap();
    }
}

#[test]
fn readiness_stays_until_it_is_cleared() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.write_all(b"x").unwrap();
    let mut executor = Executor::simulated();
    let mut source = None;
    executor.spawn(task(move |(), cx| {
        let Some(source) = source else {
            source = Some(cx.register(&theirs, Readiness::READABLE).unwrap());
            assert_eq!(cx.readiness(source.unwrap()), Readiness::NONE);
            return Poll::Pending;
        };
        assert_eq!(cx.readiness(source), Readiness::READABLE);
        cx.clear(source, Readiness::READABLE);
        assert_eq!(cx.readiness(source), Readiness::NONE);
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

#[test]
fn a_task_has_a_bounded_number_of_sources() {
    let pairs: Vec<_> = (0..=MAX_EVENT_SOURCES).map(|_| UnixStream::pair().unwrap()).collect();
    let mut executor = Executor::simulated();
    executor.spawn(task(move |(), cx| {
        let mut last = None;
        for (one, _) in &pairs[..MAX_EVENT_SOURCES] {
            last = Some(cx.register(one, Readiness::READABLE).unwrap());
        }
        let (extra, _) = &pairs[MAX_EVENT_SOURCES];
        assert!(cx.register(extra, Readiness::READABLE).is_err());
        cx.deregister(last.unwrap(), &pairs[MAX_EVENT_SOURCES - 1].0).unwrap();
        assert_eq!(cx.register(extra, Readiness::READABLE).unwrap(), last.unwrap());
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

#[test]
fn a_stop_gives_everybody_the_grace_and_abandons_the_rest() {
    let mut executor = Executor::simulated();
    executor.spawn(Box::new(Stubborn));
    executor.spawn(task(|log: &mut Log, cx| {
        cx.stop();
        if !cx.stopping() {
            return Poll::Pending;
        }
        log.push("finishing");
        let end = Instant::ZERO + GRACE;
        cx.set_deadline(Some(end - Duration::from_micros(1)));
        if cx.now() > Instant::ZERO { Poll::Ready(()) } else { Poll::Pending }
    }));
    let mut log = Log::new();
    executor.run(&mut log).unwrap();
    assert_eq!(log, ["turn", "told to stop", "finishing", "finishing", "abandoned"]);
    assert_eq!(executor.cx.time.now(), Instant::ZERO + GRACE);
}

#[test]
fn ending_the_grace_abandons_at_once() {
    let mut executor = Executor::simulated();
    executor.spawn(Box::new(Stubborn));
    let waker = executor.waker();
    waker.stop();
    waker.stop_now();
    let mut log = Log::new();
    executor.run(&mut log).unwrap();
    assert_eq!(log, ["abandoned"]);
    assert_eq!(executor.cx.time.now(), Instant::ZERO);
}

#[test]
fn the_grace_is_what_was_asked_for() {
    let mut executor = Executor::simulated();
    executor.set_grace(Duration::from_millis(10));
    executor.spawn(Box::new(Stubborn));
    executor.waker().stop();
    let mut log = Log::new();
    executor.run(&mut log).unwrap();
    assert_eq!(log, ["told to stop", "abandoned"]);
    assert_eq!(executor.now(), Instant::from_millis(10));
}

/// A descriptor that a task had only borrowed is watched on when the task has gone.
#[test]
fn what_an_ended_task_has_watched_another_can_watch() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    ours.write_all(b"x").unwrap();
    let theirs = Rc::new(theirs);
    let mut executor = Executor::simulated();
    let end = Instant::from_millis(1);
    let borrowed = Rc::clone(&theirs);
    executor.spawn(task(move |(), cx| {
        cx.register(&*borrowed, Readiness::READABLE).unwrap();
        let (borrowed, mut source) = (Rc::clone(&borrowed), None);
        cx.spawn(task(move |(), cx| {
            let source = *source
                .get_or_insert_with(|| cx.register(&*borrowed, Readiness::READABLE).unwrap());
            if cx.readiness(source).contains(Readiness::READABLE) {
                return Poll::Ready(());
            }
            assert!(cx.now() < end, "nothing is reported");
            cx.set_deadline(Some(end));
            Poll::Pending
        }));
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
    drop(theirs);
}
