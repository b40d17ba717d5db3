//! Every option of the two hello programs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{
    connect, connect_from, handshake, is_ended_by_peer, read_line, read_to_end, uninterrupted,
    wait_until_delivered,
};
use barewire_tests::harness::{Peer, Server, run, serve, tutorial};

use crate::common::frozen::{freeze, thaw, wait_until_idle};
use crate::common::words::TIMED_OUT;

#[test]
fn greeting_sets_what_the_server_says() {
    let server = serve("tcp-server", &["--greeting", "¡hola!"]);
    assert_eq!(handshake(server.address(), "hi"), "¡hola!");
    server.stop();
}

#[test]
fn the_text_is_what_the_client_answers() {
    let peer = tutorial::tcp_server("hi");
    run("tcp-client", &[&peer.at(), "hôla"]).exits(0);
    assert_eq!(peer.finish(), "hôla");
}

#[test]
fn once_ends_the_server_after_one_client() {
    let server = serve("tcp-server", &["--once", "--quiet-period", "1h"]);
    handshake(server.address(), "only me");
    server.program.finish().exits(0).prints("only me").is_silent();
}

/// The server finds both at once: that the first has come to its end, and that the next is there.
#[test]
fn once_serves_nobody_who_comes_before_the_first_has_ended() {
    for (before, behind) in [("", "only me\n"), ("only me", "")] {
        let server = serve("tcp-server", &["--once", "--quiet-period", "1h"]);
        let mut first = connect(server.address());
        read_line(&mut first);
        first.write_all(before.as_bytes()).unwrap();
        wait_until_delivered(&first);
        wait_until_idle(&server.program);
        freeze(&server.program);
        first.write_all(behind.as_bytes()).unwrap();
        first.shutdown(Shutdown::Write).unwrap();
        // The system completes the connection, and takes what is said.
        let mut next = connect(server.address());
        next.write_all(b"me too\n").unwrap();
        thaw(&server.program);
        assert_eq!(read_to_end(&mut first), "", "an orderly end");
        server.program.finish().exits(0).prints("only me").omits("me too").is_silent();
        let mut heard = Vec::new();
        // It may end in a reset.
        let _ = next.read_to_end(&mut heard);
        assert!(heard.is_empty(), "the next is told {:?}", heard.escape_ascii().to_string());
    }
}

#[test]
fn two_threads_serve_like_one() {
    let mut server = serve("tcp-server", &["--threads", "2"]);
    // The system spreads connections over the threads by their addresses: many reach both.
    for number in 0..32 {
        let text = format!("client {number}.");
        assert_eq!(handshake(server.address(), &text), "你好");
        server.program.line_with(&text);
    }
    server.stop().is_silent();
}

/// A client that has begun to answer, which the server knows.
fn answering(server: &Server, begun: &str) -> TcpStream {
    let mut stream = connect(server.address());
    read_line(&mut stream);
    stream.write_all(begun.as_bytes()).unwrap();
    wait_until_delivered(&stream);
    wait_until_idle(&server.program);
    stream
}

/// Over the limit a client is told by a close at once, and is served when another has left.
#[test]
fn max_clients_bounds_how_many_are_served_at_once() {
    let limits = ["--max-clients", "2", "--max-per-source", "2"];
    let mut server = serve("tcp-server", &[&limits[..], &["--quiet-period", "1h"]].concat());
    let [mut first, second] = [(); 2].map(|()| answering(&server, "make "));
    assert_eq!(read_to_end(&mut connect(server.address())), "");

    first.write_all(b"room\n").unwrap();
    drop(first);
    server.program.line_with("make room");
    drop(greeted(server.address()));
    drop(second);
    server.stop();
}

