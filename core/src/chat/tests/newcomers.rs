//! What a newcomer is sent, and how long it is waited for.

use super::*;

#[test]
fn a_newcomer_that_reads_nothing_is_waited_for_too() {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna, bert] = hand.join_members();
    let server = hand.room.operator();
    fill(&mut hand, anna, &[server]);
    hand.now = at(240);
    let carl = hand.join().unwrap();
    assert_eq!(hand.wait(anna, 250), "");
    assert_eq!([hand.wait(bert, 250), hand.wait(carl, 250)], ["!FellBehind", ""]);
}

/// What a newcomer receives that comes after so many lines, and reads late or at once.
fn received(before: usize, is_late: bool) -> String {
    let mut memory = narrow();
    let mut hand = Harness::new(memory.room(no_limit()));
    let [anna] = hand.join_members();
    let server = hand.room.operator();
    for number in 0..before {
        hand.say(anna, format!("early {number}\n"));
        hand.read(server);
    }
    let bert = hand.join().unwrap();
    hand.read(anna);
    let first = if is_late { String::new() } else { hand.read(bert) };
    fill(&mut hand, anna, &[server]);
    first + &hand.read(bert)
}

/// Wherever in the ring it begins.
#[test]
fn what_a_newcomer_was_promised_is_kept_until_it_reads() {
    for before in 90..106 {
        let (late, at_once) = (received(before, true), received(before, false));
        assert!(late.contains("early") && late.contains("line 0"), "{late}");
        assert!(at_once.starts_with(&late), "{at_once}\nbut late\n{late}");
    }
}
