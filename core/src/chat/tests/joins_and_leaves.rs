use super::*;
use std::cell::Cell;

#[test]
fn a_newcomer_is_welcomed_and_the_others_are_told() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let anna = hand.join().unwrap();
    assert_eq!(hand.room.nick(anna), Some("guest1"));
    assert_eq!(hand.read(anna), "* welcome to barewire chat, you are guest1 (/help)\n");
    let bert = hand.join().unwrap();
    assert_eq!(hand.read_by(bert, 1), "* welcome to barewire chat, you are guest2 (/help)\n");
    assert_eq!(hand.read_by(anna, 3), "* guest2 joined\n");
    let server = hand.room.operator();
    assert_eq!(hand.read(server), "* guest1 joined\n* guest2 joined\n");
    assert_eq!(hand.room.count(), 2);
}

#[test]
fn what_was_said_goes_to_a_newcomer_and_what_was_not_does_not() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit().with_history(3)));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "one\ntwo\n/me waves\n/msg guest2 secret\n/nick anna\n/who\nthree\n");
    hand.leave(bert, LeaveReason::Lost);
    let carl = hand.join().unwrap();
    let expected = "* welcome to barewire chat, you are guest3 (/help)\nguest1: two\n\
                    guest1: /me waves\nanna: three\n";
    for step in [1, 5, usize::MAX] {
        let id = if step == 1 { carl } else { hand.join().unwrap() };
        let nick = hand.room.nick(id).unwrap().to_owned();
        assert_eq!(hand.read_by(id, step), expected.replace("guest3", &nick));
        if step != 1 {
            hand.leave(id, LeaveReason::Quit);
        }
    }
    // What comes while a newcomer still reads its history comes after it, whole.
    let dora = hand.join().unwrap();
    let start = hand.read_once(dora, 60);
    hand.say(anna, "four\n");
    let rest = hand.read(dora);
    let all = String::from_utf8(start).unwrap() + &rest;
    assert_eq!(all, expected.replace("guest3", "guest6") + "anna: four\n");
    let own = hand.read(carl);
    assert!(own.ends_with("* guest6 joined\nanna: four\n"), "{own}");
}

#[test]
fn no_history_is_kept_from_evicted_lines_or_if_none_is_wanted() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    hand.say_lines(anna, 100);
    let id = hand.join().unwrap();
    let got = hand.read(id);
    // At most half of the log's 16 lines.
    let (_, lines) = got.split_once('\n').unwrap();
    assert!(!lines.is_empty(), "{got}");
    assert!(numbered("guest1: line", 92..100).ends_with(lines), "{got}");

    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit().with_history(0)));
    let [anna] = hand.join_members();
    hand.say(anna, "hello\n");
    let id = hand.join().unwrap();
    assert_eq!(hand.read(id), "* welcome to barewire chat, you are guest2 (/help)\n");
}

#[test]
fn a_newcomer_who_reads_nothing_leaves_room_for_what_is_said() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    hand.say_lines(anna, 100);
    let id = hand.join().unwrap();
    hand.say(anna, "one more\n");
    assert!(hand.read(id).ends_with("one more\n"));
}

#[test]
fn the_others_are_told_why_somebody_left() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    for (why, reason) in [
        (LeaveReason::Quit, ""),
        (LeaveReason::Lost, " (connection lost)"),
        (LeaveReason::FellBehind, " (fell behind)"),
        (LeaveReason::Stopped, " (the server stops)"),
        (LeaveReason::Kicked, " (kicked)"),
    ] {
        let id = hand.join().unwrap();
        let nick = hand.room.nick(id).unwrap().to_owned();
        hand.leave(id, why);
        assert_eq!(hand.read(anna), format!("* {nick} joined\n* {nick} left{reason}\n"));
        assert!(hand.room.needs_poll() && !hand.room.needs_poll());
    }
    hand.leave(bert, LeaveReason::Quit);
    hand.leave(bert, LeaveReason::Quit);
    assert_eq!(hand.room.count(), 1);
}

