//! A line without an end (twisted#12770, ssh-chat#118) costs a bounded buffer and is reported.

use std::fs;
use std::io::Write;
use std::net::TcpStream;

use barewire_tests::harness::sockets::{connect, handshake, is_ended_by_peer, read_line};
use barewire_tests::harness::{Peer, Program, run, serve};

use crate::common::words::TOO_LONG;

/// Far more than any buffer on the way holds.
const ENDLESS: usize = 256 << 20;

/// Writes until the peer has had enough, and tells how much that was.
fn flood(stream: &mut TcpStream) -> usize {
    let chunk = [b'x'; 1 << 14];
    let mut written = 0;
    while written < ENDLESS && stream.write_all(&chunk).is_ok() {
        written += chunk.len();
    }
    written
}

/// The most memory that the process has ever held, in bytes (`VmHWM`, `proc_pid_status(5)`).
fn peak_memory(program: &Program) -> usize {
    let status = fs::read_to_string(format!("/proc/{}/status", program.process()));
    let status = status.expect("the process is there");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let figure = line.and_then(|line| line.trim().strip_suffix(" kB")).expect("its peak is told");
    figure.trim().parse::<usize>().expect("it is a number") << 10
}

#[test]
fn hazard_16_an_endless_answer_is_bounded_and_reported() {
    let mut server = serve("tcp-server", &["--quiet-period", "1h", "--timeout", "1h"]);
    handshake(server.address(), "warm up");
    let before = peak_memory(&server.program);
    for _ in 0..8 {
        let mut stream = connect(server.address());
        read_line(&mut stream);
        assert!(flood(&mut stream) < ENDLESS, "the server never has enough");
        server.program.diagnostic_with(&TOO_LONG);
    }
    let grown = peak_memory(&server.program) - before;
    assert!(grown < 1 << 20, "it took {grown} bytes");
    handshake(server.address(), "still here?");
    server.stop().prints("still here?").omits("xxx");
}

#[test]
fn hazard_16_an_endless_greeting_is_bounded_and_reported() {
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
