//! A line without an end (twisted#12770, ssh-chat#118) costs a bounded buffer and is reported.

use std::io::Write;
use std::net::TcpStream;
use std::sync::mpsc;

use barewire_tests::harness::sockets::{connect, handshake, is_ended_by_peer, read_line};
use barewire_tests::harness::{Launch, Peer, run, serve};

use crate::chat::Member;
use crate::common::memory::{growth, peak_memory};
use crate::common::words::TOO_LONG;

/// Far more than any buffer on the way holds.
const ENDLESS: usize = 256 << 20;

/// More than a chat may ever hold for a line, and no more than takes a moment: it goes on after one.
const LONG: usize = 16 << 20;

/// Writes until the peer has had enough, and tells how much that was.
fn flood(stream: &mut TcpStream) -> usize {
    let chunk = [b'x'; 1 << 14];
    let mut written = 0;
    while written < ENDLESS && stream.write_all(&chunk).is_ok() {
        written += chunk.len();
    }
    written
}

#[test]
fn an_endless_answer_is_bounded_and_reported() {
    let mut server = serve("tcp-server", &["--quiet-period", "1h", "--timeout", "1h"]);
    handshake(server.address(), "warm up");
    let before = peak_memory(&server.program);
    for _ in 0..8 {
        let mut stream = connect(server.address());
        read_line(&mut stream);
        assert!(flood(&mut stream) < ENDLESS, "the server never has enough");
        server.program.diagnostic_with(&TOO_LONG);
    }
    let grown = growth(&server.program, before);
    assert!(grown < 1 << 20, "it took {grown} bytes");
    handshake(server.address(), "still here?");
    server.stop().prints("still here?").omits("xxx");
}

#[test]
fn an_endless_greeting_is_bounded_and_reported() {
    let peer = Peer::tcp(|mut stream| {
        let written = flood(&mut stream);
        (written, is_ended_by_peer(&mut stream))
    });
    run("tcp-client", &[&peer.at(), "--quiet-period", "1h", "--timeout", "1h"])
        .exits(1)
        .says(&TOO_LONG)
        .omits("xxx");
    let (written, ended) = peer.finish();
    assert!(written < ENDLESS && ended, "the client took {written} bytes");
}

/// The line is skipped to its end, and the member stays.
#[test]
fn an_endless_line_in_a_room_is_bounded_and_refused() {
    let server = serve("chat-server", &["--quiet-period", "1h", "-q"]);
    let mut anna = Member::join(server.address());
    let mut ben = Member::join(server.address());
    anna.hears(&format!("* {} joined", ben.nick));
    ben.say("warm up");
    anna.hears(&format!("{}: warm up", ben.nick));
    let before = peak_memory(&server.program);
    for _ in 0..LONG >> 14 {
        ben.send(&[b'x'; 1 << 14]);
    }
    ben.say("");
    assert!(ben.line().contains("1024 bytes"));
    ben.say("still here");
    anna.hears(&format!("{}: still here", ben.nick));
    let grown = growth(&server.program, before);
    assert!(grown < 1 << 20, "it took {grown} bytes");
    server.stop();
}

/// Nor does a server cost a member more than a line. What is not shown is told.
#[test]
fn an_endless_line_from_a_room_is_bounded_and_reported() {
    let (measured, go) = mpsc::channel();
    let peer = Peer::tcp(move |mut stream| {
        stream.write_all(b"anna: warm up\n").unwrap();
        go.recv().unwrap();
        for _ in 0..LONG >> 14 {
            stream.write_all(&[b'x'; 1 << 14]).unwrap();
        }
        stream.write_all(b"\nanna: still here\n").unwrap();
        is_ended_by_peer(&mut stream)
    });
    let (input, typing) = std::io::pipe().expect("a pipe");
    let launch = Launch::new("chat-client").args([&peer.at(), "--quiet-period", "1h"]);
    let mut client = launch.stdin(input).spawn();
    client.line_with("warm up");
    let before = peak_memory(&client);
    measured.send(()).unwrap();
    client.line_with("still here");
    let grown = growth(&client, before);
    assert!(grown < 1 << 20, "it took {grown} bytes");
    drop(typing);
    assert!(peer.finish());
    client.finish().exits(1).says(&TOO_LONG).omits("xxx");
}
