//! What is counted for all from one source.

use super::*;

const HERE: Source = Source(7);
const ELSEWHERE: Source = Source(8);

impl Harness<'_> {
    fn join_from(&mut self, source: Source) -> Result<MemberId, JoinError> {
        self.room.join(self.now, source)
    }

    /// Says `count` lines, which everybody who listens reads; how many pass.
    fn flood(&mut self, id: MemberId, count: usize, listeners: &[MemberId]) -> usize {
        let mut passed = 0;
        for _ in 0..count {
            passed += self.say(id, "x\n").lines().count();
            for listener in listeners {
                self.read(*listener);
            }
            self.read(id);
        }
        passed
    }
}

#[test]
fn who_comes_again_and_again_says_no_more_than_four_may() {
    let config = RoomConfig::new().with_rate(10).with_burst(20);
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(config));
    let listener = hand.join_from(ELSEWHERE).unwrap();
    let listeners = [listener, hand.room.operator()];
    let mut passed = 0;
    for _ in 0..50 {
        let id = hand.join_from(HERE).unwrap();
        passed += hand.flood(id, 100, &listeners);
        hand.leave(id, LeaveReason::Lost);
    }
    assert_eq!(passed, 80, "four times the burst");
    let id = hand.join_from(HERE).unwrap();
    hand.read(id);
    assert_eq!(hand.say(id, "x\n"), "");
    assert_eq!(
        hand.read(id),
        "* too fast: the lines of all at your address are refused (40 a second pass, 80 at once)\n"
    );
    // Nobody else is affected, and time makes it good.
    assert_eq!(hand.flood(listener, 100, &listeners), 20);
    hand.now = at(1_000);
    assert_eq!(hand.flood(id, 100, &listeners), 20, "its own burst");
    let other = hand.join_from(HERE).unwrap();
    assert_eq!(hand.flood(other, 100, &listeners), 20, "and what is left for all");
}

#[test]
fn a_member_has_its_own_limit_beside_that_of_its_source() {
    let config = RoomConfig::new().with_rate(10).with_burst(5);
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(config));
    let [loud, quiet] = [(); 2].map(|()| hand.join_from(HERE).unwrap());
    let listeners = [quiet, hand.room.operator()];
    assert_eq!(hand.flood(loud, 1_000, &listeners), 5);
    assert_eq!(hand.flood(quiet, 3, &[loud, hand.room.operator()]), 3);
}

/// As many as may talk at once; one more is too many.
#[test]
fn four_of_a_source_who_keep_the_pace_lose_nothing() {
    for (talkers, all_pass) in [(4, true), (5, false)] {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(RoomConfig::new()));
        let mut paces = vec![RateLimiter::new(); talkers];
        let ids: Vec<_> = paces.iter().map(|_| hand.join_from(HERE).unwrap()).collect();
        let everybody = [&ids[..], &[hand.room.operator()]].concat();
        let (mut said, mut passed) = (0, 0);
        for tenth in 0..200 {
            hand.now = at(100 * tenth);
            for (id, pace) in ids.iter().zip(&mut paces) {
                while pace.next_allowed(DEFAULT_LINE_RATE, DEFAULT_LINE_BURST) <= hand.now {
                    pace.record(hand.now, DEFAULT_LINE_RATE);
                    said += 1;
                    passed += hand.flood(*id, 1, &everybody);
                }
            }
        }
        assert_eq!(passed == said, all_pass, "{talkers} said {said} lines, and {passed} passed");
    }
}

/// A control is shown by four bytes.
#[test]
fn a_line_that_controls_make_longer_counts_as_several() {
    let config = RoomConfig::new().with_rate(10).with_burst(12);
    for (byte, passes) in [("x", 12), ("\x01", 3)] {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(config));
        let id = hand.join_from(HERE).unwrap();
        let line = byte.repeat(1024) + "\n";
        let passed = (0..30).filter(|_| {
            hand.read(hand.room.operator());
            !hand.say(id, &line).is_empty()
        });
        assert_eq!(passed.count(), passes);
    }
}

#[test]
fn a_source_has_its_share_of_places_and_leaves_the_others() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit().with_members_per_source(2)));
    let [first, second] = [(); 2].map(|()| hand.join_from(HERE).unwrap());
    assert_eq!(hand.join_from(HERE), Err(JoinError::SourceFull));
    let other = hand.join_from(ELSEWHERE).unwrap();
    hand.leave(first, LeaveReason::Quit);
    let third = hand.join_from(HERE).unwrap();
    assert_eq!(hand.join_from(HERE), Err(JoinError::SourceFull));
    assert_eq!(hand.room.members().collect::<Vec<_>>(), [second, other, third]);
    assert_eq!(hand.room.source(third), Some(HERE));
    assert_eq!(hand.room.source(other), Some(ELSEWHERE));
    assert_eq!(hand.room.source(first), None);
    assert_eq!(hand.room.source(hand.room.operator()), None);
}

