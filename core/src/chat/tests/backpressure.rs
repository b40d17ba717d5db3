//! Who waits for room, for how long, and who is dropped for it.

use super::*;

#[test]
fn a_sender_waits_for_the_slowest_and_goes_on_when_it_has_read() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    let count = fill(&mut hand, anna, &[server]);
    assert!(count > 2, "{count}");
    assert_eq!(hand.deadline(anna), Some(at(250)));
    // Later attempts do not move the deadline.
    hand.now = at(100);
    assert_eq!(hand.offer(anna, b"more\n"), (String::new(), 5));
    assert_eq!(hand.deadline(anna), Some(at(250)));
    assert_eq!(hand.wait(anna, 249), "");
    hand.room.needs_poll();
    let first = hand.read_once(bert, usize::MAX);
    assert!(hand.room.needs_poll(), "somebody waited for that");
    assert_eq!(hand.say(anna, "more\n"), "guest1: more\n");
    assert_eq!(hand.deadline(anna), None);
    let got = String::from_utf8(first).unwrap() + &hand.read(bert);
    let lines = numbered("guest1: line", 0..count);
    assert_eq!(got, lines + "guest1: more\n");
}

#[test]
fn who_makes_no_room_in_time_is_dropped_and_nobody_else() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    let count = fill(&mut hand, anna, &[server]);
    hand.now = at(50);
    assert_eq!(hand.read(carl), numbered("guest1: line", 0..count));
    assert_eq!(hand.offer(carl, b"me too\n").1, 7);
    assert_eq!(hand.deadline(carl), Some(at(250)), "since the first began to wait");
    assert_eq!(hand.wait(anna, 250), "");
    assert!(hand.room.needs_poll());
    assert_eq!(hand.wait(bert, 250), "!FellBehind");
    assert_eq!(hand.read(bert), "", "it has nothing more to say, and is reset");
    assert_eq!(hand.wait(carl, 250), "");
    assert_eq!(hand.deadline(carl), Some(at(500)));
    hand.leave(bert, LeaveReason::FellBehind);
    assert_eq!(hand.say(anna, "after\n"), "guest1: after\n");
    for id in [server, anna] {
        assert!(hand.read(id).starts_with("* guest2 left (fell behind)\n"));
    }
    assert_eq!(hand.read(carl), "* guest2 left (fell behind)\nguest1: after\n");
    assert_eq!(hand.say(carl, "me too\n"), "guest3: me too\n");
    assert_eq!(hand.room.count(), 2);
}

/// One who waited has its turn after another has used the room up again.
#[test]
fn patience_that_is_over_is_over_once() {
    for lines in 0..20 {
        let mut memory = narrow();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert, carl, dora] = hand.join_members();
        let server = hand.room.operator();
        hand.say_lines(anna, 10);
        hand.read(dora);
        fill(&mut hand, anna, &[server, carl]);
        hand.now = at(1);
        assert_eq!(hand.offer(carl, b"me too\n").1, 7);
        assert_eq!(hand.wait(anna, 250), "");
        assert_eq!(hand.wait(bert, 250), "!FellBehind");
        if (0..lines).any(|_| hand.offer(anna, b"on\n").1 > 0) {
            assert!(lines > 1);
            return;
        }
        hand.wait(carl, 250);
        assert_eq!(hand.wait(dora, 250), "", "after {lines} lines");
    }
    panic!("the room is never full");
}

/// Of sixteen lines, the older half.
#[test]
fn who_reads_in_time_what_is_in_the_way_is_not_dropped() {
    for (unread, is_dropped) in [(8, false), (9, true)] {
        let mut memory = narrow();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert] = hand.join_members();
        let server = hand.room.operator();
        let count = fill(&mut hand, anna, &[server]);
        assert_eq!(count, 14, "another must leave two free for notices");
        let start = numbered("guest1: line", 0..count - unread);
        hand.now = at(249);
        assert_eq!(hand.read_once(bert, start.len()), start.as_bytes());
        hand.wait(anna, 250);
        assert_eq!(hand.wait(bert, 250) == "!FellBehind", is_dropped, "{unread}");
    }
}

