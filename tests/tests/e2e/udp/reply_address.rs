//! On a host with several addresses a reply leaves from the one that was asked (iperf#2059): a
//! client that connects its socket, or a firewall that keeps state, takes no other.

use std::net::SocketAddr;

use barewire_tests::harness::sockets::{ask, datagram_socket, has_ipv6, needs_ipv6, uninterrupted};
use barewire_tests::harness::{Launch, Server, ask_patiently, run};

#[track_caller]
fn assert_replies_from(server: &Server, asked: &str) {
    let asked = SocketAddr::new(asked.parse().unwrap(), server.address().port());
    let from = if asked.is_ipv6() { "::1" } else { "127.0.0.1" };
    let (reply, replier) = ask(&datagram_socket(from), asked, b"is it you?");
    assert_eq!((reply, replier), (b"nice to meet you".to_vec(), asked));
}

#[test]
fn a_server_on_every_ipv4_address_replies_from_the_one_asked() {
    let server = Server::start(Launch::new("udp-server").arg("0.0.0.0:0"));
    assert!(server.address().ip().is_unspecified());
    for asked in ["127.0.0.2", "127.0.0.3", "127.0.0.1"] {
        assert_replies_from(&server, asked);
    }
    // The client connects its socket.
    ask_patiently("udp-client", &["127.0.0.2", &server.port()]).exits(0).prints("nice to meet you");
    server.stop();
}

#[test]
fn questions_to_several_addresses_at_once_are_replied_from_each() {
    let server = Server::start(Launch::new("udp-server").arg("0.0.0.0:0"));
    let port = server.address().port();
    let asked: Vec<SocketAddr> =
        (2..66).map(|host| SocketAddr::from(([127, 0, 13, host], port))).collect();
    let sockets: Vec<_> = asked.iter().map(|_| datagram_socket("127.0.0.1")).collect();
    for (socket, asked) in sockets.iter().zip(&asked) {
        // A connected socket takes a datagram from that address only.
        socket.connect(asked).unwrap();
        socket.send(b"is it you?").unwrap();
    }
    for (socket, asked) in sockets.iter().zip(&asked) {
        let mut reply = [0; 64];
        let received = uninterrupted(|| socket.recv(&mut reply));
        let length = received.unwrap_or_else(|e| panic!("{asked}: {e}"));
        assert_eq!(&reply[..length], b"nice to meet you");
    }
    server.stop();
}

/// A wildcard of IPv6 serves IPv4 too (ipv6(7)), and shows such a client as the IPv4 address
/// that it is. Without IPv6 on this machine, what is tested is that the server says so.
#[test]
fn a_server_on_every_ipv6_address_replies_from_the_one_asked() {
    if !has_ipv6() {
        run("udp-server", &["[::]:0"]).exits(1).says(&["cannot bind [::]:0"]);
        return;
    }
    let mut server = Server::start(Launch::new("udp-server").args(["[::]:0", "--json"]));
    assert_replies_from(&server, "::1");
    assert_replies_from(&server, "127.0.0.2");
    assert_replies_from(&server, "127.0.0.3");
    server.program.event("received");
    let received = server.program.event("received");
    let from = received["from"].as_str().expect("an address");
    assert!(from.starts_with("127.0.0.1:"), "{received}");
    server.stop();
}

/// A broadcast address is nobody's, so no reply can leave from it: the system chooses another.
#[test]
fn a_broadcast_question_is_replied_from_an_own_address() {
    needs_ipv6();
    for wildcard in ["0.0.0.0:0", "[::]:0"] {
        let server = Server::start(Launch::new("udp-server").arg(wildcard));
        let port = server.address().port();
        let socket = datagram_socket("127.0.0.1");
        socket.set_broadcast(true).unwrap();
        let everybody = SocketAddr::from(([127, 255, 255, 255], port));
        let (reply, replier) = ask(&socket, everybody, b"is anybody there?");
        assert_eq!((&reply[..], replier.port()), (&b"nice to meet you"[..], port), "{wildcard}");
        assert!(replier.ip().is_loopback(), "{replier}");
        server.stop();
    }
}