/// The limit holds for all threads together, and room made by one is seen by the others.
#[test]
fn max_clients_bounds_the_threads_together() {
    let options = ["--max-clients", "1", "--threads", "2", "--quiet-period", "1h"];
    let server = serve("tcp-server", &options);
    let held = answering(&server, "hel");
    for mut other in [(); 4].map(|()| connect(server.address())) {
        assert_eq!(read_to_end(&mut other), "");
    }
    drop(held);
    for _ in 0..4 {
        drop(greeted(server.address()));
    }
    server.stop();
}

/// Who has been silent for longest goes first, and without a penalty.
#[test]
fn silent_clients_make_room_for_who_comes() {
    let options = ["-v", "--max-clients", "2", "--max-per-source", "9"];
    for threads in ["1", "2"] {
        let mut server = serve("tcp-server", &[&options[..], &["--threads", threads]].concat());
        let mut silent = [(); 2].map(|()| {
            let mut stream = connect(server.address());
            read_line(&mut stream);
            wait_until_idle(&server.program);
            stream
        });
        assert_eq!(handshake(server.address(), "here I am"), "你好");
        assert!(is_ended_by_peer(&mut silent[0]));
        server.program.diagnostic_with(&["silent, and its place is another's"]);
        silent[1].write_all(b"me too\n").unwrap();
        server.program.line_with("me too");
        server.stop();
    }
}

#[test]
fn one_source_leaves_places_for_others() {
    for options in [&["--max-per-source", "2"][..], &["--max-clients", "3"]] {
        let server = serve("tcp-server", options);
        let mut held = [connect(server.address()), connect(server.address())];
        for stream in &mut held {
            read_line(stream);
        }
        let from_elsewhere = || connect_from(Ipv4Addr::new(127, 0, 0, 2), server.address());
        if options[0] == "--max-per-source" {
            assert_eq!(read_to_end(&mut connect(server.address())), "");
        }
        assert_eq!(read_line(&mut from_elsewhere()), "你好");
        drop(held);
        server.stop();
    }
}

/// A connection that is greeted, as soon as there is a place.
#[track_caller]
fn greeted(server: SocketAddr) -> TcpStream {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let mut stream = connect(server);
        if matches!(uninterrupted(|| stream.peek(&mut [0])), Ok(1)) {
            assert_eq!(read_line(&mut stream), "你好");
            return stream;
        }
        assert!(Instant::now() < deadline, "no place is free again");
    }
}

#[test]
fn the_servers_timeout_ends_a_silent_client() {
    let mut server = serve("tcp-server", &["--timeout", "100ms"]);
    let mut silent = connect(server.address());
    read_line(&mut silent);
    assert!(is_ended_by_peer(&mut silent));
    server.program.diagnostic_with(&TIMED_OUT);
    assert_eq!(read_line(&mut connect(server.address())), "你好");
    server.stop();
}

#[test]
fn the_clients_timeout_ends_the_wait_for_a_silent_server() {
    let peer = Peer::tcp(|mut stream| is_ended_by_peer(&mut stream));
    let started = Instant::now();
    run("tcp-client", &[&peer.at(), "--timeout", "100ms"])
        .exits(1)
        .says(&TIMED_OUT)
        .says(&[&peer.at()]);
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert!(peer.finish());
}

#[test]
fn quiet_silences_what_a_server_receives_and_nothing_a_client_asked_for() {
    let server = serve("tcp-server", &["-q"]);
    run("tcp-client", &[&server.at(), "whisper", "-q"]).exits(0).prints("你好").is_silent();
    let at = server.at();
    let server = server.stop().is_silent();
    assert_eq!(server.output(), format!("listening on {at}\n"));

    let server = serve("tcp-server", &["-q", "--json"]);
    run("tcp-client", &[&server.at(), "-q", "--json"]).exits(0).event("received");
    assert_eq!(server.stop().events().len(), 1, "the listening event alone");
}

#[test]
fn more_diagnostics_leave_the_results_in_place() {
    let mut server = serve("tcp-server", &["-v"]);
    run("tcp-client", &[&server.at(), "-v"]).exits(0).prints("你好");
    server.program.line_with("Hello");
    server.stop();
}