/// However few say something, and how often each gets through.
#[test]
fn who_reads_a_line_now_and_then_is_not_waited_for_longer() {
    for speakers in [1, 3] {
        let mut memory = Memory::new(6, 64, 8 * min_log_bytes(64), 2, 64);
        let mut hand = Harness::new(memory.room(no_limit()));
        let ids: [MemberId; 5] = hand.join_members();
        let (dripper, speakers) = (ids[4], &ids[..speakers]);
        let (mut said, mut dropped_at) = (0, None);
        for millis in (0..2_000).step_by(10) {
            hand.now = at(millis);
            for &id in speakers {
                while hand.offer(id, b"x\n").1 == 0 {
                    said += 1;
                }
                assert_eq!(hand.wait(id, millis), "");
            }
            for id in ids[..4].iter().copied().chain([hand.room.operator()]) {
                hand.read(id);
            }
            if dropped_at.is_none() && hand.wait(dripper, millis) == "!FellBehind" {
                hand.leave(dripper, LeaveReason::FellBehind);
                dropped_at = Some(millis);
            } else if dropped_at.is_none() && millis % 240 == 0 {
                hand.read_once(dripper, "guest1: x\n".len());
            }
        }
        assert!(dropped_at.is_some_and(|millis| millis <= 260), "{dropped_at:?}");
        assert!(said > 5_000, "{said}");
    }
}

#[test]
fn sending_nothing_is_not_reading() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    fill(&mut hand, anna, &[server]);
    for millis in (0..250).step_by(10) {
        hand.now = at(millis);
        hand.member(bert).transmitted(at(millis), 0);
    }
    hand.wait(anna, 250);
    assert_eq!(hand.wait(bert, 250), "!FellBehind");
}

/// A turn is what the owner gives after [`Room::needs_poll`].
#[test]
fn who_had_no_turn_is_waited_for_once_more() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    while hand.member(anna).handle_input(at(0), &mut &b"line\n"[..]).is_ok() {
        hand.read(server);
    }
    assert!(hand.room.needs_poll());
    hand.wait(anna, 250);
    assert!(hand.room.needs_poll(), "it is to have a turn");
    assert_eq!(hand.deadline(bert), None);
    assert!(!hand.read(bert).is_empty());
    hand.wait(anna, 500);
    assert_eq!(hand.deadline(bert), None);
}

/// Room for one is for who has waited for longest.
#[test]
fn those_who_wait_are_served_in_turn() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl, dora] = hand.join_members();
    let server = hand.room.operator();
    let longest = "x".repeat(64) + "\n";
    for id in [anna, carl, dora, anna] {
        while hand.offer(id, longest.as_bytes()).1 == 0 {
            hand.read(server);
        }
    }
    for id in [anna, carl, dora] {
        hand.read(id);
    }
    let mut order = Vec::new();
    for _ in 0..20 {
        // Too little for two.
        let one = hand.read_once(bert, "guest1: \n".len() + 64);
        assert!(!one.is_empty());
        for id in [dora, carl, anna] {
            if hand.offer(id, longest.as_bytes()).1 == 0 {
                order.push(id);
            }
        }
        for id in [server, anna, carl, dora] {
            hand.read(id);
        }
    }
    assert!(order.len() > 15);
    let expected: Vec<_> = [anna, carl, dora].into_iter().cycle().take(order.len()).collect();
    assert_eq!(order, expected);
}

/// Two lines of controls, each shown by four bytes, and somebody joins and leaves in the same round.
#[test]
fn who_takes_all_at_every_turn_is_never_dropped() {
    for longest in [64_u16, 1024] {
        let mut memory = Memory::new(5, 64, min_log_bytes(longest), 2, longest);
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert, carl] = hand.join_members();
        let controls = "\x01".repeat(longest.into()) + "\n";
        for round in 0..100_u64 {
            hand.now = at(round);
            while hand.offer(anna, controls.as_bytes()).1 == 0 {}
            let dora = hand.join().unwrap();
            hand.leave(dora, LeaveReason::Lost);
            hand.wait(anna, round);
            for id in [anna, bert, carl, hand.room.operator()] {
                assert_eq!(hand.wait(id, round), "");
                assert!(!hand.read(id).is_empty() || id == anna);
            }
        }
    }
}

#[test]
fn reading_is_no_news_where_nobody_waits() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    fill(&mut hand, anna, &[server]);
    hand.read(bert);
    hand.say(anna, "nobody waits any more\n");
    hand.room.needs_poll();
    for id in [bert, server, anna] {
        hand.read(id);
        assert!(!hand.room.needs_poll());
    }
}

#[test]
fn who_was_dropped_is_told_when_it_speaks() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    fill(&mut hand, anna, &[server]);
    hand.wait(anna, 250);
    assert_eq!(hand.offer(bert, b"wait!\n"), ("!FellBehind".into(), 6));
}

