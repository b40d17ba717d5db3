use super::*;
use crate::session::Output;

#[test]
fn the_operator_is_a_member_like_others_almost() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(RoomConfig::new().with_rate(1)));
    let [anna] = hand.join_members();
    let server = hand.room.operator();
    assert_eq!(hand.room.nick(server), Some(OPERATOR_NICK));
    hand.say(server, "hello\n".repeat(200));
    assert_eq!(hand.read(anna), "server: hello\n".repeat(200), "no flood control");
    hand.say(server, "/msg guest1 psst\n/quit\n/nick boss\n/who\n");
    assert_eq!(hand.read(anna), "(private) server: psst\n");
    assert_eq!(
        hand.read(server),
        "* the operator stays: end the server instead\n* this nick is reserved, or looks like one that is\n\
         * here: server, guest1\n"
    );
    hand.leave(server, LeaveReason::Quit);
    // Its input ends, as that of a daemon does; it reads on.
    hand.say(server, "unfinished");
    assert_eq!(hand.end(server), "server: unfinished\n");
    assert_eq!(hand.end(server), "");
    hand.say(anna, "still there?\n");
    assert_eq!(hand.read(server), "guest1: still there?\n");
}

#[test]
fn an_operator_that_does_not_read_costs_the_room_its_patience_once() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    // In the middle of a line.
    hand.say(anna, "begun\n");
    assert_eq!(hand.read_once(server, 3), b"gue");
    let mut waits = 0;
    for number in 0..100 {
        let line = format!("line {number}\n");
        if hand.offer(anna, line.as_bytes()).1 > 0 {
            waits += 1;
            assert_eq!(hand.wait(anna, 250), "");
            hand.say(anna, &line);
        }
        hand.read(bert);
    }
    assert_eq!(waits, 1);
    assert_eq!(hand.wait(server, 300), "", "it is not dropped");
    let got = hand.read_by(server, 5);
    let (gap, rest) = got.split_at("\n* you fell behind: some lines are missing here\n".len());
    assert_eq!(gap, "\n* you fell behind: some lines are missing here\n");
    let expected = numbered("guest1: line", 0..100);
    assert!(rest.lines().count() >= 2 && expected.ends_with(rest), "{got}");
    // It reads again, and counts again.
    hand.say(anna, "on\n");
    assert_eq!(hand.read(server), "guest1: on\n");
}

#[test]
fn a_gap_between_two_lines_needs_no_line_feed() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    for number in 0.. {
        if hand.offer(anna, format!("line {number}\n").as_bytes()).1 > 0 {
            break;
        }
    }
    hand.wait(anna, 250);
    let got = hand.read(hand.room.operator());
    assert!(
        got.starts_with("* you fell behind: some lines are missing here\nguest1: line "),
        "{got}"
    );
}

#[test]
fn an_operator_that_reads_again_loses_nothing_more() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    let mut number = 0;
    let mut say_until_blocked = |hand: &mut Harness<'_>| {
        while hand.offer(anna, format!("line {number}\n").as_bytes()).1 == 0 {
            hand.read(bert);
            number += 1;
        }
        number
    };
    say_until_blocked(&mut hand);
    hand.wait(anna, 250);
    // It is told of the gap, and stands in the later half, which others have read long ago.
    assert!(hand.read_once(server, usize::MAX).starts_with(b"* you fell behind"));
    let member = hand.member(server);
    let Output::Bytes { head, tail, .. } = member.poll_transmit() else {
        panic!("nothing is left");
    };
    let promised = String::from_utf8([head, tail].concat()).unwrap();
    let count = say_until_blocked(&mut hand);
    let rest = hand.read(server);
    assert!(!promised.is_empty() && rest.starts_with(&promised), "{rest}");
    assert!(numbered("guest1: line", 0..count).ends_with(&rest), "{rest}");
}
