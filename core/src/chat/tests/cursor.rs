use super::*;
use crate::session::Output;

#[test]
fn what_lies_across_the_wrap_is_lent_in_two() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let mut wraps = 0;
    for number in 0..200 {
        hand.say(anna, format!("line {number}\n"));
        let member = hand.member(bert);
        let Output::Bytes { head, tail, .. } = member.poll_transmit() else {
            panic!("the line is not lent");
        };
        wraps += usize::from(!tail.is_empty());
        assert_eq!([head, tail].concat(), format!("guest1: line {number}\n").as_bytes());
        hand.read_by(bert, 4);
        hand.read(hand.room.operator());
    }
    assert!(wraps > 1);
}

#[test]
fn lines_that_lie_together_are_lent_together() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    hand.say(anna, "one\ntwo\n");
    hand.say(bert, "mine\n");
    hand.say(anna, "three\n/msg guest3 x\nfour\n");
    assert_eq!(hand.read_once(bert, usize::MAX), b"guest1: one\nguest1: two\n");
    assert_eq!(hand.read_once(bert, usize::MAX), b"guest1: three\n");
    assert_eq!(hand.read_once(bert, usize::MAX), b"guest1: four\n");
    assert_eq!(hand.read_once(bert, usize::MAX), b"");
    assert_eq!(hand.read_once(carl, usize::MAX).split(|&byte| byte == b'\n').count(), 7);
}

#[test]
fn more_is_said_to_follow_where_it_does() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "one\n");
    hand.say(bert, "mine\n");
    hand.say(anna, "two\n");
    hand.say(bert, "mine too\n");
    hand.say(anna, "/help\n");
    let carl = hand.join().unwrap();
    for (id, last) in [(bert, "* guest3 joined\n"), (carl, "guest2: mine too\n")] {
        let mut parts = Vec::new();
        while let Output::Bytes { head, tail, more } = hand.member(id).poll_transmit() {
            parts.push(([head, tail].concat(), more));
            hand.read_once(id, usize::MAX);
        }
        assert!(parts.len() > 2 && parts.iter().rev().skip(1).all(|(_, more)| *more), "{parts:?}");
        let (part, more) = parts.pop().unwrap();
        assert!(part.ends_with(last.as_bytes()) && !more);
    }
}

/// More is not lent at once than a send buffer takes.
#[test]
fn a_long_run_is_lent_in_pieces() {
    let mut memory = Memory::new(3, 4096, 262_144, 1, DEFAULT_MAX_TEXT);
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let line = "x".repeat(1000) + "\n";
    hand.say(anna, line.repeat(150));
    let first = hand.read_once(bert, usize::MAX);
    assert!((64 * 1024..66 * 1024).contains(&first.len()) && first.ends_with(b"\n"));
    let all = String::from_utf8(first).unwrap() + &hand.read(bert);
    assert_eq!(all, format!("guest1: {line}").repeat(150));
}

#[test]
fn a_count_beyond_what_was_lent_is_taken_for_all_of_it() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "one\n");
    hand.member(bert).transmitted(at(0), usize::MAX);
    hand.member(bert).transmitted(at(0), 7);
    hand.say(anna, "two\n");
    assert_eq!(hand.read(bert), "guest1: two\n");
}
