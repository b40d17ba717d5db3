extern crate std;
use super::*;
use std::string::ToString;

#[test]
fn arithmetic_saturates_at_both_ends() {
    let end = Instant::from_micros(u64::MAX);
    assert_eq!(end + Duration::from_secs(1), end);
    assert_eq!(Instant::ZERO - Duration::MAX, Instant::ZERO);
    assert_eq!(Instant::from_secs(u64::MAX), end);
    assert_eq!(Instant::ZERO - end, Duration::ZERO);
    assert_eq!(Duration::MAX * 2, Duration::MAX);
    assert_eq!(Duration::ZERO - Duration::MAX, Duration::ZERO);
    assert_eq!(Duration::MAX + Duration::from_micros(1), Duration::MAX);
    assert_eq!(Duration::ZERO / 0, Duration::MAX);
    assert_eq!(Duration::from_secs(u64::MAX), Duration::MAX);
}

#[test]
fn instants_and_spans_add_up() {
    let (start, span) = (Instant::from_millis(7), Duration::from_micros(1_500));
    assert_eq!((start + span).as_micros(), 8_500);
    assert_eq!((start - span).as_micros(), 5_500);
    assert_eq!((start + span).duration_since(start).as_micros(), 1_500);
    let mut moved = start;
    moved += span;
    assert_eq!(moved, start + span);
    moved -= span;
    assert_eq!(moved, start);
    let mut sum = span;
    sum += span;
    assert_eq!((sum, sum / 2), (span * 2, span));
    sum -= span;
    assert_eq!(sum, span);
    assert_eq!((span + Duration::from_millis(1)).as_micros(), 2_500);
    assert_eq!(core::time::Duration::from(span), core::time::Duration::from_micros(1_500));
}

#[test]
fn what_has_no_answer_has_none() {
    let (one, two) = (Duration::from_micros(1), Duration::from_micros(2));
    let (first, second) = (Instant::ZERO + one, Instant::ZERO + two);
    assert_eq!((first.checked_sub(one), first.checked_sub(two)), (Some(Instant::ZERO), None));
    let between = first.checked_duration_since(second);
    assert_eq!((second.checked_duration_since(first), between), (Some(one), None));
    assert_eq!((two.checked_sub(one), one.checked_sub(two)), (Some(one), None));
    assert_eq!((one.checked_add(one), one.checked_add(Duration::MAX)), (Some(two), None));
}

#[test]
fn what_comes_after_all_time_never_comes() {
    let last = Duration::from_micros(u64::MAX - 1);
    assert_eq!(Instant::ZERO.checked_add(last), Some(Instant::ZERO + last));
    assert_eq!(Instant::from_micros(1).checked_add(last), None);
    for now in [Instant::ZERO, Instant::from_secs(1), Instant::from_micros(u64::MAX)] {
        assert_eq!(now.checked_add(Duration::MAX), None, "{now:?}");
    }
}

#[test]
fn a_clock_of_the_standard_library_is_one_here() {
    let elapsed = core::time::Duration::from_nanos(1_500_001_999);
    let now = Instant::from(elapsed);
    assert_eq!(now, Instant::from_micros(1_500_001), "not in the future");
    assert_eq!(core::time::Duration::from(now), core::time::Duration::from_micros(1_500_001));
    assert_eq!(Instant::from(core::time::Duration::MAX), Instant::from_micros(u64::MAX));
}

#[test]
fn rounding_never_cuts_a_wait_short() {
    assert_eq!(Duration::from_micros(1).as_millis_ceil(), 1);
    assert_eq!(Duration::from_micros(2_001).as_millis_ceil(), 3);
    assert_eq!(Duration::from_micros(1_000).as_millis_ceil(), 1);
    assert_eq!(Duration::from_micros(1_999).as_millis(), 1);
    assert_eq!(Duration::from_millis(1_999).as_secs(), 1);
    assert_eq!(Instant::from_micros(1_999).as_millis(), 1);
    assert!(Duration::ZERO.is_zero() && !Duration::from_micros(1).is_zero());
    assert_eq!(Duration::from(core::time::Duration::from_nanos(1)), Duration::from_micros(1));
    assert_eq!(Duration::from(core::time::Duration::MAX), Duration::MAX);
}

#[test]
fn spans_read_as_a_person_writes_them() {
    assert_eq!(Duration::from_secs(10).to_string(), "10 s");
    assert_eq!(Duration::from_millis(200).to_string(), "0.2 s");
    assert_eq!(Duration::from_micros(1_000_050).to_string(), "1.00005 s");
}
