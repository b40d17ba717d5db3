//! Lines whose sender waits for room: they go on, and are not late for it.

use super::*;

#[test]
fn bytes_that_had_to_wait_go_on_with_their_line() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    hand.say(carl, "hel");
    fill(&mut hand, anna, &[server, carl]);
    hand.now = at(100);
    assert_eq!(hand.offer(carl, b"lo\n").1, 3);
    // The quiet period of "hel" is over, and so is everybody's patience.
    assert_eq!(hand.wait(carl, 250), "");
    assert!(hand.deadline(carl).is_none_or(|deadline| deadline > at(250)));
    hand.leave(bert, LeaveReason::FellBehind);
    assert_eq!(hand.say(anna, "at last\n"), "guest1: at last\n");
    for id in [server, anna, carl] {
        hand.read(id);
    }
    assert_eq!(hand.say(carl, "lo\n"), "guest3: hello\n");
}

/// Its time stands still as long as it waits for room: of the ten seconds, and of the quiet period.
#[test]
fn a_line_that_waits_for_room_is_not_late() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit().with_patience(Duration::MAX)));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    hand.say(carl, "hel");
    fill(&mut hand, anna, &[server, carl]);
    hand.now = at(150);
    assert_eq!(hand.offer(carl, b"lo").1, 2);
    assert_eq!(hand.deadline(carl), None);
    assert_eq!(hand.wait(carl, 60_000), "");
    hand.read(bert);
    hand.say(anna, "at last\n");
    for id in [server, bert, carl] {
        hand.read(id);
    }
    hand.say(carl, "lo");
    assert_eq!(hand.wait(carl, 60_199), "");
    assert_eq!(hand.wait(carl, 60_200), "guest3: hello\n");
    hand.read(anna);

    // Silence ends a line that then finds no room: it is said as soon as there is.
    hand.say(carl, "again");
    fill(&mut hand, anna, &[server, carl]);
    assert_eq!(hand.wait(carl, 60_400), "");
    hand.read(bert);
    assert_eq!(hand.deadline(carl), Some(Instant::ZERO));
    assert_eq!(hand.wait(carl, 60_401), "guest3: again\n");
}

#[test]
fn the_time_of_a_line_stands_still_while_it_waits_for_room() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit().with_patience(Duration::MAX)));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    hand.say(carl, "one\nhel");
    fill(&mut hand, anna, &[server, carl]);
    for later in [9_000, 60_000] {
        hand.now = at(later);
        assert_eq!(hand.offer(carl, b"l").1, 1);
        assert_eq!(hand.wait(carl, later), "");
    }
    for id in [anna, bert] {
        hand.read(id);
    }
    hand.say(carl, "l");
    assert_eq!(hand.deadline(carl), Some(at(61_000)), "nine of its ten seconds are over");
    assert_eq!(hand.wait(carl, 60_999), "");
    assert_eq!(hand.read(carl), "");
    assert_eq!(hand.wait(carl, 61_000), "");
    assert_eq!(hand.read(carl), "* your line took longer than 10 s: it was refused\n");
}

#[test]
fn an_end_waits_with_the_unfinished_line_before_it() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    hand.say(carl, "bye");
    fill(&mut hand, anna, &[server, carl]);
    assert_eq!(hand.end(carl), "");
    assert_eq!(hand.deadline(carl), Some(at(250)));
    hand.read(bert);
    assert_eq!(hand.end(carl), "guest3: bye\n");
    assert_eq!(hand.read(carl), "|.");
    // Without one, an end need not wait.
    fill(&mut hand, bert, &[server, carl]);
    assert_eq!(hand.end(bert), "");
    assert_eq!(hand.deadline(bert), Some(hand.now + DEFAULT_END_TIMEOUT));
    assert!(hand.read(bert).ends_with("guest3: bye\n|."));
}