#[test]
fn a_place_that_is_used_again_shows_nothing_of_who_had_it() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(bert, "mine\n");
    hand.say(anna, "/msg guest2 secret\nhello\nunfin");
    hand.leave(bert, LeaveReason::Quit);
    assert!(hand.room.member(bert).is_none() && hand.room.nick(bert).is_none());
    let carl = hand.join().unwrap();
    assert_ne!(bert, carl);
    // Its place is bert's; the history has what bert said himself.
    let shown = hand.read(carl);
    assert_eq!(
        shown,
        "* welcome to barewire chat, you are guest3 (/help)\nguest2: mine\nguest1: hello\n"
    );
    hand.say(anna, "ished\n/msg guest2 gone\n");
    assert_eq!(hand.read(carl), "guest1: unfinished\n");
    assert!(hand.read(anna).ends_with("* nobody here is called guest2; /who tells who is here\n"));
    // Whoever left has no unfinished line in the pool.
    hand.say(carl, "ab");
    hand.leave(carl, LeaveReason::Lost);
    let dora = hand.join().unwrap();
    hand.say(dora, "cd\n");
    assert!(hand.read(anna).ends_with("guest4: cd\n"));
}

#[test]
fn a_full_room_lets_nobody_in_until_somebody_leaves() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let ids: [MemberId; 5] = hand.join_members();
    assert_eq!(hand.join(), Err(JoinError::RoomFull));
    hand.leave(ids[2], LeaveReason::Quit);
    let id = hand.join().unwrap();
    assert_eq!((hand.room.nick(id), hand.room.count()), (Some("guest6"), 5));
    assert_eq!(hand.join(), Err(JoinError::RoomFull));
}

#[test]
fn who_ends_its_stream_gets_what_was_said_before_and_nothing_after() {
    for quits in [false, true] {
        let mut memory = wide();
        let mut hand = Harness::new(memory.room(no_limit()));
        let [anna, bert] = hand.join_members();
        hand.say(bert, "before\n");
        if quits {
            assert_eq!(hand.say(anna, "last\n/quit\nnot any more\n"), "guest1: last\n");
        } else {
            hand.say(anna, "last");
            assert_eq!(hand.end(anna), "guest1: last\n");
        }
        assert_eq!(hand.end(anna), "");
        hand.say(bert, "after\n/msg guest1 gone\n/who\n");
        assert_eq!(hand.deadline(anna), Some(hand.now + DEFAULT_END_TIMEOUT));
        assert_eq!(hand.read_by(anna, 2), "guest2: before\n|.");
        assert_eq!(
            hand.read(bert),
            "guest1: last\n* nobody here is called guest1; /who tells who is here\n\
             * here: server, guest2\n"
        );
        hand.leave(anna, LeaveReason::Quit);
        assert_eq!(hand.read(bert), "* guest1 left\n");
    }
}

#[test]
fn an_answer_to_the_last_line_is_received_too() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    hand.say(anna, "/who");
    hand.end(anna);
    assert_eq!(hand.read(anna), "* here: server, guest1\n|.");
    let [bert] = hand.join_members();
    hand.say(bert, "/quit");
    hand.end(bert);
    assert_eq!(hand.read(bert), "|.");
}

#[test]
fn who_is_dismissed_gets_what_was_said_before_and_nothing_after() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "before\n");
    hand.disconnect(bert);
    hand.say(anna, "after\n");
    assert_eq!(hand.offer(bert, b"why?\n").0, "");
    assert_eq!(hand.read(bert), "guest1: before\n|.");
}

#[test]
fn a_member_knows_its_nick() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    hand.say(anna, "/nick anna\n");
    assert_eq!(hand.member(anna).nick(), "anna");
    assert_eq!(hand.member(bert).nick(), "guest2");
}

