//! Handshakes that fail.

use std::io::Write;
use std::net::Shutdown;

use barewire_tests::harness::sockets::{
    RefusedTcp, connect, handshake, is_ended_by_peer, read_line, read_to_end, reset,
};
use barewire_tests::harness::{Peer, run, serve};

use crate::common::words::TOO_LONG;

#[test]
fn a_refusal_is_told_in_clear_words() {
    let nobody = RefusedTcp::hold();
    run("tcp-client", &[&nobody.at()]).exits(1).says(&["refused"]).says(&[&nobody.at()]);
}

#[test]
fn a_failure_is_an_event_too() {
    let nobody = RefusedTcp::hold();
    let client = run("tcp-client", &[&nobody.at(), "--json"]).exits(1).says(&["refused"]);
    let error = client.event("error");
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("refused") && message.contains(&nobody.at()), "{message}");
}

#[test]
fn quiet_does_not_silence_an_error() {
    let nobody = RefusedTcp::hold();
    run("tcp-client", &[&nobody.at(), "-q"]).exits(1).says(&["refused"]);
}

#[test]
fn error_numbers_are_for_those_who_ask() {
    let nobody = RefusedTcp::hold();
    // Without `-v`, every finished program is held to show none.
    run("tcp-client", &[&nobody.at(), "-v"]).exits(1).says(&["os error"]);
}

#[test]
fn a_reset_before_the_greeting_is_a_failure() {
    let peer = Peer::tcp(reset);
    run("tcp-client", &[&peer.at()]).exits(1).says(&["reset"]);
    peer.finish();
}

/// What has arrived of a greeting is no greeting, though the quiet period would have ended it.
#[test]
fn a_reset_inside_the_greeting_is_a_failure() {
    let peer = Peer::tcp(|mut stream| {
        stream.write_all("你".as_bytes()).unwrap();
        reset(stream);
    });
    run("tcp-client", &[&peer.at(), "--quiet-period", "1h"]).exits(1).says(&["reset"]);
    peer.finish();
}

/// A server that resets instead of closing may not have taken the answer.
#[test]
fn a_reset_after_the_answer_is_a_failure() {
    let peer = Peer::tcp(|mut stream| {
        stream.write_all("你好\n".as_bytes()).unwrap();
        let answer = read_to_end(&mut stream);
        reset(stream);
        answer
    });
    run("tcp-client", &[&peer.at()]).exits(1).says(&["reset"]);
    assert_eq!(peer.finish(), "Hello");
}

#[test]
fn a_server_that_closes_without_a_word_is_a_failure() {
    let peer = Peer::tcp(drop);
    run("tcp-client", &[&peer.at()]).exits(1).says(&[&peer.at()]);
    peer.finish();
}

/// Nor does it help that the server listens on: no greeting is to come.
#[test]
fn a_server_that_half_closes_without_a_word_is_a_failure() {
    let peer = Peer::tcp(|mut stream| {
        stream.shutdown(Shutdown::Write).unwrap();
        is_ended_by_peer(&mut stream)
    });
    run("tcp-client", &[&peer.at(), "--timeout", "1h"]).exits(1).says(&[&peer.at()]);
    assert!(peer.finish());
}

#[test]
fn a_greeting_over_the_limit_is_a_failure() {
    // A line feed in the same read makes it no shorter.
    for end in ["", "\n"] {
        let greeting = "x".repeat(1025) + end;
        let peer = Peer::tcp(move |mut stream| {
            stream.write_all(greeting.as_bytes()).unwrap();
            is_ended_by_peer(&mut stream)
        });
        let client = run("tcp-client", &[&peer.at(), "--quiet-period", "1h"]).exits(1);
        client.says(&TOO_LONG).omits("xxx");
        assert!(peer.finish());
    }
}

#[test]
fn an_answer_over_the_limit_is_reported_and_closed() {
    let mut server = serve("tcp-server", &["--json", "--quiet-period", "1h"]);
    for end in ["", "\n"] {
        let mut stream = connect(server.address());
        read_line(&mut stream);
        stream.write_all(("x".repeat(1025) + end).as_bytes()).unwrap();
        assert!(is_ended_by_peer(&mut stream));
        server.program.diagnostic_with(&TOO_LONG);
        let error = server.program.event("error");
        assert!(error["message"].as_str().expect("a message").contains("127.0.0.1:"), "{error}");
    }
    handshake(server.address(), "fits");
    server.stop().prints("fits").omits("xxx");
}

/// What could never be sent is refused before anybody is called.
#[test]
fn a_text_of_ones_own_over_the_limit_is_wrong_usage() {
    let too_long = "x".repeat(1025);
    run("tcp-client", &["127.0.0.1:9", &too_long]).exits(2).says(&["1024"]);
    run("tcp-server", &["127.0.0.1:0", "--greeting", &too_long]).exits(2).says(&["1024"]);
}
