use super::*;

#[test]
fn a_line_ends_by_line_feed_or_the_end() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "one\r\ntwo\r");
    hand.now = at(100);
    assert_eq!(hand.say(anna, "\nlast"), "guest1: two\n");
    assert_eq!(hand.end(anna), "guest1: last\n");
    assert_eq!(hand.read(bert), "guest1: one\nguest1: two\nguest1: last\n");
}

#[test]
fn silence_ends_the_lines_of_a_member_that_never_sends_a_line_feed() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "o");
    hand.now = at(150);
    hand.say(anna, "ne");
    assert_eq!(hand.deadline(anna), Some(at(350)));
    assert_eq!(hand.wait(anna, 349), "");
    assert_eq!(hand.wait(anna, 350), "guest1: one\n");
    assert_eq!(hand.deadline(anna), None);
    hand.say(anna, "你".as_bytes().split_at(2).0);
    assert_eq!(hand.deadline(anna), Some(at(10_350)), "silence ends nothing inside a character");
    hand.say(anna, [b"\xa0", &b"\xff"[..]].concat());
    assert_eq!(hand.wait(anna, 550), "guest1: 你\u{fffd}\n");
    assert_eq!(hand.read(bert), "guest1: one\nguest1: 你\u{fffd}\n");
}

/// The pause is the link's: what follows it belongs to the line.
#[test]
fn what_comes_after_a_pause_in_a_private_line_is_never_said_aloud() {
    for first in ["hello\n", "\n", "/nick anna\n"] {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert, carl] = hand.join_members();
        hand.say(anna, first);
        for id in [bert, carl, hand.room.operator()] {
            hand.read(id);
        }
        hand.say(anna, "/msg guest2 the key is ");
        assert_eq!(hand.wait(anna, 9_999), "");
        assert_eq!(hand.say(anna, "hunter2\n"), "", "a private line is for nobody's records");
        assert!(hand.read(bert).ends_with(": the key is hunter2\n"), "after {first:?}");
        for id in [carl, hand.room.operator()] {
            assert_eq!(hand.read(id), "", "after {first:?}");
        }
    }
}

#[test]
fn no_route_shows_what_a_terminal_obeys() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let bad = "a\x1b]0;x\x07\u{9b}\u{202e}\u{200b}\tb\rc";
    let shown = r"a\x1b]0;x\x07\u{9b}\u{202e}\u{200b} b\x0dc";
    let mut all = hand.say(
        anna,
        format!("{bad}\n/me {bad}\n/msg guest2 {bad}\n/msg {bad} x\n/nick {bad}\n/{bad}\n"),
    );
    all += &hand.say(anna, b"\xffa\xe4\xbd\n");
    let told = hand.read(bert);
    assert_eq!(
        told,
        format!(
            "guest1: {shown}\nguest1: /me {shown}\n(private) guest1: {shown}\nguest1: \u{fffd}a\u{fffd}\n"
        )
    );
    all += &hand.read(anna);
    all += &hand.read(hand.room.operator());
    all += &told;
    assert!(!all.contains(|c: char| c.is_control() && c != '\n'), "{all:?}");
    assert!(!all.contains(['\u{202e}', '\u{200b}']), "{all:?}");
}

#[test]
fn what_is_too_long_is_refused_and_skipped_to_its_end() {
    for size in [1, 7, 100, 5000] {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert] = hand.join_members();
        let long = "x".repeat(1024);
        let input = format!("{long}\n{long}y\nafter\n{long}{long}{long}\r\nend\n");
        let mut heard = String::new();
        for chunk in input.as_bytes().chunks(size) {
            heard += &hand.say(anna, chunk);
        }
        let expected = format!("guest1: {long}\nguest1: after\nguest1: end\n");
        assert_eq!((hand.read(bert), heard), (expected.clone(), expected), "{size}");
        let note = "* a line has at most 1024 bytes: yours was refused\n";
        assert_eq!(hand.read(anna), note.repeat(2), "{size}");
        assert_eq!(hand.deadline(anna), None);
    }
}

