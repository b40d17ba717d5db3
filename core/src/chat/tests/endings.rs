//! What a peer must finish, it must finish in time.

use super::*;
use crate::session::Output;
use crate::text::Text;

const TIMEOUT: u64 = 5_000;

fn ends_in_time() -> RoomConfig {
    no_limit().with_end_timeout(Duration::from_millis(TIMEOUT))
}

/// Each way in which a member comes to say no more.
#[test]
fn a_member_that_is_only_ending_must_take_what_is_left_in_time() {
    let ways: [fn(&mut Harness<'_>, MemberId); 4] = [
        |hand, anna| hand.disconnect(anna),
        |hand, anna| assert_eq!(hand.say(anna, "/quit\n"), ""),
        |hand, anna| assert_eq!(hand.end(anna), ""),
        |hand, anna| {
            hand.say(anna, "unfinished");
            assert_eq!(hand.end(anna), "guest1: unfinished\n");
        },
    ];
    for way in ways {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(ends_in_time()));
        let [anna, bert] = hand.join_members();
        hand.say(bert, "take this\n");
        assert_eq!(hand.deadline(anna), None, "an idle member may be so for ever");
        hand.now = at(1_000);
        way(&mut hand, anna);
        assert!(!hand.member(anna).is_active());
        assert_eq!(hand.deadline(anna), Some(at(1_000 + TIMEOUT)));
        assert_eq!(hand.wait(anna, 999 + TIMEOUT), "");
        assert_eq!(hand.wait(anna, 1_000 + TIMEOUT), "!TimedOut");
        // What is left may still be tried.
        assert!(hand.read(anna).starts_with("guest2: take this\n"));
        hand.leave(anna, MemberError::TimedOut.into());
        assert!(hand.read(bert).ends_with("* guest1 left (connection lost)\n"));
    }
}

#[test]
fn one_that_takes_some_of_it_has_as_long_again() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(ends_in_time()));
    let [anna, bert] = hand.join_members();
    hand.say(bert, "0123456789\n");
    hand.disconnect(anna);
    for step in 1..=4 {
        assert_eq!(hand.wait(anna, step * (TIMEOUT - 1)), "");
        assert_eq!(hand.read_once(anna, 3).len(), 3);
        // Nothing is no step.
        hand.now = at(step * (TIMEOUT - 1) + 100);
        let now = hand.now;
        hand.member(anna).transmitted(now, 0);
        assert_eq!(hand.deadline(anna), Some(at(step * (TIMEOUT - 1) + TIMEOUT)));
    }
    // Disconnected once more, it is not given more time.
    hand.disconnect(anna);
    assert_eq!(hand.wait(anna, 4 * (TIMEOUT - 1) + TIMEOUT), "!TimedOut");
}

/// There is nothing to wait for once all is taken: the driver ends the direction and closes.
#[test]
fn one_that_has_taken_all_is_closed_at_once() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(ends_in_time()));
    let [anna] = hand.join_members();
    hand.disconnect(anna);
    assert_eq!(hand.read(anna), "|.");
    assert_eq!(hand.deadline(anna), None);
    assert_eq!(hand.wait(anna, 10 * TIMEOUT), "");
}

#[test]
fn a_room_may_wait_for_ever_and_its_operator_is_always_waited_for() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit().with_end_timeout(Duration::MAX)));
    let [anna, bert] = hand.join_members();
    hand.say(bert, "take this\n");
    hand.disconnect(anna);
    assert_eq!(hand.deadline(anna), None);
    let operator = hand.room.operator();
    hand.disconnect(operator);
    assert_eq!(hand.deadline(operator), None);
    assert!(hand.member(operator).is_active());
}

/// One that ends and is in the way as well is dropped as others are.
#[test]
fn one_that_ends_has_no_more_patience_than_others() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(ends_in_time()));
    let [anna, bert] = hand.join_members();
    hand.say(bert, "take this\n");
    hand.read(hand.room.operator());
    hand.disconnect(anna);
    let mut number = 0;
    while hand.offer(bert, format!("line {number}\n").as_bytes()).1 == 0 {
        hand.read(hand.room.operator());
        number += 1;
    }
    assert_eq!(hand.wait(bert, 250), "");
    assert_eq!(hand.wait(anna, 250), "!FellBehind");
}

/// The rest of a line that was refused needs no buffer, and one who keeps it to himself waits as an
/// idle member does.
#[test]
fn the_rest_of_a_refused_line_is_waited_for_as_the_next_line_is() {
    let mut memory = ample(3, 1);
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, [&[b'x'; MAX_TEXT][..], b"\xc3"].concat());
    assert!(hand.read(anna).ends_with("yours was refused\n"));
    assert_eq!(hand.deadline(anna), None);
    hand.say(bert, "un");
    assert_eq!(hand.say(bert, "hindered\n"), "guest2: unhindered\n");
}

