//! Off a terminal: standard input to lines, and lines to standard output.

use std::io::Write;

use barewire_tests::harness::sockets::{RefusedTcp, read_line, read_to_end, reset};
use barewire_tests::harness::{Folder, Launch, Peer, run};

use super::WELCOME;

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
        let lines = ["anna: hi\n", "(private) bob: psst\n", "* bob waves\n", "plain \x1b\n"];
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
            r#"{"event":"notice","text":"bob waves"}"#,
            r#"{"event":"line","nick":null,"private":false,"text":"plain \\x1b"}"#,
        ]
    );
    server.finish();
}

#[test]
fn a_nick_is_told_before_anything_else_to_a_server_that_knows_commands_only() {
    for (opening, expected) in [(WELCOME, "/nick anna\nhi\n"), ("hello", "hi\n"), ("", "hi\n")] {
        let server = Peer::tcp(move |mut stream| {
            stream.write_all(opening.as_bytes()).unwrap();
            read_to_end(&mut stream)
        });
        let client = client(&Folder::new(), &server.at(), b"hi\n").args(["--nick", "anna"]);
        client.run().exits(0);
        assert_eq!(server.finish(), expected, "after {opening:?}");
    }
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
    server.finish().set_nonblocking(true).unwrap();
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

#[test]
fn quit_ends_it_and_a_server_of_another_make_never_hears_of_it() {
    let server = Peer::tcp(|mut stream| read_to_end(&mut stream));
    client(&Folder::new(), &server.at(), b"hi\n/quit\nnot this\n").run().exits(0);
    assert_eq!(server.finish(), "hi\n");
}
