//! Silent, slow and random-byte peers (CVE-2023-7250, iperf#445): each costs a bounded buffer and
//! a deadline, never another client's time, and no count of errors stops a server.

use std::io::{ErrorKind, Write};
use std::net::Ipv4Addr;

use barewire_tests::harness::framed::{Ask, Reply};
use barewire_tests::harness::seed::Random;
use barewire_tests::harness::sockets::{
    connect, connect_from, handshake, is_ended_by_peer, read_line, reset, uninterrupted,
};
use barewire_tests::harness::{Folder, Peer, run, serve, share};

#[test]
fn two_hundred_silent_clients_delay_nobody() {
    for options in [&[][..], &["--threads", "2"]] {
        let server = serve("tcp-server", &[&["--timeout", "1h"], options].concat());
        let mut silent: Vec<_> = (0..200).map(|_| connect(server.address())).collect();
        for stream in &mut silent {
            assert_eq!(read_line(stream), "你好");
        }
        // Served at once, not when a silent one has gone: all of them are still held.
        assert_eq!(handshake(server.address(), "in a hurry"), "你好");
        for stream in &silent {
            stream.set_nonblocking(true).unwrap();
            let mut byte = [0];
            // The server's half-close may be there; a reset may not.
            let state = uninterrupted(|| stream.peek(&mut byte));
            assert!(!matches!(&state, Err(e) if e.kind() != ErrorKind::WouldBlock), "{state:?}");
        }
        for mut stream in silent {
            stream.write_all(b"at last\n").expect("it is still held");
        }
        let server = server.stop().prints("in a hurry");
        assert_eq!(server.output().matches("at last").count(), 200, "{server:?}");
    }
}

/// The slow client's bytes are paced by whole conversations of others.
#[test]
fn a_client_slow_byte_by_byte_is_heard_and_delays_nobody() {
    let mut server = serve("tcp-server", &["--quiet-period", "1h", "--json"]);
    let mut slow = connect(server.address());
    read_line(&mut slow);
    for byte in "slow 你好\n".bytes() {
        handshake(server.address(), "quick");
        assert_eq!(server.program.event("received")["text"], "quick");
        slow.write_all(&[byte]).unwrap();
    }
    assert_eq!(server.program.event("received")["text"], "slow 你好");
    server.stop();
}

#[test]
fn a_server_slow_byte_by_byte_is_heard() {
    let pace = serve("tcp-server", &[]);
    let pace_at = pace.address();
    let peer = Peer::tcp(move |mut stream| {
        for byte in "slow 你好\n".bytes() {
            handshake(pace_at, "tick");
            stream.write_all(&[byte]).unwrap();
        }
        is_ended_by_peer(&mut stream)
    });
    run("tcp-client", &[&peer.at(), "--quiet-period", "1h"]).exits(0).prints("slow 你好");
    assert!(peer.finish());
    pace.stop();
}

/// A byte now and then does not extend the deadline, which is for the whole text. The drip is
/// paced by conversations that each end by a quiet period.
#[test]
fn a_drip_does_not_outlive_the_deadline() {
    let mut pace = serve("tcp-server", &["--quiet-period", "5ms"]);
    let options = ["--timeout", "150ms", "--quiet-period", "1h", "--linger", "0s"];
    let server = serve("tcp-server", &options);
    let mut drip = connect(server.address());
    read_line(&mut drip);
    // Fewer than make a text too long, and for ten times as long as the deadline allows.
    let ended = (0..600).any(|_| {
        let mut tick = connect(pace.address());
        tick.write_all(b"tick").unwrap();
        pace.program.line_with("tick");
        drip.write_all(b".").is_err()
    });
    assert!(ended, "the deadline is extended by every byte");
    assert_eq!(read_line(&mut connect(server.address())), "你好");
    server.stop();
    pace.stop();
}

#[test]
fn random_bytes_harm_nobody() {
    let mut random = Random::from_printed_seed();
    let options = ["--timeout", "1h", "--quiet-period", "20ms", "--grace", "100ms"];
    let server = serve("tcp-server", &options);
    let mut held = Vec::new();
    for number in 0..100 {
        let mut stream = connect(server.address());
        // The server may have heard enough before all of it is written.
        let _ = stream.write_all(&random.bytes(3000));
        match number % 3 {
            0 => held.push(stream),
            1 => drop(stream),
            _ => reset(stream),
        }
    }
    assert_eq!(handshake(server.address(), "still here?"), "你好");
    server.stop().prints("still here?");
}

#[test]
fn a_random_greeting_is_a_greeting_or_a_failure() {
    let mut random = Random::from_printed_seed();
    for _ in 0..10 {
        let greeting = random.bytes(3000);
        let peer = Peer::tcp(move |mut stream| {
            // The client may be gone before the whole of it is written.
            let _ = stream.write_all(&greeting);
            is_ended_by_peer(&mut stream)
        });
        // No quiet period ends what breaks off inside a character.
        let options = ["--quiet-period", "20ms", "--timeout", "200ms"];
        let client = run("tcp-client", &[&[&*peer.at()], &options[..]].concat());
        assert!(matches!(client.code(), Some(0 | 1)), "{client:?}");
        peer.finish();
    }
}

#[test]
fn no_count_of_errors_stops_a_server() {
    let server = serve("tcp-server", &[]);
    for _ in 0..500 {
        reset(connect(server.address()));
    }
    assert_eq!(handshake(server.address(), "still here?"), "你好");
    server.stop().prints("still here?");
}

/// Silent, half-way through a name, half-way through a request: all of them are held, none is in the
/// way, and whoever goes on is served.
#[test]
fn two_hundred_silent_file_clients_delay_nobody() {
    let folder = Folder::new().with("x", "contents");
    let server =
        share(&folder, &["-q", "--timeout", "1h", "--quiet-period", "1h", "--threads", "2"]);
    let ask = Ask::get("x");
    let (begin, rest) = (ask.bytes(), ask.bytes().split_off(20));
    let mut held: Vec<_> = (0..200).map(|_| connect(server.address())).collect();
    for (number, stream) in held.iter_mut().enumerate() {
        stream.write_all(&begin[..20 * (number % 2)]).unwrap();
    }
    assert_eq!(Ask::get("x").fetch(&mut connect(server.address())).1, b"contents");
    for (number, stream) in held.iter_mut().enumerate() {
        stream.write_all(if number % 2 == 0 { &begin } else { &rest }).unwrap();
        assert_eq!(Reply::read(stream, &ask).contents(stream), b"contents", "client {number}");
    }
    drop(held);
    server.stop();
}

#[test]
fn random_bytes_harm_no_file_server() {
    let mut random = Random::from_printed_seed();
    let folder = Folder::new().with("x", "contents");
    // As many as are random in a row are a reason to pause their source.
    let options = ["-q", "--timeout", "1h", "--quiet-period", "1ms", "--max-pause", "0"];
    let server = share(&folder, &options);
    let mut held = Vec::new();
    for number in 0..100 {
        let mut stream = connect(server.address());
        let mut bytes = random.bytes(3000);
        if number % 2 == 0 {
            bytes.splice(..0, *b"\0BW\x01\x01\x01");
        }
        // The server may have heard enough before all of it is written.
        let _ = stream.write_all(&bytes);
        match number % 3 {
            0 => held.push(stream),
            1 => drop(stream),
            _ => reset(stream),
        }
    }
    // Their own source may be paused by now.
    let mut other = connect_from(Ipv4Addr::new(127, 0, 0, 2), server.address());
    assert_eq!(Ask::get("x").fetch(&mut other).1, b"contents");
    drop(held);
    server.stop();
}
