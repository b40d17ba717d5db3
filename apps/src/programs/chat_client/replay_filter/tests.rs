//! What comes again, and what does not.

use super::*;

fn missed(known: &ReplayFilter, lines: &[&str]) -> Vec<String> {
    let mut lines = lines.iter().map(|&line| line.to_owned()).collect();
    known.remove_known(&mut lines);
    lines
}

fn heard(lines: &[&str]) -> ReplayFilter {
    let mut known = ReplayFilter::default();
    for line in lines {
        known.record_received(Line::read(line.as_bytes()));
    }
    known
}

#[test]
fn what_was_missed_is_told_once() {
    let known = heard(&["a: 1", "b: 2", "a: 3"]);
    assert_eq!(missed(&known, &["a: 1", "b: 2", "a: 3", "b: 4"]), ["b: 4"]);
    assert_eq!(missed(&known, &["a: 3", "b: 4", "a: 5"]), ["b: 4", "a: 5"]);
    assert_eq!(missed(&known, &["x: 8", "x: 9"]), ["x: 8", "x: 9"]);
    assert!(missed(&known, &["a: 1", "b: 2", "a: 3"]).is_empty());
    assert!(missed(&known, &[]).is_empty());
    assert_eq!(missed(&heard(&[]), &["a: 1"]), ["a: 1"]);
}

#[test]
fn what_is_said_again_is_told_again() {
    let known = heard(&["a: ok", "b: 2"]);
    assert_eq!(missed(&known, &["a: ok", "b: 2", "a: ok"]), ["a: ok"]);
}

#[test]
fn the_users_own_lines_are_known_wherever_they_stand() {
    let mut known = heard(&["a: 1", "b: 2"]);
    known.record_nick("me");
    for line in ["mine", "//slash", "/me  waves", "/who", "tab\there"] {
        known.record_sent(line);
    }
    let lines = [
        "me: mine",
        "a: 1",
        "me: /slash",
        "me: /me waves",
        "b: 2",
        "me: tab here",
        "c: 3",
        "me: /who",
    ];
    assert_eq!(missed(&known, &lines), ["c: 3", "me: /who"]);
}

#[test]
fn notices_between_do_not_matter() {
    let known = heard(&["a: 1", "* c joined", "a: /me waves", "b: 2"]);
    assert_eq!(
        missed(&known, &["a: 1", "a: /me waves", "b: 2", "* d joined", "c: 3"]),
        ["* d joined", "c: 3"]
    );
}

#[test]
fn only_so_much_is_remembered() {
    let mut known = ReplayFilter::default();
    for number in 0..1000 {
        known.record_received(Line::read(format!("a: {number}").as_bytes()));
    }
    assert_eq!(known.said.len(), REMEMBERED);
    assert_eq!(missed(&known, &["a: 999", "a: 1000"]), ["a: 1000"]);
}

/// One who is called `me` has heard and sent lines; what becomes of those, if these come again.
fn undelivered(before: &[&str], again: &[&str]) -> [Vec<String>; 2] {
    let mut known = ReplayFilter::default();
    known.record_nick("me");
    for line in before {
        match line.strip_prefix("> ") {
            Some(typed) => known.record_sent(typed),
            None => known.record_received(Line::read(line.as_bytes())),
        }
    }
    known.begin_connection();
    known.record_sent("over the new connection");
    let again: Vec<String> = again.iter().map(|&line| line.to_owned()).collect();
    let Undelivered { lost, doubtful } = known.take_undelivered(&again);
    assert_eq!(known.take_undelivered(&again), Undelivered::default(), "told once");
    [lost, doubtful]
}

fn lost(before: &[&str], again: &[&str]) -> Vec<String> {
    let [lost, doubtful] = undelivered(before, again);
    assert!(doubtful.is_empty(), "{doubtful:?}");
    lost
}

#[test]
fn own_lines_that_are_not_among_those_that_come_again_did_not_arrive() {
    let before = ["a: 1", "> one", "b: 2", "> two", "> /who", "> three"];
    assert_eq!(lost(&before, &["a: 1", "me: one", "b: 2", "me: two", "c: 9"]), ["three"]);
    assert_eq!(lost(&before, &["b: 2", "me: two", "me: three"]), [""; 0]);
    assert_eq!(lost(&before, &["b: 2"]), ["two", "three"], "and one was before all that comes");
    assert_eq!(lost(&before, &["a: 1", "b: 2"]), ["one", "two", "three"]);
    assert_eq!(lost(&before, &["me: two", "c: 9"]), ["three"]);
}