/// A driver's turns with a client until it has nothing to send.
fn drain(client: &mut Client<16, 32>, now: Instant) -> usize {
    let mut sent = 0;
    loop {
        let count = match client.poll_transmit() {
            Output::Bytes { head, tail, .. } => head.len() + tail.len(),
            Output::Shutdown => 0,
            _ => return sent,
        };
        sent += count;
        client.transmitted(now, count);
    }
}

/// Before its end has gone out, and after.
#[test]
fn a_client_that_has_finished_is_answered_by_the_end_of_the_chat_in_time() {
    for is_sent in [false, true] {
        let mut client = Client::<16, 32>::new(Duration::from_millis(200));
        client.say(Text::new("bye").unwrap()).unwrap();
        assert_eq!(client.poll_deadline(), None, "an idle client may be so for ever");
        client.finish(at(1_000), Duration::from_millis(TIMEOUT));
        client.finish(at(2_000), Duration::MAX);
        if is_sent {
            assert_eq!(drain(&mut client, at(1_100)), 4);
        }
        // What still comes is heard, and no reason to wait longer.
        assert_eq!(client.handle_input(at(1_200), &mut &b"unfin"[..]), Err(nb::Error::WouldBlock));
        assert_eq!(client.poll_deadline(), Some(at(1_400)));
        assert!(client.handle_timeout(at(1_400)).unwrap().is_ok());
        assert!(client.handle_input(at(1_500), &mut &b"anna: hi\n"[..]).unwrap().is_ok());
        let _ = client.handle_input(at(1_500), &mut &b"unfin"[..]);
        assert_eq!(client.poll_deadline(), Some(at(1_000 + TIMEOUT)));
        assert_eq!(client.handle_timeout(at(999 + TIMEOUT)), Err(nb::Error::WouldBlock));
        let late = client.handle_timeout(at(1_000 + TIMEOUT));
        assert_eq!(late, Err(nb::Error::Other(ClientError::TimedOut)), "{is_sent}");
    }
}

#[test]
fn a_client_whose_room_has_ended_the_chat_waits_for_nothing() {
    let mut client = Client::<16, 32>::new(Duration::from_millis(200));
    client.finish(at(0), DEFAULT_END_TIMEOUT);
    assert_eq!(drain(&mut client, at(0)), 0);
    assert_eq!(client.handle_end(at(5)), Err(nb::Error::WouldBlock));
    assert_eq!((client.poll_deadline(), client.poll_transmit()), (None, Output::Close));
    client.finish(at(6), DEFAULT_END_TIMEOUT);
    assert_eq!((client.poll_deadline(), client.poll_transmit()), (None, Output::Close));
}

#[test]
fn who_is_kicked_is_told_so_and_says_no_more() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(bert, "take this\n");
    let (now, operator) = (hand.now, hand.room.operator());
    for _ in 0..2 {
        hand.member(anna).kick(now);
    }
    assert_eq!(hand.say(anna, "hello?\n"), "");
    let told = "guest2: take this\n* you were kicked by the operator\n|.";
    assert_eq!(hand.read(anna), told, "once");
    hand.room.leave(now, anna, LeaveReason::Kicked);
    assert_eq!(hand.read(bert), "* guest1 left (kicked)\n");
    hand.member(operator).kick(now);
    assert!(hand.member(operator).is_active());
}

/// However many are, when one who reads nothing leaves no room in the log.
#[test]
fn who_is_kicked_is_told_so_in_a_whole_line_or_not_at_all() {
    let mut memory = Memory::new(40, 128, min_log_bytes(64), 2, 64);
    let mut hand = Harness::new(memory.room(no_limit()));
    let ids: [MemberId; 30] = hand.join_members();
    let (sender, others) = (ids[0], &ids[2..]);
    while hand.offer(sender, b"line\n").1 == 0 {
        for &id in others.iter().chain([&hand.room.operator()]) {
            hand.read(id);
        }
    }
    for &id in others {
        hand.read(id);
    }
    let now = hand.now;
    for &id in others {
        hand.member(id).kick(now);
    }
    let got: Vec<_> = others.iter().map(|&id| hand.read(id)).collect();
    let told = "* you were kicked by the operator\n|.";
    assert!(got.iter().all(|got| got == told || got == "|."), "{got:?}");
    assert!(got.iter().any(|got| got == told) && got.iter().any(|got| got == "|."), "{got:?}");
}

#[test]
fn whom_the_owner_disconnects_has_a_turn() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    hand.room.needs_poll();
    for _ in 0..2 {
        hand.disconnect(anna);
        let is_first = hand.read(anna) == "|.";
        assert_eq!(hand.room.needs_poll(), is_first);
    }
}
