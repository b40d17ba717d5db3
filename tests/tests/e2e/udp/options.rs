//! Every option of the two datagram programs.

use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::{ask, datagram_socket, receive, waiting};
use barewire_tests::harness::{Launch, Peer, ask_patiently, run, serve, sockets, tutorial};

use crate::common::activation::activated;
use crate::common::words::TIMED_OUT;

#[test]
fn reply_sets_what_the_server_answers() {
    let server = serve("udp-server", &["--reply", "好的"]);
    assert_eq!(tutorial::udp_client(server.address(), "hi"), "好的");
    server.stop();
}

#[test]
fn echo_answers_with_what_came_byte_for_byte() {
    let server = serve("udp-server", &["--echo"]);
    let socket = datagram_socket("127.0.0.1");
    for text in [&b"hi"[..], b"not \xff UTF-8\r\n\0", &[b'x'; 1024]] {
        assert_eq!(ask(&socket, server.address(), text).0, text);
    }
    server.stop();
}

#[test]
fn the_text_is_what_the_client_says() {
    let peer = tutorial::udp_server("ok");
    ask_patiently("udp-client", &[&peer.at(), "hôla"]).exits(0);
    assert_eq!(peer.finish(), "hôla");
}

#[test]
fn a_text_may_look_like_an_option_after_two_dashes() {
    let peer = tutorial::udp_server("ok");
    ask_patiently("udp-client", &[&peer.at(), "--", "--count"]).exits(0);
    assert_eq!(peer.finish(), "--count");
}

#[test]
fn once_ends_the_server_after_one_client() {
    let server = serve("udp-server", &["--once"]);
    assert_eq!(tutorial::udp_client(server.address(), "only me"), "nice to meet you");
    server.program.finish().exits(0).prints("only me").is_silent();
}

/// Who could not be answered was not served.
#[test]
fn once_goes_on_until_a_reply_has_left() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    // Strictly by way of a host that is no neighbour (RFC 791, "Strict Source and Record Route";
    // TEST-NET-3 is nobody's): the system finds no route for any reply.
    set_ip_options(&socket, "890704cb00710700");
    let mut server = activated("udp-server", &["--once"], socket.try_clone().unwrap());
    let unlucky = datagram_socket("127.0.0.1");
    unlucky.send_to(b"and me?", address).unwrap();
    server.program.diagnostic_with(&["cannot answer"]);
    set_ip_options(&socket, "");
    assert_eq!(tutorial::udp_client(address, "only me"), "nice to meet you");
    server.program.finish().exits(0).prints("only me");
    assert_eq!(waiting(&unlucky), 0);
}

/// Sets the options that go into the header of each datagram that leaves (ip(7)). They belong to
/// the socket, whoever else holds it.
fn set_ip_options(socket: &UdpSocket, hex: &str) {
    const SET: &str = "
import socket, sys
s = socket.socket(fileno=0)
s.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes.fromhex(sys.argv[1]))
";
    let socket = OwnedFd::from(socket.try_clone().unwrap());
    Launch::python(SET).arg(hex).stdin(socket).run().exits(0).is_silent();
}

#[test]
fn two_threads_serve_like_one() {
    let mut server = serve("udp-server", &["--threads", "2"]);
    // The system spreads clients over the threads by their addresses: many reach both.
    for number in 0..32 {
        let text = format!("client {number}.");
        assert_eq!(tutorial::udp_client(server.address(), &text), "nice to meet you");
        server.program.line_with(&text);
    }
    server.stop().is_silent();
}

#[test]
fn bind_sets_the_address_the_client_speaks_from() {
    let peer = Peer::udp(|socket| {
        let (_, from) = receive(&socket);
        socket.send_to(b"ok", from).unwrap();
        from
    });
    ask_patiently("udp-client", &[&peer.at(), "--bind", "127.0.0.5:0"]).exits(0);
    assert_eq!(peer.finish().ip().to_string(), "127.0.0.5");
}

#[test]
fn what_is_wrong_with_an_address_is_told_with_its_option() {
    for (options, why) in [
        (&["--bind", "nowhere"][..], "--bind: 'nowhere' has no port (write HOST:PORT)"),
        (&["--bind", "127.0.0.1:http"], "--bind: '127.0.0.1:http' has a port that is not a number"),
        (&["--bind", "127.0.0.1:0", "-6"], "--bind: 127.0.0.1:0 is no IPv6 address"),
    ] {
        run("udp-client", &[&["127.0.0.1:9"], options].concat()).exits(2).says(&[why]);
    }
    run("udp-client", &["127.0.0.1:0"]).exits(2).says(&["ADDR: '127.0.0.1:0' has port 0"]);
    run("udp-client", &["::1", "9", "--bind", "127.0.0.1:0"])
        .exits(1)
        .says(&["--bind: '::1' has no IPv4 address that could be asked from 127.0.0.1:0"]);
}

