//! Off a terminal: standard input to lines, and lines to standard output.

use std::io::Write;
use std::net::Shutdown;
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{
    RefusedTcp, assert_nothing_arrives, read_line, read_to_end, reset,
};
use barewire_tests::harness::{Folder, Launch, Peer, run, serve};

use super::WELCOME;
use crate::chat::{Member, numbered};
use crate::common::words::TOO_LONG;
use crate::tcp::quiet_rule::until_in_time;

/// A client that reads `text` from a file.
fn client(folder: &Folder, at: &str, text: &[u8]) -> Launch {
    let path = folder.path("input");
    std::fs::write(&path, text).unwrap();
    Launch::new("chat-client").arg(at).stdin(std::fs::File::open(path).unwrap())
}

#[test]
fn lines_go_both_ways_and_the_end_of_input_is_a_half_close() {
    let server = Peer::tcp(|mut stream| {
        let said = read_to_end(&mut stream);
        stream.write_all(b"anna: still here\n* anna left\n").unwrap();
        said
    });
    let finished = client(&Folder::new(), &server.at(), b"one\r\n\n\xe6\x97\xa5\nlast").run();
    assert_eq!(finished.exits(0).is_silent().output(), "anna: still here\n* anna left\n");
    assert_eq!(server.finish(), "one\n\n日\nlast\n");
}

#[test]
fn records_tell_kinds_of_lines_apart() {
    let server = Peer::tcp(|mut stream| {
        let lines = [
            "anna: hi\n",
            "(private) bob: psst\n",
            "bob: /me waves\n",
            "* bob left\n",
            "plain \x1b\n",
        ];
        stream.write_all(lines.concat().as_bytes()).unwrap();
        read_to_end(&mut stream);
    });
    let finished = run("chat-client", &[&server.at(), "--json"]).exits(0);
    let told: Vec<String> = finished.events().iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            r#"{"event":"line","nick":"anna","private":false,"text":"hi"}"#,
            r#"{"event":"line","nick":"bob","private":true,"text":"psst"}"#,
            r#"{"action":true,"event":"line","nick":"bob","private":false,"text":"waves"}"#,
            r#"{"event":"notice","text":"bob left"}"#,
            r#"{"event":"line","nick":null,"private":false,"text":"plain \\x1b","text_base64":"cGxhaW4gGw=="}"#,
        ]
    );
    server.finish();
}

#[test]
fn a_nick_is_told_before_anything_else_to_a_server_that_knows_commands_only() {
    for (opening, expected) in [(WELCOME, "/nick anna\nhi\n"), ("hello", "hi\n"), ("", "hi\n")] {
        let server = Peer::tcp(move |mut stream| {
            stream.write_all(opening.as_bytes()).unwrap();
            let mut said = String::new();
            if opening == WELCOME {
                said = read_line(&mut stream) + "\n";
                assert_nothing_arrives(&stream);
                stream.write_all(b"* ben joined\n* guest1 is now anna\n").unwrap();
            }
            said + &read_to_end(&mut stream)
        });
        // A longer wait could only hide a fault where the server does welcome.
        let wait = if opening == WELCOME { "1h" } else { "100ms" };
        let client = client(&Folder::new(), &server.at(), b"hi\n").args(["--nick", "anna"]);
        client.args(["--welcome-timeout", wait]).run().exits(0);
        assert_eq!(server.finish(), expected, "after {opening:?}");
    }
}

/// A script does not speak under another name than the one that it is to have.
#[test]
fn without_the_nick_that_it_asks_for_nothing_is_said() {
    let mut server = serve("chat-server", &[]);
    let mut anna = Member::join(server.address());
    anna.say("/nick anna");
    assert!(anna.line().ends_with(" is now anna"));
    for (nick, why) in [
        ("anna", "this nick is taken, or looks like one that is"),
        ("server", "this nick is reserved, or looks like one that is"),
        ("aаa", "the letters of a nick are of one script"),
    ] {
        for text in [&b"hi\n"[..], b""] {
            let client = client(&Folder::new(), &server.at(), text).args(["--nick", nick]);
            let told = format!("does not give you the nick {nick}, so nothing was sent: {why}");
            client.run().exits(1).says(&[&told]);
            server.program.line_with(" left");
        }
    }
    let client = client(&Folder::new(), &server.at(), b"hi\n").args(["--nick", "ben", "--json"]);
    client.run().exits(0).is_silent();
    let said = server.program.line_with(": hi");
    assert_eq!(said, "ben: hi");
    let server = server.stop();
    assert_eq!(server.output().matches(": hi").count(), 1, "{server:?}");
}

#[test]
fn a_server_that_does_not_answer_to_a_nick_is_not_waited_for_without_an_end() {
    let server = Peer::tcp(|mut stream| {
        stream.write_all(WELCOME.as_bytes()).unwrap();
        read_to_end(&mut stream)
    });
    let client = client(&Folder::new(), &server.at(), b"hi\n").args(["--nick", "anna"]);
    let client = client.args(["--timeout", "1s"]).run().exits(1);
    client.says(&["so nothing was sent: it did not answer within 1 s (--timeout allows more)"]);
    assert_eq!(server.finish(), "/nick anna\n");
}