#[test]
fn a_source_that_joins_too_often_waits_and_no_limit_is_none() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit().with_joins(2, 3)));
    let come_and_go = |hand: &mut Harness<'_>, source| {
        let id = hand.join_from(source)?;
        hand.leave(id, LeaveReason::Quit);
        Ok(())
    };
    for _ in 0..3 {
        assert_eq!(come_and_go(&mut hand, HERE), Ok(()));
    }
    for millis in [0, 499] {
        hand.now = at(millis);
        assert_eq!(come_and_go(&mut hand, HERE), Err(JoinError::TooOften));
    }
    assert_eq!(come_and_go(&mut hand, ELSEWHERE), Ok(()));
    hand.now = at(500);
    assert_eq!(come_and_go(&mut hand, HERE), Ok(()));
    assert_eq!(come_and_go(&mut hand, HERE), Err(JoinError::TooOften));

    let mut memory = wide();
    let config = no_limit().with_joins(0, 0).with_members_per_source(0);
    let mut hand = Harness::new(memory.room(config));
    for _ in 0..1_000 {
        assert_eq!(come_and_go(&mut hand, HERE), Ok(()));
    }
}

/// With as many accounts as that, one of them shared.
fn with_accounts(count: usize) -> Memory {
    let mut memory = wide();
    memory.sources.truncate(count);
    memory
}

#[test]
fn strangers_take_no_account_that_counts_something() {
    let mut memory = with_accounts(2);
    let mut hand = Harness::new(memory.room(no_limit().with_joins(1, 2)));
    let id = hand.join_from(HERE).unwrap();
    hand.leave(id, LeaveReason::Quit);
    let id = hand.join_from(HERE).unwrap();
    hand.leave(id, LeaveReason::Quit);
    // Its account counts on: so all others share what is left for newcomers.
    for (source, expected) in [(101, true), (102, true), (103, false), (104, false)] {
        let joined = hand.join_from(Source(source)).map(|id| hand.leave(id, LeaveReason::Quit));
        assert_eq!(joined.is_ok(), expected, "{source}");
    }
    assert_eq!(hand.join_from(HERE), Err(JoinError::TooOften));
    // What counts nothing any more is anybody's.
    hand.now = at(2_000);
    for source in [105, 106] {
        assert!(hand.join_from(Source(source)).is_ok());
    }
    // One is here with its own account, the other with the shared one.
    assert!(hand.join_from(HERE).is_ok());
    assert_eq!(hand.join_from(Source(107)), Err(JoinError::TooOften));
}

#[test]
fn a_member_keeps_its_account_as_long_as_it_is_here() {
    let mut memory = with_accounts(2);
    let mut hand = Harness::new(memory.room(no_limit().with_members_per_source(1)));
    let id = hand.join_from(HERE).unwrap();
    hand.now = at(3_600_000);
    let other = hand.join_from(ELSEWHERE).unwrap();
    assert_eq!(hand.join_from(HERE), Err(JoinError::SourceFull));
    assert_eq!(hand.join_from(Source(9)), Err(JoinError::SourceFull), "they share one");
    hand.leave(other, LeaveReason::Quit);
    hand.leave(id, LeaveReason::Quit);
    assert!(hand.join_from(HERE).is_ok());
}

#[test]
fn a_member_is_found_by_its_nick_and_by_what_looks_like_it() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "/nick Anna\n");
    for (name, id) in [
        ("Anna", Some(anna)),
        ("aNNa", Some(anna)),
        ("guest2", Some(bert)),
        ("server", Some(hand.room.operator())),
        ("guest1", None),
    ] {
        assert_eq!(hand.room.find(name), id, "{name}");
    }
    hand.end(bert);
    assert_eq!(hand.room.find("guest2"), None, "it says no more");
    assert_eq!(hand.room.members().count(), 2);
}

#[test]
fn begun_lines_of_one_source_leave_buffers_for_others() {
    let mut memory = ample(6, 2);
    let mut hand = Harness::new(memory.room(no_limit().with_line_buffers_per_source(1)));
    let [first, second] = [(); 2].map(|()| hand.join_from(HERE).unwrap());
    let other = hand.join_from(ELSEWHERE).unwrap();
    hand.say(first, "fi");
    assert_eq!(hand.offer(second, b"se").1, 2);
    hand.say(other, "ot");
    assert_eq!(
        hand.say(other, "her\n") + &hand.say(first, "rst\n"),
        "guest3: other\nguest1: first\n"
    );
    hand.say(second, "se");
    hand.leave(second, LeaveReason::Lost);
    hand.say(first, "ag");
    assert_eq!(hand.say(first, "ain\n"), "guest1: again\n");
}
