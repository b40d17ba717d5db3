//! Joins and leaves, told one by one or together.

use super::*;

fn often() -> RoomConfig {
    no_limit().with_joins(0, 0)
}

#[test]
fn joins_and_leaves_that_come_thick_are_told_together() {
    let mut memory = ample(40, 2);
    let mut hand = Harness::new(memory.room(often()));
    let [anna] = hand.join_members();
    let mut ids = Vec::new();
    for number in 2..=20 {
        ids.push(hand.join().unwrap());
        assert_eq!(hand.read(anna), format!("* guest{number} joined\n"));
    }
    // From here on there are too many.
    for _ in 0..14 {
        ids.push(hand.join().unwrap());
    }
    for id in ids.drain(..9) {
        hand.leave(id, LeaveReason::Lost);
    }
    assert!(hand.room.needs_poll(), "everybody learns of the time");
    assert_eq!(hand.read(anna), "");
    assert_eq!(hand.deadline(anna), Some(at(1_000)));
    assert_eq!(hand.deadline(hand.room.operator()), Some(at(1_000)));
    assert_eq!(hand.wait(anna, 999) + &hand.read(anna), "");
    hand.wait(anna, 1_000);
    assert!(hand.room.needs_poll());
    assert_eq!(hand.read(anna), "* 14 joined, 9 left\n");
    // Of those who came meanwhile too, who are told of themselves with the others.
    let shown = hand.read(ids[20]);
    assert!(shown.ends_with("(/help)\n* 14 joined, 9 left\n"), "{shown}");
    assert_eq!(hand.deadline(anna), None);
    // A second pays for the next.
    hand.now = at(2_000);
    hand.leave(ids[0], LeaveReason::Quit);
    assert_eq!(hand.read(anna), "* guest11 left\n");
    hand.leave(ids[1], LeaveReason::Quit);
    hand.wait(anna, 3_000);
    assert_eq!(hand.read(anna), "* 0 joined, 1 left\n");
}

/// A stalled reader is dropped for them as for a line; who reads is told of all.
#[test]
fn joins_and_leaves_that_find_no_room_are_told_when_there_is() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(often()));
    let [anna, bert] = hand.join_members();
    let (mut joined, mut told) = (0, 0);
    let mut is_dropped = false;
    for round in 0..200 {
        hand.now = at(100 * round);
        let id = hand.join().unwrap();
        joined += 1;
        hand.leave(id, LeaveReason::Quit);
        hand.give_turns();
        assert_eq!(hand.wait(anna, 100 * round), "");
        if !is_dropped && hand.wait(bert, 100 * round) == "!FellBehind" {
            hand.leave(bert, LeaveReason::FellBehind);
            is_dropped = true;
        }
        for line in hand.read(anna).lines() {
            let count = line.strip_prefix("* ").and_then(|rest| rest.split_once(" joined, "));
            match count {
                Some((count, left)) => {
                    assert!(left.ends_with(" left"), "{line}");
                    told += count.parse::<u32>().unwrap();
                }
                None => told += u32::from(line.ends_with(" joined")),
            }
        }
        hand.read(hand.room.operator());
    }
    assert!(is_dropped);
    assert!((joined - 11..=joined).contains(&told), "{told} of {joined}, a second's left aside");
}

#[test]
fn a_nick_lost_by_a_drop_is_kept_for_its_source_for_a_minute() {
    for (why, is_kept) in [
        (LeaveReason::Lost, true),
        (LeaveReason::FellBehind, true),
        (LeaveReason::Quit, false),
        (LeaveReason::Kicked, false),
        (LeaveReason::Stopped, false),
    ] {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(often()));
        let home = Source(70);
        let anna = hand.room.join(hand.now, home).unwrap();
        let [bert] = hand.join_members();
        hand.say(anna, "/nick anna\n");
        hand.read(bert);
        hand.leave(anna, why);
        let taken = "* this nick is taken, or looks like one that is\n";
        hand.say(bert, "/nick ANNA\n");
        let told = hand.read(bert);
        assert_eq!(told.ends_with(taken), is_kept, "{told}");
        hand.say(bert, "/nick bert\n");
        // Whoever comes takes another slot first.
        let anna = hand.room.join(at(59_999), home).unwrap();
        let other = hand.join().unwrap();
        hand.now = at(59_999);
        hand.say(other, "/nick Anna\n");
        assert_eq!(hand.read(other).ends_with(taken), is_kept);
        hand.say(other, "/nick other\n");
        hand.say(anna, "/nick anna\n");
        assert_eq!(hand.room.nick(anna), Some("anna"));
        // A minute later it is anybody's who comes first.
        hand.say(anna, "/nick another\n");
        hand.now = at(60_000);
        hand.say(other, "/nick Anna\n");
        assert_eq!(hand.room.nick(other), Some("Anna"));
    }
}

/// Whoever left first is the first whose nick is given up.
#[test]
fn a_kept_nick_is_given_up_when_its_slot_is_needed() {
    let mut memory = ample(4, 2);
    let mut hand = Harness::new(memory.room(often()));
    let [anna, bert] = hand.join_members();
    for (id, nick) in [(anna, "/nick anna\n"), (bert, "/nick bert\n")] {
        hand.say(id, nick);
        hand.leave(id, LeaveReason::Lost);
    }
    let [carl] = hand.join_members();
    let takes = |hand: &mut Harness<'_>, nick| {
        hand.say(carl, format!("/nick {nick}\n"));
        hand.room.nick(carl) == Some(nick)
    };
    assert!(!takes(&mut hand, "anna") && !takes(&mut hand, "bert"));
    // There was a slot that nobody had had; from here on there is none.
    hand.join_members::<1>();
    assert!(takes(&mut hand, "anna") && !takes(&mut hand, "bert"));
    hand.join_members::<1>();
    assert!(takes(&mut hand, "bert"));
}
