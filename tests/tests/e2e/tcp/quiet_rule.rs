//! The quiet rule: a text without a terminator ends when nothing follows it for a while.
//!
//! Where a test needs a quiet period to pass, a second conversation that ends by one tells when.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{connect, read_line, read_to_end, wait_until_delivered};
use barewire_tests::harness::{Launch, Peer, Program, Server, run, serve, tutorial};

use crate::common::frozen::{freeze, thaw, wait_until_idle};

pub(crate) const SHORT: [&str; 2] = ["--quiet-period", "20ms"];

/// Longer than any test takes.
const NEVER: [&str; 2] = ["--quiet-period", "1h"];

fn greeted(server: SocketAddr) -> TcpStream {
    let mut stream = connect(server);
    read_line(&mut stream);
    stream
}

/// Returns after one quiet period of a `tcp-server` at least.
pub(crate) fn let_a_quiet_period_pass(server: &mut Server) {
    let mut other = greeted(server.address());
    other.write_all(b"ended by quiet").unwrap();
    server.program.line_with("ended by quiet");
}

#[test]
fn an_answer_without_terminator_is_heard_while_the_client_stays() {
    let mut server = serve("tcp-server", &SHORT);
    let mut stream = greeted(server.address());
    stream.write_all(b"I stay").unwrap();
    server.program.line_with("I stay");
    server.stop();
}

#[test]
fn a_greeting_without_terminator_is_answered_while_the_server_waits() {
    let peer = tutorial::tcp_server("no line feed");
    run("tcp-client", &[&[&*peer.at()], &SHORT[..]].concat()).exits(0).prints("no line feed");
    assert_eq!(peer.finish(), "Hello");
}

#[test]
fn the_default_period_serves_tutorial_peers() {
    let mut server = serve("tcp-server", &[]);
    let mut stream = greeted(server.address());
    stream.write_all(b"I stay").unwrap();
    server.program.line_with("I stay");
    server.stop();
}

#[test]
fn a_line_feed_ends_a_text_at_once() {
    let mut server = serve("tcp-server", &NEVER);
    let mut stream = greeted(server.address());
    stream.write_all(b"done\n").unwrap();
    server.program.line_with("done");
    server.stop();
}

#[test]
fn a_half_close_ends_a_text_at_once() {
    let mut server = serve("tcp-server", &NEVER);
    run("tcp-client", &[&[&*server.at()], &NEVER[..]].concat()).exits(0).prints("你好");
    server.program.line_with("Hello");
    server.stop();
}

#[test]
fn quiet_never_ends_a_text_inside_a_character() {
    let mut server = serve("tcp-server", &[&SHORT[..], &["--json"]].concat());
    let mut stream = greeted(server.address());
    let (some, rest) = "你好".as_bytes().split_at(4);
    stream.write_all(some).unwrap();
    let_a_quiet_period_pass(&mut server);
    stream.write_all(rest).unwrap();
    assert_eq!(server.program.event("received")["text"], "你好");
    server.stop();
}

#[test]
fn quiet_never_ends_a_greeting_inside_a_character() {
    let mut clock = serve("tcp-server", &SHORT);
    let peer = Peer::tcp(move |mut stream| {
        let (some, rest) = "你好".as_bytes().split_at(4);
        stream.write_all(some).unwrap();
        let_a_quiet_period_pass(&mut clock);
        stream.write_all(rest).unwrap();
        clock.stop();
        read_to_end(&mut stream)
    });
    let client = Launch::new("tcp-client").arg(peer.at()).args(SHORT).arg("--json").run();
    assert_eq!(client.exits(0).event("received")["text"], "你好");
    assert_eq!(peer.finish(), "Hello");
}

/// Long enough for the second half of a text to arrive in time, and one that must pass in whole.
const TOLERANT: [&str; 2] = ["--quiet-period", "200ms"];
const TOLERANT_PERIOD: Duration = Duration::from_millis(200);

/// Says the second half of a text to a `listener` that is frozen, and lets it go on when its quiet
/// period has passed. Tells whether the second half came before that.
fn say_in_halves(listener: &Program, stream: &mut TcpStream, clock: &mut Server) -> bool {
    let began = Instant::now();
    stream.write_all(b"Hel").unwrap();
    wait_until_delivered(stream);
    wait_until_idle(listener);
    freeze(listener);
    stream.write_all(b"lo\n").unwrap();
    wait_until_delivered(stream);
    let in_time = began.elapsed() < TOLERANT_PERIOD;
    let_a_quiet_period_pass(clock);
    thaw(listener);
    in_time
}

/// Repeats what proves something only if it was quick, until it was.
#[track_caller]
pub(crate) fn until_in_time(attempt: impl FnMut(i32) -> bool) {
    assert!((0..20).any(attempt), "this machine is too busy to tell");
}

/// What has arrived is no silence, however late the process comes to read it.
#[test]
fn an_answer_that_came_in_time_is_whole_for_a_server_that_was_delayed() {
    let mut clock = serve("tcp-server", &TOLERANT);
    let mut server = serve("tcp-server", &[&TOLERANT[..], &["--json"]].concat());
    until_in_time(|_| {
        let mut stream = greeted(server.address());
        let in_time = say_in_halves(&server.program, &mut stream, &mut clock);
        let received = server.program.event("received");
        assert!(!in_time || received["text"] == "Hello", "cut: {received}");
        in_time
    });
    server.stop();
    clock.stop();
}

#[test]
fn a_greeting_that_came_in_time_is_whole_for_a_client_that_was_delayed() {
    let mut clock = serve("tcp-server", &TOLERANT);
    until_in_time(|_| {
        let peer = Peer::tcp(|stream| stream);
        let client = Launch::new("tcp-client").arg(peer.at()).args(TOLERANT).arg("--json").spawn();
        let mut stream = peer.finish();
        let in_time = say_in_halves(&client, &mut stream, &mut clock);
        let answer = read_to_end(&mut stream);
        drop(stream);
        let client = client.finish();
        if in_time {
            assert_eq!(client.exits(0).event("received")["text"], "Hello");
            assert_eq!(answer, "Hello");
        }
        in_time
    });
    clock.stop();
}