#[test]
fn a_line_that_was_said_twice_arrived_as_often_as_it_comes_again() {
    assert_eq!(lost(&["a: 1", "> ok", "> ok"], &["a: 1", "me: ok"]), ["ok"]);
    assert_eq!(lost(&["> ok", "a: 1", "> ok"], &["a: 1"]), ["ok"]);
}

#[test]
fn what_cannot_be_known_is_told_apart_if_nothing_has_come_since() {
    let before = ["> one", "a: 1", "> two", "> /msg a psst"];
    let doubtful = ["two", "/msg a psst"].map(str::to_owned).to_vec();
    assert_eq!(undelivered(&before, &[]), [vec![], doubtful.clone()], "a room that is new");
    assert_eq!(undelivered(&before, &["x: 8", "x: 9"]), [vec![], doubtful], "much was missed");
    let private = vec!["/msg a psst".to_owned()];
    assert_eq!(undelivered(&before, &["a: 1", "me: two"]), [vec![], private]);
    assert_eq!(lost(&before, &["a: 1"]), ["two", "/msg a psst"], "they arrive in order");
}

#[test]
fn what_had_not_gone_out_is_not_lost() {
    let mut known = heard(&["a: 1"]);
    known.record_nick("me");
    known.record_sent("one");
    known.record_sent("two");
    known.forget_sent("two");
    known.begin_connection();
    let Undelivered { lost, .. } = known.take_undelivered(&["a: 1".to_owned()]);
    assert_eq!(lost, ["one"]);
}

#[test]
fn the_nick_may_have_changed_under_way() {
    let mut known = heard(&["a: 1"]);
    known.record_nick("guest1");
    known.record_sent("one");
    known.record_nick("me");
    known.begin_connection();
    let again = ["a: 1".to_owned(), "me: one".to_owned()];
    assert_eq!(known.take_undelivered(&again), Undelivered::default());
    assert_eq!(missed(&known, &["a: 1", "me: one"]), [""; 0]);
}

/// A room, and a link to it on which lines are under way both ways when it breaks. What is called lost has
/// not arrived; and of what has not, all is called so that was sent after something came that the room
/// sends again.
#[test]
fn what_is_called_lost_is_lost_whatever_was_under_way() {
    let seed = 0x1057;
    let mut random = fastrand::Rng::with_seed(seed);
    for round in 0..5000 {
        let mut known = ReplayFilter::default();
        known.record_nick("me");
        let (mut room, mut up, mut down) = (Vec::new(), VecDeque::new(), VecDeque::new());
        // Own lines, each with how many of the others' had come before.
        let (mut sent, mut received) = (Vec::new(), 0);
        for number in 0..random.usize(..40) {
            match random.u8(..4) {
                0 => {
                    let line = number.to_string();
                    known.record_sent(&line);
                    sent.push((format!("me: {line}"), received));
                    up.push_back(format!("me: {line}"));
                }
                1 => room.extend(up.pop_front()),
                2 => {
                    room.push(format!("a: {number}"));
                    down.push_back(format!("a: {number}"));
                }
                _ => {
                    if let Some(line) = down.pop_front() {
                        known.record_received(Line::read(line.as_bytes()));
                        received += 1;
                    }
                }
            }
        }
        known.begin_connection();
        let history = &room[random.usize(..=room.len())..];
        let Undelivered { lost, .. } = known.take_undelivered(history);
        let context =
            format!("seed {seed}, round {round}: {sent:?}, {room:?}, {history:?}: {lost:?}");
        let is_called_lost = |line: &String| lost.iter().any(|lost| format!("me: {lost}") == *line);
        let missing = room.iter().filter(|line| line.starts_with("a: ")).count()
            - history.iter().filter(|line| line.starts_with("a: ")).count();
        for (line, before) in &sent {
            let has_arrived = room.contains(line);
            assert!(!(has_arrived && is_called_lost(line)), "{line} of {context}");
            if !has_arrived && *before > missing {
                assert!(is_called_lost(line), "{line} of {context}");
            }
        }
    }
}
