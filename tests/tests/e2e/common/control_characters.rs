//! A peer's text can hold what a terminal obeys: escape sequences that retitle its window or
//! forge its lines, controls that make a sentence read backwards. None reaches a screen raw,
//! whatever the route (CVE-2023-43620, CVE-2024-28085).
//!
//! That nothing raw is on standard output or standard error is demanded of every finished
//! program; the tests here make sure that there is something to hold back, and that it is shown.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;

use barewire_tests::harness::printable::{HOSTILE, printable};
use barewire_tests::harness::sockets::{ask, connect, datagram_socket, read_line};
use barewire_tests::harness::{Launch, Peer, Server, ask_patiently, run, serve, tutorial};

use crate::common::PROGRAMS;

fn assert_shown(server: &mut Server) {
    let shown = server.program.line_with(&printable(HOSTILE));
    assert!(shown.contains("127.0.0.1:"), "{shown:?}");
}

#[test]
fn controls_in_a_datagram_are_escaped() {
    let mut server = serve("udp-server", &[]);
    ask(&datagram_socket("127.0.0.1"), server.address(), HOSTILE);
    assert_shown(&mut server);
    server.stop();

    let mut server = serve("udp-server", &["--json", "-v"]);
    ask(&datagram_socket("127.0.0.1"), server.address(), HOSTILE);
    assert_eq!(server.program.event("received")["text"], printable(HOSTILE));
    server.stop();
}

#[test]
fn controls_in_a_reply_are_escaped() {
    for options in [&[][..], &["-v"]] {
        let peer = tutorial::udp_server(HOSTILE);
        ask_patiently("udp-client", &[&[&*peer.at()], options].concat())
            .exits(0)
            .prints(&printable(HOSTILE));
        peer.finish();
    }
    let peer = tutorial::udp_server(HOSTILE);
    let client = ask_patiently("udp-client", &[&peer.at(), "--json"]).exits(0);
    assert_eq!(client.event("received")["text"], printable(HOSTILE));
    peer.finish();
}

#[test]
fn controls_in_an_answer_are_escaped() {
    let answer = |server: &Server| {
        let mut stream = connect(server.address());
        read_line(&mut stream);
        stream.write_all(HOSTILE).unwrap();
    };
    let mut server = serve("tcp-server", &[]);
    answer(&server);
    assert_shown(&mut server);
    server.stop();

    let mut server = serve("tcp-server", &["--json", "-v"]);
    answer(&server);
    assert_eq!(server.program.event("received")["text"], printable(HOSTILE));
    server.stop();
}

#[test]
fn controls_in_a_greeting_are_escaped() {
    for options in [&[][..], &["-v"]] {
        let peer = tutorial::tcp_server(HOSTILE);
        let at = peer.at();
        let options = [&[&at, "--quiet-period", "10ms"], options].concat();
        run("tcp-client", &options).exits(0).prints(&printable(HOSTILE));
        peer.finish();
    }
    let peer = tutorial::tcp_server(HOSTILE);
    let client = run("tcp-client", &[&peer.at(), "--quiet-period", "10ms", "--json"]).exits(0);
    assert_eq!(client.event("received")["text"], printable(HOSTILE));
    peer.finish();
}

#[test]
fn controls_in_a_line_of_a_room_are_escaped() {
    for options in [&[][..], &["--json"]] {
        let room = Peer::tcp(|mut stream| {
            stream.write_all(&[b"anna: ", HOSTILE, b"\n"].concat()).unwrap();
        });
        let client = run("chat-client", &[&[&*room.at()], options].concat()).exits(0);
        match options {
            [] => drop(client.prints(&format!("anna: {}\n", printable(HOSTILE)))),
            _ => assert_eq!(client.event("line")["text"], printable(HOSTILE)),
        }
        room.finish();
    }
}

/// What a peer gives as the reason is part of an error.
#[test]
fn controls_in_why_a_room_turns_somebody_away_are_escaped() {
    for options in [&[][..], &["--json", "-v"]] {
        let room = Peer::tcp(|mut stream| {
            stream.write_all(&[b"* go away: ", HOSTILE, b"\n"].concat()).unwrap();
        });
        let client = run("chat-client", &[&[&*room.at()], options].concat()).exits(1);
        let why = format!("turned you away: go away: {}", printable(HOSTILE));
        client.says(&[&why]);
        room.finish();
    }
}

/// A line feed in a datagram cannot make a text look like two results.
#[test]
fn no_datagram_forges_a_line() {
    let forgery = b"x\nlistening on 203.0.113.1:80";
    for options in [&[][..], &["--json"]] {
        let server = serve("udp-server", options);
        ask(&datagram_socket("127.0.0.1"), server.address(), forgery);
        let server = server.stop();
        assert_eq!(server.output().lines().count(), 2, "{server:?}");

        let peer = tutorial::udp_server(forgery);
        let client = ask_patiently("udp-client", &[&[&*peer.at()], options].concat()).exits(0);
        assert_eq!(client.output().lines().count(), 1, "{client:?}");
        peer.finish();
    }
}

/// What is wrong in an argument is quoted in the message about it. A script may have put a
/// stranger's words there, which may or may not be UTF-8.
#[test]
fn controls_in_an_argument_are_escaped() {
    let valid = String::from_utf8_lossy(HOSTILE);
    for program in PROGRAMS {
        for before in ["", "--", "--color=", "--completions=", "127.0.0.1:", "[", "--threads="] {
            for hostile in [HOSTILE, valid.as_bytes()] {
                let mut argument = OsString::from(before);
                argument.push(OsStr::from_bytes(hostile));
                let finished = Launch::new(program).arg(&argument).run();
                assert!(matches!(finished.code(), Some(1 | 2)), "{finished:?}");
                assert!(!finished.error().is_empty(), "{finished:?}");

                let finished = Launch::new(program).arg("--json").arg(&argument).run();
                assert!(matches!(finished.code(), Some(1 | 2)), "{finished:?}");
            }
        }
    }
}

/// What is held back from a pipe for being a colour may still be sent to a terminal. Colours of
/// the program's own are welcome there, so the check is for what only the argument holds.
#[test]
fn controls_in_an_argument_are_escaped_on_a_terminal() {
    let title = "\x1b]0;title\x07";
    for program in PROGRAMS {
        for before in ["", "--", "--color=", "127.0.0.1:"] {
            let argument = format!("{before}{}", String::from_utf8_lossy(HOSTILE));
            assert!(argument.contains(title));
            let finished = Launch::new(program).arg(&argument).terminal().run();
            for harm in [title, "\u{9b}", "\u{202e}", "\x08"] {
                assert!(!finished.error().contains(harm), "{finished:?}");
            }
        }
    }
}

/// Nor does a text of one's own, which more diagnostics may well quote. (As an argument it is
/// valid UTF-8.)
#[test]
fn controls_in_a_text_of_ones_own_are_escaped() {
    let hostile = String::from_utf8_lossy(HOSTILE);
    let shown = printable(hostile.as_bytes());
    // A server does not answer its own reply text.
    let mut server = serve("udp-server", &["-v", "--reply", &format!("{hostile}!")]);
    ask_patiently("udp-client", &["-v", &server.at(), &hostile]).exits(0).prints(&shown);
    server.program.line_with(&shown);
    server.stop();

    let mut server = serve("tcp-server", &["-v", "--greeting", &hostile]);
    run("tcp-client", &["-v", &server.at(), &hostile]).exits(0).prints(&shown);
    server.program.line_with(&shown);
    server.stop();
}
