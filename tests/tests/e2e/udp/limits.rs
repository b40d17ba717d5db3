//! How much a datagram server answers, and what it tells of the rest.

use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use barewire_tests::harness::sockets::{catch_up, datagram_socket, waiting};
use barewire_tests::harness::{Launch, Server, run, serve};

/// How often a rate may be had since then: the seconds need not begin with the test.
pub(super) fn most(rate: usize, since: Instant) -> usize {
    rate * (usize::try_from(since.elapsed().as_secs()).unwrap() + 2)
}

fn send_all(sockets: &[UdpSocket], server: SocketAddr) {
    for socket in sockets {
        socket.send_to(b"more", server).unwrap();
    }
}

#[test]
fn the_total_rate_bounds_the_answers_to_all_together() {
    const TOTAL: usize = 5;
    let mut server = serve("udp-server", &["--rate", "2", "--total-rate", "5"]);
    let sockets: Vec<_> =
        (1..=9).map(|host| datagram_socket(&format!("127.13.0.{host}"))).collect();
    let started = Instant::now();
    for _ in 0..50 {
        send_all(&sockets, server.address());
    }
    let told = server.program.diagnostic_with(&["no reply to"]);
    assert!(told.contains("over the rate of all sources together"), "{told}");
    let answers: usize = sockets.iter().map(waiting).sum();
    assert!((1..=most(TOTAL, started)).contains(&answers), "{answers} answers");
    server.stop();
}

/// However many ports it has: it is one program.
#[test]
fn all_sockets_of_a_server_share_its_limits() {
    const RATE: usize = 5;
    let sockets = ["udp,127.0.0.1", "udp,127.0.0.1", "udp,127.0.0.1"];
    let launch = Launch::activated("udp-server", &sockets).args(["--rate", "5"]);
    let mut server = Server::start(launch);
    let addresses = [server.address(), server.program.listening(), server.program.listening()];
    let socket = [datagram_socket("127.14.0.1")];
    let started = Instant::now();
    for _ in 0..50 {
        for address in addresses {
            send_all(&socket, address);
        }
    }
    addresses.into_iter().for_each(catch_up);
    let answers = waiting(&socket[0]);
    assert!((1..=most(RATE, started)).contains(&answers), "{answers} answers");
    server.stop();
}

/// Nor do two of its sockets talk to each other, whoever forges the address of one.
#[test]
fn no_port_of_a_server_is_answered_by_another() {
    let launch = Launch::activated("udp-server", &["udp,127.0.0.1", "udp,127.0.0.1"]);
    let mut server = Server::start(launch);
    let other = server.program.listening();
    let twin = UdpSocket::bind(("127.14.0.2", other.port())).expect("a free address");
    twin.send_to(b"who's there?", server.address()).unwrap();
    catch_up(server.address());
    assert_eq!(waiting(&twin), 0);
    server.stop();
}

#[test]
fn what_the_limits_left_unanswered_is_counted() {
    let mut server = serve("udp-server", &["-v", "--rate", "3"]);
    let sockets = [datagram_socket("127.15.0.1")];
    for _ in 0..20 {
        send_all(&sockets, server.address());
    }
    let told = server.program.diagnostic_with(&["no reply to"]);
    assert!(told.contains("over the rate of one source"), "{told}");
    server.stop();
}

#[test]
fn a_reply_that_amplifies_is_told_of_once_at_the_start() {
    let reply = "x".repeat(1000);
    let server = serve("udp-server", &["--reply", &reply]);
    let finished = server.stop().says(&["--reply has 1000 bytes"]).says(&["17 times"]);
    assert_eq!(finished.error().matches("forged").count(), 1);
    for harmless in [&["--reply", "123456789012345678"][..], &["--echo"], &["-q"], &[]] {
        serve("udp-server", harmless).stop().is_silent();
    }
    run("udp-server", &["--help"]).exits(0).prints("Addresses can be forged");
}