#[test]
fn a_sender_that_reads_nothing_is_itself_in_the_way() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    fill(&mut hand, bert, &[server, bert]);
    assert_eq!(hand.offer(anna, b"x\n").1, 2);
    hand.wait(bert, 250);
    assert_eq!(hand.wait(anna, 250), "!FellBehind");
    hand.leave(anna, LeaveReason::FellBehind);
    assert_eq!(hand.say(bert, "on\n"), "guest2: on\n");
}

#[test]
fn who_only_speaks_holds_up_nobody() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    for _ in 0..100 {
        // Nothing waits for anna, so that no driver ever transmits for her.
        hand.say(anna, "hello\n");
        hand.read(bert);
        hand.read(hand.room.operator());
    }
    assert_eq!(hand.read(anna), "");
}

/// Else two who come and go could be held up for ever.
#[test]
fn who_was_asked_for_room_is_not_asked_anew_by_another() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    fill(&mut hand, anna, &[server, carl]);
    hand.leave(anna, LeaveReason::Lost);
    hand.now = at(100);
    assert_eq!(hand.offer(carl, b"hello\n").1, 6);
    assert_eq!(hand.deadline(carl), Some(at(250)));
    // Bert has made room, and who stalls then has the whole time.
    assert!(hand.read(bert).ends_with("* guest1 left (connection lost)\n"));
    assert_eq!(hand.say(carl, "hello\n"), "guest3: hello\n");
    fill(&mut hand, carl, &[server]);
    assert_eq!(hand.deadline(carl), Some(at(350)));
}

/// Though nobody waited meanwhile.
#[test]
fn who_has_long_been_asked_for_room_has_no_time_left() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    fill(&mut hand, anna, &[server, carl]);
    hand.leave(anna, LeaveReason::Quit);
    hand.now = at(60_000);
    assert_eq!(hand.offer(carl, b"hello\n").1, 6);
    assert_eq!(hand.wait(carl, 60_000), "");
    assert_eq!(hand.wait(bert, 60_000), "!FellBehind");
    assert_eq!(hand.say(carl, "hello\n"), "guest3: hello\n");
}

#[test]
fn a_slow_leaver_holds_others_up_no_longer_than_a_slow_member() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    let server = hand.room.operator();
    hand.say(anna, "one\n");
    hand.end(bert);
    fill(&mut hand, anna, &[server, carl]);
    // Its end makes room as well as its reading does.
    hand.room.needs_poll();
    assert_eq!(hand.read(bert), "guest1: one\n|.");
    assert!(hand.room.needs_poll());
    assert_eq!(hand.say(anna, "two\n"), "guest1: two\n");
}

/// Of lines and of bytes, whichever runs out first.
#[test]
fn notices_find_room_when_talk_does_not() {
    for text in ["short", "one of the longest lines that a member may say in this room"] {
        let mut memory = narrow();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert] = hand.join_members();
        let server = hand.room.operator();
        let line = format!("{text}\n");
        let said = (0..1_000).take_while(|_| {
            let (_, left) = hand.offer(anna, line.as_bytes());
            hand.read(server);
            left == 0
        });
        let expected = format!("guest1: {text}\n").repeat(said.count());
        let carl = hand.join().unwrap();
        assert_eq!(hand.read(bert), expected + "* guest3 joined\n", "not dropped for a notice");
        assert!(hand.read(carl).starts_with("* welcome"));
    }
}

#[test]
fn a_storm_of_joins_and_leaves_drops_nobody() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit().with_joins(0, 0)));
    let [anna, bert] = hand.join_members();
    for round in 0..1_000 {
        hand.now = at(round);
        let id = hand.join().unwrap();
        hand.leave(id, LeaveReason::Quit);
        hand.read(anna);
        assert_eq!([hand.wait(anna, round), hand.wait(bert, round)], ["", ""]);
    }
}

#[test]
fn members_that_stalled_at_different_lines_are_waited_for_once() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl, dora] = hand.join_members();
    let server = hand.room.operator();
    hand.say(anna, "one\n");
    // Both have read once, so that their time is known, and stop one line apart.
    hand.read(bert);
    hand.say(anna, "two\n");
    hand.read(carl);
    hand.now = at(10);
    fill(&mut hand, anna, &[server, dora]);
    assert_eq!(hand.wait(anna, 260), "");
    assert_eq!([hand.wait(bert, 260), hand.wait(carl, 260)], ["!FellBehind", "!FellBehind"]);
    assert_eq!(hand.wait(dora, 260), "");
}
