//! When deadlines pass.

use super::*;

#[test]
fn deadlines_pass_in_their_order_and_once() {
    let mut executor = Executor::simulated();
    for millis in [30, 10, 20] {
        let at = Instant::from_millis(millis);
        executor.spawn(task(move |passed: &mut Vec<Instant>, cx| {
            if cx.now() < at {
                cx.set_deadline(Some(at));
                return Poll::Pending;
            }
            passed.push(cx.now());
            Poll::Ready(())
        }));
    }
    let mut passed = Vec::new();
    executor.run(&mut passed).unwrap();
    assert_eq!(passed, [10, 20, 30].map(Instant::from_millis));
}

/// To the microsecond; how late the system lets one run, it alone knows.
#[test]
fn a_deadline_is_no_turn_before_its_time_and_none_after_it() {
    for (mut executor, is_exact) in
        [(Executor::simulated(), true), (Executor::new().unwrap(), false)]
    {
        for micros in [0, 1, 500, 999, 1_000, 1_001, 1_999, 2_000, 5_300] {
            let mut deadline = None;
            executor.spawn(task(move |turns: &mut u32, cx| {
                let Some(at) = deadline else {
                    deadline = Some(cx.now() + Duration::from_micros(micros));
                    cx.set_deadline(deadline);
                    return Poll::Pending;
                };
                *turns += 1;
                assert!(
                    at <= cx.now() && (!is_exact || cx.now() == at),
                    "{at:?} at {:?}",
                    cx.now()
                );
                Poll::Ready(())
            }));
        }
        let mut turns = 0;
        executor.run(&mut turns).unwrap();
        assert_eq!(turns, 9);
    }
}

#[test]
fn a_task_that_always_has_work_delays_no_deadline() {
    let mut executor = Executor::<bool>::new().unwrap();
    executor.spawn(task(|done: &mut bool, cx| {
        cx.yield_now();
        if *done { Poll::Ready(()) } else { Poll::Pending }
    }));
    let mut deadline = None;
    executor.spawn(task(move |done: &mut bool, cx| {
        let deadline = *deadline.get_or_insert(cx.now() + Duration::from_millis(2));
        *done = cx.now() >= deadline;
        cx.set_deadline(Some(deadline));
        if *done { Poll::Ready(()) } else { Poll::Pending }
    }));
    executor.run(&mut false).unwrap();
}
