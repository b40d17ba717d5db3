use super::*;

#[test]
fn what_is_said_goes_to_all_others_in_order() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    assert_eq!(hand.say(anna, "hello\n/me waves\n"), "guest1: hello\nguest1: /me waves\n");
    hand.say(bert, "//nick x\n/nick bert\n");
    hand.say(anna, " spaces stay \n");
    assert_eq!(hand.read(anna), "guest2: /nick x\n* guest2 is now bert\n");
    assert_eq!(
        hand.read(bert),
        "guest1: hello\nguest1: /me waves\n* guest2 is now bert\nguest1:  spaces stay \n"
    );
    let all = "guest1: hello\nguest1: /me waves\nguest2: /nick x\n* guest2 is now bert\nguest1:  spaces stay \n";
    assert_eq!(hand.read_by(carl, 7), all);
    assert_eq!(hand.read(hand.room.operator()), all);
}

#[test]
fn a_private_line_keeps_its_place_and_reaches_one_member_only() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert, carl] = hand.join_members();
    // Nobody is told whom a private line is for, the operator's records least of all.
    assert_eq!(hand.say(anna, "one\n/msg GUEST2 for  you\ntwo\n"), "guest1: one\nguest1: two\n");
    hand.say(anna, "/msg guest1 note to self\n/msg server help\n/msg nobody x\n");
    assert_eq!(hand.read(bert), "guest1: one\n(private) guest1: for  you\nguest1: two\n");
    assert_eq!(hand.read(carl), "guest1: one\nguest1: two\n");
    assert_eq!(
        hand.read(anna),
        "(private) guest1: note to self\n* nobody here is called nobody; /who tells who is here\n"
    );
    let server = hand.room.operator();
    assert_eq!(hand.read(server), "guest1: one\nguest1: two\n(private) guest1: help\n");
    // By what it looks like, as nicks are told apart.
    hand.say(bert, "/nick Bill\n");
    hand.say(carl, "/msg b1LL psst\n");
    assert!(hand.read(bert).ends_with("(private) guest3: psst\n"));
}

#[test]
fn nicks_are_unique_and_are_free_again_when_given_up() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    assert_eq!(hand.say(anna, "/nick anna\n"), "* guest1 is now anna\n");
    assert_eq!(hand.say(anna, "/nick Anna\n"), "* anna is now Anna\n");
    assert_eq!(hand.say(anna, "/nick Anna\n"), "");
    for (name, why) in [
        ("ANNA", "this nick is taken, or looks like one that is"),
        ("5erver", "this nick is reserved, or looks like one that is"),
        ("guest9", "this nick is reserved, or looks like one that is"),
        ("a b", ""),
        ("a:", "a nick has letters in everyday use, digits and -_. only"),
        (&"x".repeat(25), "a nick has 1 to 24 characters"),
    ] {
        hand.read(bert);
        let heard = hand.say(bert, format!("/nick {name}\n"));
        assert_eq!(hand.room.nick(bert), Some("guest2"), "{name}");
        assert_eq!(heard, "");
        assert!(hand.read(bert).contains(why), "{name}");
    }
    assert_eq!(hand.say(bert, b"/nick \xff\n"), "");
    assert!(hand.read(bert).starts_with("* a nick has letters"));
    assert_eq!(
        hand.read(anna),
        "* guest1 is now anna\n* anna is now Anna\n* that is your nick already\n"
    );
    hand.say(anna, "/nick other\n");
    assert_eq!(hand.say(bert, "/nick anna\n"), "* guest2 is now anna\n");
    hand.leave(bert, LeaveReason::Quit);
    assert_eq!(hand.say(anna, "/nick anna\n"), "* other is now anna\n");
}

#[test]
fn what_cannot_be_done_is_answered() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    for (line, answer) in [
        ("/nick", "write it as: /nick NAME"),
        ("/me", "write it as: /me TEXT"),
        ("/msg guest1", "write it as: /msg NICK TEXT"),
        ("/dance", "no such command; /help tells which there are, //x says /x"),
        ("/msg a\u{1b}[2J x", "nobody here is called a\\x1b[2J; /who tells who is here"),
        (
            &format!("/msg {} x", "y".repeat(25)),
            "nobody here is called that; /who tells who is here",
        ),
    ] {
        assert_eq!(hand.say(anna, format!("{line}\n")), "");
        assert_eq!(hand.read(anna), format!("* {answer}\n"));
    }
    hand.say(anna, "/help\n \n\n");
    let help = hand.read(anna);
    for command in ["/nick NAME", "/who", "/msg NICK TEXT", "/me TEXT", "/help", "/quit", "//"] {
        assert!(help.contains(command), "{help}");
    }
    assert_eq!(help.lines().count(), 1);
}

#[test]
fn who_is_here_is_told_as_far_as_it_fits() {
    let mut memory = ample(40, 2);
    let mut hand = Harness::new(memory.room(any_letters()));
    let ids: [MemberId; 39] = hand.join_members();
    hand.say(ids[0], "/who\n");
    let told = hand.read(ids[0]);
    assert!(told.starts_with("* here: server, guest1, guest2, ") && told.ends_with(", guest39\n"));
    for (number, &id) in (10..).zip(&ids) {
        hand.say(id, format!("/nick {number}{}\n", "日".repeat(22)));
        for id in ids {
            hand.read(id);
        }
        hand.read(hand.room.operator());
    }
    // Short enough for what is left, but its turn comes after some that were not.
    hand.say(ids[38], "/nick z\n");
    hand.read(ids[0]);
    hand.say(ids[0], "/who\n");
    let told = hand.read(ids[0]);
    assert!(!told.contains(", z"), "{told}");
    let shown = told.matches(", ").count();
    assert!(told.ends_with(&format!(" and {} more\n", 39 - shown)), "{told}");
    assert!(told.len() <= MAX_TEXT + 32);
}

#[test]
fn a_flood_is_refused_and_commands_count() {
    let mut memory = wide();
    let mut hand = Harness::new(memory.room(RoomConfig::new()));
    let [anna, bert] = hand.join_members();
    let paste = numbered("line", 0..50);
    hand.say(anna, &paste);
    assert_eq!(hand.read(bert), paste.replace("line", "guest1: line"));
    hand.say(anna, "/who\n".repeat(49) + "/dance\nrefused\n/who\n");
    let told = hand.read(anna);
    assert!(told.lines().any(|line| Line::read(line.as_bytes()).is_refusal()));
    assert_eq!(told.matches("* here").count(), 49);
    assert!(told.ends_with(
        "//x says /x\n* too fast: your lines are refused (10 a second pass, 100 at once)\n"
    ));
    assert_eq!(hand.read(bert), "");
    hand.say(bert, "unaffected\n");
    assert_eq!(hand.read(anna), "guest2: unaffected\n");
    hand.now = at(100);
    hand.say(anna, "again\nnot again\n");
    assert_eq!((hand.read(bert), hand.read(anna)), ("guest1: again\n".into(), String::new()));
    // What is too long counts as well: no notes without end.
    hand.now = at(1_000);
    hand.say(anna, ("x".repeat(1025) + "\n").repeat(30));
    let notes = hand.read(anna);
    assert_eq!(notes.matches("a line has at most 1024 bytes").count(), 9);
    assert_eq!(notes.lines().count(), 10, "{notes}");
}