#[test]
fn who_is_known_by_a_name_has_that_nick_and_keeps_it() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    let ben = hand.room.join_named(hand.now, Source(50), "ben").unwrap();
    assert_eq!(hand.read_by(ben, 3), "* welcome to barewire chat, you are ben (/help)\n");
    let also_ben = hand.room.join_named(hand.now, Source(51), "ben").unwrap();
    assert_eq!(hand.read_by(also_ben, 7), "* welcome to barewire chat, you are ben-2 (/help)\n");
    assert_eq!(hand.read(anna), "* ben joined\n* ben-2 joined\n");
    let kept = "* this server gives you your nick, and you keep it\n";
    hand.say(ben, "/nick carl\n/nick ben\nhello\n");
    assert_eq!(hand.read(ben), format!("* ben-2 joined\n{kept}* that is your nick already\n"));
    assert_eq!(hand.read(anna), "ben: hello\n");
    // Nobody else has them, or what looks like them.
    let taken = "* this nick is taken, or looks like one that is\n";
    hand.say(anna, "/nick ben\n/nick BEN_2\n");
    assert_eq!(hand.read(anna), taken.repeat(2));
    assert_eq!(hand.room.nick(also_ben), Some("ben-2"));
}

/// Wherever it comes from: its nick is kept for nobody else.
#[test]
fn who_is_known_by_a_name_has_it_again_after_a_lost_connection() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let ids = [50, 51].map(|source| {
        let joined = hand.room.join_named(hand.now, Source(source), "ben");
        joined.unwrap()
    });
    hand.leave(ids[0], LeaveReason::Lost);
    let again = hand.room.join_named(hand.now, Source(52), "ben").unwrap();
    assert_eq!(hand.room.nick(again), Some("ben"));
    let third = hand.room.join_named(hand.now, Source(53), "ben").unwrap();
    assert_eq!(hand.room.nick(third), Some("ben-3"));
    // The next who has the slot is not named.
    hand.leave(third, LeaveReason::Quit);
    let [guest] = hand.join_members();
    assert!(hand.say(guest, "/nick carl\n").contains("is now carl"));
}

/// However many have the name, the tables are asked about few nicks.
#[test]
fn a_free_number_behind_a_name_is_found_without_trying_all_that_are_taken() {
    std::thread_local!(static ASKED: Cell<u32> = const { Cell::new(0) });
    let check = |_: &str| {
        ASKED.set(ASKED.get() + 1);
        Ok(())
    };
    let mut memory = ample(120, 4);
    let mut hand = Harness::new(memory.room(no_limit().with_nicks(NickRules { check, skeleton })));
    let join = |hand: &mut Harness<'_>, source| {
        ASKED.set(0);
        let id = hand.room.join_named(hand.now, Source(source), "ben").unwrap();
        assert!(ASKED.get() <= 4, "{} nicks", ASKED.get());
        id
    };
    // Like ben-2, like ben-40, and like none that is given.
    let others = hand.join_members::<3>();
    for (id, nick) in others.into_iter().zip(["BEN_2", "ben.4O", "ben-05"]) {
        hand.say(id, format!("/nick {nick}\n"));
    }
    let all: Vec<_> = (0..100).map(|source| join(&mut hand, 200 + source)).collect();
    let numbers = (1..).filter(|number| ![2, 40].contains(number));
    for (id, number) in all.iter().zip(numbers) {
        let expected = if number == 1 { "ben".into() } else { format!("ben-{number}") };
        assert_eq!(hand.room.nick(*id), Some(&*expected));
    }
    for gone in [70, 1, 0] {
        let nick = hand.room.nick(all[gone]).unwrap().to_owned();
        hand.leave(all[gone], LeaveReason::Quit);
        let again = join(&mut hand, 400);
        assert_eq!(hand.room.nick(again), Some(&*nick));
    }
}

#[test]
fn a_name_that_is_no_nick_lets_nobody_in() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let longest = "z".repeat(MAX_NICK);
    hand.room.join_named(hand.now, Source(1), &longest).unwrap();
    let longer = "z".repeat(MAX_NICK + 1);
    for name in ["", "server", "guest7", "a b", "a:", "日本", &longer, &longest] {
        let refused = hand.room.join_named(hand.now, Source(1), name);
        assert_eq!(refused, Err(JoinError::NoNick), "{name}");
    }
    assert_eq!(hand.room.count(), 1);
}
