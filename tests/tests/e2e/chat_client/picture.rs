//! The picture in the README is of what the client shows.

use barewire_tests::harness::serve;

use super::screen::Terminal;
use crate::chat::Member;

/// The rows of the picture.
fn picture() -> Vec<String> {
    let picture = include_str!("../../../../apps/chat-client.svg");
    let mut rows: Vec<(&str, String)> = Vec::new();
    for word in picture.lines().filter(|line| line.starts_with("<text ")) {
        let place = word.split(' ').find(|it| it.starts_with("y=")).expect("where it is");
        let text = word.split_once('>').expect("what it is").1.trim_end_matches("</text>");
        if rows.last().is_none_or(|(last, _)| *last != place) {
            rows.push((place, String::new()));
        }
        rows.last_mut().expect("one at least").1.push_str(&text.replace("&gt;", ">"));
    }
    rows.into_iter().map(|(_, row)| row).collect()
}

/// A row without any spaces, and without the time that it begins with, if one does.
fn untimed(row: &str) -> String {
    let row = row.replace(' ', "");
    let is_timed = row.as_bytes().get(2) == Some(&b':') && row.as_bytes()[0].is_ascii_digit();
    if is_timed { row[5..].to_owned() } else { row }
}

#[test]
fn it_shows_what_the_picture_in_the_readme_shows() {
    let server = serve("chat-server", &[]);
    let mut anna = Terminal::start_sized((76, 30), &server.at(), &["--nick", "anna"]);
    anna.wait_for_row("*** guest1 is now anna");
    let [mut ben, mut xiaolin] = [("guest2", "ben"), ("guest3", "小林")].map(|(guest, nick)| {
        let mut member = Member::join(server.address());
        member.say(&format!("/nick {nick}"));
        anna.wait_for_row(&format!("*** {guest} is now {nick}"));
        member
    });
    ben.say("good morning, is the build green?");
    anna.wait_for("green?");
    xiaolin.say("早上好！ almost, two tests left");
    anna.wait_for("two tests left");
    anna.press("I can look at one of them\r");
    while ben.line() != "anna: I can look at one of them" {}
    xiaolin.say(
        "/msg anna the second one is flaky, look there: it waits for a reply that may have come \
         before it looks",
    );
    anna.wait_for("before it looks");
    ben.say("thanks anna!");
    anna.wait_for("thanks anna!");
    xiaolin.say("\x1b[2J\x1b[31mnice try");
    anna.wait_for("nice try");
    xiaolin.say(&format!("{}21:20 ben: it was me", "x".repeat(64)));
    anna.wait_for("it was me");
    ben.say("/me puts the kettle on");
    anna.wait_for("the kettle");
    anna.press("half a line, while others");
    anna.wait_for("half a line, while others");
    for (mut member, nick) in [(xiaolin, "小林"), (ben, "ben")] {
        member.finish();
        anna.wait_for_row(&format!("*** {nick} left"));
    }
    let expected: Vec<String> = picture().iter().map(|row| untimed(row)).collect();
    let shown: Vec<String> = anna.plain_rows().iter().map(|row| untimed(row)).collect();
    assert!(shown.ends_with(&expected), "{shown:#?}\n{expected:#?}");
    drop(anna);
    server.stop();
}