#[test]
fn silence_and_the_end_also_end_what_is_skipped() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "x".repeat(1025));
    assert_eq!(hand.deadline(anna), Some(at(200)));
    hand.now = at(150);
    hand.say(anna, "still");
    assert_eq!(hand.wait(anna, 350), "");
    assert_eq!(hand.deadline(anna), None);
    hand.say(anna, "new");
    assert_eq!(hand.wait(anna, 550), "guest1: new\n");
    // Not within a character.
    hand.say(anna, "x".repeat(1025));
    hand.say(anna, b"\xe4\xbd");
    assert_eq!(hand.deadline(anna), None);
    hand.say(anna, b"\xa0");
    assert_eq!(hand.deadline(anna), Some(at(750)));
    assert_eq!(hand.end(anna), "");
    assert_eq!(hand.read(bert), "guest1: new\n");
    assert!(hand.read(anna).ends_with("refused\n|."));
}

#[test]
fn after_a_line_feed_only_another_one_ends_what_is_skipped() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "\n".to_owned() + &"x".repeat(1025));
    assert_eq!(hand.deadline(anna), None);
    assert_eq!(hand.wait(anna, 60_000), "");
    assert_eq!(hand.say(anna, "not new\nnew\n"), "guest1: new\n");
    assert_eq!(hand.read(bert), "guest1: new\n");
}

#[test]
fn a_line_that_takes_too_long_is_refused_once() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    for tenth in 0..300 {
        hand.wait(anna, 100 * tenth);
        hand.say(anna, "x");
    }
    assert_eq!(hand.read(anna), "* your line took longer than 10 s: it was refused\n");
    assert_eq!(hand.say(anna, "\nhello\n"), "guest1: hello\n");
    assert_eq!(hand.read(bert), "guest1: hello\n");
}

/// A driver that was not run for long still takes what happened first for what happened.
#[test]
fn a_line_that_silence_had_ended_did_not_take_too_long() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    hand.say(anna, "hello");
    assert_eq!(hand.wait(anna, 60_000), "guest1: hello\n");
    // Also when both would be at the same time.
    hand.say(anna, "hel");
    hand.now = at(69_800);
    hand.say(anna, "lo");
    assert_eq!(hand.wait(anna, 70_000), "guest1: hello\n");
    hand.now = at(60_000);
    // What took too long, and was silent afterwards, is skipped no more.
    hand.say(anna, b"\xe4\xbd");
    hand.now = at(69_900);
    hand.say(anna, b"\xa0");
    assert_eq!(hand.wait(anna, 120_000), "");
    assert_eq!(hand.read(anna), "* your line took longer than 10 s: it was refused\n");
    assert_eq!(hand.deadline(anna), None);
    assert_eq!(hand.say(anna, "new\n"), "guest1: new\n");
}

/// Its buffer is still lent, but waits for nothing.
#[test]
fn a_line_that_has_ended_has_no_deadline() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    hand.say(anna, "hel");
    assert_eq!(hand.deadline(anna), Some(at(200)));
    let mut member = hand.member(anna);
    let heard = member.handle_input(at(0), &mut &b"lo\n"[..]);
    assert!(matches!(heard, Ok(MemberEvent::Said { .. })));
    assert_eq!(member.poll_deadline(), None);
}

#[test]
fn cutting_never_matters() {
    let input = "/nick anna\nhello 你好\r\n\r\n\n/me dän\rces\n/msg guest2 psst\n/bad\n//x\r\r\nunfinished 🙂".as_bytes();
    let play = |size: usize| {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert] = hand.join_members();
        let mut heard = String::new();
        for chunk in input.chunks(size) {
            heard += &hand.say(anna, chunk);
        }
        heard += &hand.end(anna);
        [heard, hand.read(anna), hand.read(bert)]
    };
    let whole = play(usize::MAX);
    assert!(whole[2].contains("anna: /x\\x0d\nanna: unfinished 🙂\n"), "{whole:?}");
    for size in 1..40 {
        assert_eq!(play(size), whole, "{size}");
    }
}