#[test]
fn binding_to_a_foreign_address_fails_with_its_name() {
    // TEST-NET-3 (RFC 5737) is nobody's.
    run("udp-client", &["127.0.0.1:9", "--bind", "203.0.113.7:0"])
        .exits(1)
        .says(&["--bind: cannot send from 203.0.113.7:0"])
        .says(&["cannot assign requested address (list this host's addresses with: ip address)"]);
    let holder = datagram_socket("127.0.0.1");
    let taken = holder.local_addr().unwrap().to_string();
    run("udp-client", &["127.0.0.1:9", "--bind", &taken])
        .exits(1)
        .says(&["address already in use (choose another port, or 0 for a free one)"]);
}

#[test]
fn a_broadcast_is_refused_with_what_that_may_mean() {
    run("udp-client", &["127.255.255.255:9"])
        .exits(1)
        .says(&["cannot send to 127.255.255.255:9: permission denied (no broadcasts are sent"]);
}

#[test]
fn timeout_ends_the_wait_for_a_silent_peer() {
    let silent = datagram_socket("127.0.0.1");
    let at = silent.local_addr().unwrap().to_string();
    let started = Instant::now();
    run("udp-client", &[&at, "--timeout", "100ms"]).exits(1).says(&TIMED_OUT);
    assert!(started.elapsed() >= Duration::from_millis(100));
    assert_eq!(waiting(&silent), 1, "without --retries there is one try");
}

#[test]
fn retries_are_further_tries_each_twice_as_patient() {
    let silent = datagram_socket("127.0.0.1");
    let at = silent.local_addr().unwrap().to_string();
    let started = Instant::now();
    run("udp-client", &[&at, "--timeout", "20ms", "--retries", "3"]).exits(1).says(&TIMED_OUT);
    assert_eq!(waiting(&silent), 4);
    let least = Duration::from_millis(20 + 40 + 80 + 160);
    assert!(started.elapsed() >= least, "the tries took {:?}", started.elapsed());
}

#[test]
fn a_reply_to_a_later_try_counts() {
    let peer = Peer::udp(|socket| {
        receive(&socket);
        receive(&socket);
        let (heard, from) = receive(&socket);
        socket.send_to(b"at last", from).unwrap();
        heard
    });
    // Generous time-outs could only hide a fault here; the third try is what ends the waiting.
    run("udp-client", &[&peer.at(), "--timeout", "50ms", "--retries", "8"])
        .exits(0)
        .prints("at last");
    assert_eq!(peer.finish(), b"nice to meet you too");
}

/// At most `--rate` answers a second for one address, whatever its port; another address is
/// not affected.
#[test]
fn rate_bounds_the_answers_to_one_address() {
    const RATE: usize = 5;
    let server = serve("udp-server", &["--rate", &RATE.to_string()]);
    let sockets = [datagram_socket("127.0.0.1"), datagram_socket("127.0.0.1")];
    let started = Instant::now();
    for _ in 0..100 {
        for socket in &sockets {
            socket.send_to(b"more", server.address()).unwrap();
        }
    }
    sockets::catch_up(server.address());
    let answers: usize = sockets.iter().map(waiting).sum();
    // A second may begin in the midst of the burst, and a slow machine may take several.
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 2;
    assert!((1..=RATE * seconds).contains(&answers), "{answers} answers");
    server.stop();
}

#[test]
fn a_rate_of_zero_is_no_limit() {
    let server = serve("udp-server", &["-q", "--rate", "0"]);
    let socket = datagram_socket("127.0.0.1");
    for _ in 0..500 {
        ask(&socket, server.address(), b"more");
    }
    server.stop().is_silent();
}

#[test]
fn quiet_silences_what_a_server_receives_and_nothing_a_client_asked_for() {
    let server = serve("udp-server", &["-q"]);
    ask_patiently("udp-client", &[&server.at(), "whisper", "-q"])
        .exits(0)
        .prints("nice to meet you")
        .is_silent();
    let at = server.at();
    let server = server.stop().omits("whisper").is_silent();
    assert_eq!(server.output(), format!("listening on {at}\n"));

    let server = serve("udp-server", &["-q", "--json"]);
    ask_patiently("udp-client", &[&server.at(), "-q", "--json"]).exits(0).event("received");
    assert_eq!(server.stop().events().len(), 1, "the listening event alone");
}

#[test]
fn more_diagnostics_leave_the_results_in_place() {
    let mut server = serve("udp-server", &["-v"]);
    ask_patiently("udp-client", &[&server.at(), "-v"]).exits(0).prints("nice to meet you");
    server.program.line_with("nice to meet you too");
    server.stop();
}