/// So does one with a key, over a Unix socket, at the latest when its time for the handshake is over.
#[test]
fn a_server_that_closes_without_a_word_before_anything_is_said_may_lack_a_key() {
    let folder = Folder::new();
    let listener = UnixListener::bind(folder.path("socket")).unwrap();
    let (input, speaker) = std::io::pipe().unwrap();
    let at = format!("unix:{}", folder.path("socket").display());
    let client = Launch::new("chat-client").arg(at).stdin(input).spawn();
    drop(listener.accept().unwrap());
    client.finish().exits(1).says(&["closed the connection without a word"]).says(&["--key"]);
    drop(speaker);
}

#[test]
fn a_reset_fails_and_is_not_tried_again() {
    let server = Peer::tcp_listener(|listener| {
        let (mut stream, _) = listener.accept().unwrap();
        read_line(&mut stream);
        reset(stream);
        listener
    });
    let client = client(&Folder::new(), &server.at(), b"hi\n");
    client.run().exits(1).says(&["reset"]);
    let listener = server.finish();
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "it comes again");
    run("chat-client", &[&RefusedTcp::hold().at()]).exits(1).says(&["refused"]);
}

#[test]
fn a_line_that_is_too_long_fails_and_takes_no_other_with_it() {
    let server = Peer::tcp(|mut stream| read_to_end(&mut stream));
    let longest = "x".repeat(1024);
    let text = format!("one\n{longest}y\n{longest}\r\n{}\nlast\n", "z".repeat(100_000));
    let client = client(&Folder::new(), &server.at(), text.as_bytes());
    client.run().exits(1).says(&["1024 bytes"]);
    assert_eq!(server.finish(), format!("one\n{longest}\nlast\n"));
}

/// A script must not take the end for success, and finds in which place something is missing.
#[test]
fn a_line_of_the_servers_that_is_too_long_is_told_in_its_place() {
    let server = Peer::tcp(|mut stream| {
        let long = "x".repeat(4 * 1024 + 129);
        stream.write_all(format!("anna: one\n{long}\nanna: two\n").as_bytes()).unwrap();
        read_to_end(&mut stream);
    });
    let finished = run("chat-client", &[&server.at(), "--json"]).exits(1).says(&TOO_LONG);
    let told: Vec<_> = finished.events().iter().map(|event| event["event"].clone()).collect();
    assert_eq!(told, ["line", "error", "line"]);
    server.finish();
}

#[test]
fn quit_ends_it_and_a_server_of_another_make_never_hears_of_it() {
    let server = Peer::tcp(|mut stream| read_to_end(&mut stream));
    client(&Folder::new(), &server.at(), b"hi\n/quit\nnot this\n").run().exits(0);
    assert_eq!(server.finish(), "hi\n");
}

/// More lines than a server takes at once lose none; were they to come together after half a second, some would.
#[test]
fn a_long_pipe_keeps_the_pace_that_the_server_allows() {
    const LINES: usize = 110;

    until_in_time(|_| {
        let server = serve("chat-server", &["--rate", "200", "-q"]);
        let mut listener = Member::join(server.address());
        let client = client(&Folder::new(), &server.at(), numbered("", LINES).as_bytes());
        let begun = Instant::now();
        let client = client.args(["--rate", "200"]).run();
        assert!(begun.elapsed() >= Duration::from_millis(500), "{:?}", begun.elapsed());
        let in_time = client.code() == Some(0);
        if in_time {
            assert!(listener.line().ends_with(" joined"));
            for number in 0..LINES {
                let line = listener.line();
                assert!(line.ends_with(&format!(": {number}")), "{line:?} in place of {number}");
            }
            client.is_silent().omits("too fast");
        }
        server.stop();
        in_time
    });
}

#[test]
fn what_the_pace_holds_back_waits_and_is_told_if_the_server_ends_the_chat() {
    let begun = Instant::now();
    let server = Peer::tcp(move |mut stream| {
        stream.write_all(WELCOME.as_bytes()).unwrap();
        let said: Vec<String> = (0..99).map(|_| read_line(&mut stream)).collect();
        stream.shutdown(Shutdown::Write).unwrap();
        said.join("\n") + "\n" + &read_to_end(&mut stream)
    });
    let client = client(&Folder::new(), &server.at(), numbered("", 200).as_bytes());
    client
        .args(["--rate", "1"])
        .run()
        .exits(1)
        .says(&["the server closed the connection; queued lines not sent: "]);
    let said = server.finish();
    let lines = said.lines().count();
    assert_eq!(said, numbered("", lines));
    // One more in each second.
    let most = 99 + begun.elapsed().as_secs();
    assert!(lines as u64 <= most, "{lines} lines, of {most}");
}

/// The room takes what it takes: the client cannot know, but notices.
#[test]
fn lines_that_the_server_refuses_make_it_a_failure() {
    let server = serve("chat-server", &["--rate", "1", "-q"]);
    let client = client(&Folder::new(), &server.at(), numbered("", 300).as_bytes());
    let finished = client.args(["--rate", "0", "--json"]).run().exits(1).says(&["--rate"]);
    finished.event("error");
    server.stop();
}

/// One who says anything but a welcome, and one who says nothing, gets all as fast as it comes.
#[test]
fn a_server_of_another_make_is_not_kept_waiting() {
    for opening in ["hello\n", ""] {
        let server = Peer::tcp(move |mut stream| {
            stream.write_all(opening.as_bytes()).unwrap();
            read_to_end(&mut stream)
        });
        let client = client(&Folder::new(), &server.at(), numbered("", 300).as_bytes());
        let client = client.args(["--welcome-timeout", "100ms"]);
        client.args(["--rate", "1"]).run().exits(0).is_silent();
        assert_eq!(server.finish(), numbered("", 300), "after {opening:?}");
    }
}
