//! A datagram longer than the buffer loses its end without a word from the system
//! (rust-lang/rust#55794). Here it is reported, with its true length, and never passed off as
//! whole; one that just fits is whole.

use barewire_tests::harness::sockets::{ask, datagram_socket};
use barewire_tests::harness::{Finished, ask_patiently, serve, tutorial};

const FITS: &str = "sixteen bytes 16";
const TOO_LONG: &str = "sixteen bytes 16+";

#[test]
fn a_server_tells_a_full_datagram_from_a_truncated_one() {
    let mut server = serve("udp-server", &["--capacity", "16", "--json"]);
    let socket = datagram_socket("127.0.0.1");

    ask(&socket, server.address(), FITS.as_bytes());
    let received = server.program.event("received");
    assert_eq!(received["text"], FITS, "{received}");
    assert_eq!(received["bytes"], 16, "{received}");
    assert_eq!(received["truncated"], false, "{received}");

    ask(&socket, server.address(), TOO_LONG.as_bytes());
    let received = server.program.event("received");
    assert_ne!(received["text"], TOO_LONG, "{received}");
    assert_eq!(received["bytes"], 17, "{received}");
    assert_eq!(received["truncated"], true, "{received}");
    server.stop();
}

#[test]
fn a_client_tells_a_full_reply_from_a_truncated_one() {
    let peer = tutorial::udp_server(FITS);
    let client = ask_patiently("udp-client", &[&peer.at(), "--capacity", "16", "--json"]).exits(0);
    assert_eq!(client.event("received")["truncated"], false);
    peer.finish();

    let peer = tutorial::udp_server(TOO_LONG);
    let client = ask_patiently("udp-client", &[&peer.at(), "--capacity", "16", "--json"]).exits(1);
    let received = client.event("received");
    assert_eq!(received["bytes"], 17, "{received}");
    assert_eq!(received["truncated"], true, "{received}");
    peer.finish();
}

#[test]
fn a_person_is_told_too() {
    /// The length is no part of an address.
    #[track_caller]
    fn assert_told(finished: &Finished, address: &str) {
        let told = format!("{}{}", finished.output(), finished.error()).replace(address, "");
        assert!(told.contains("truncated"), "{finished:?}");
        assert!(told.contains("1717"), "{finished:?}");
    }
    let long = "x".repeat(1717);
    let server = serve("udp-server", &["--capacity", "16"]);
    let socket = datagram_socket("127.0.0.1");
    ask(&socket, server.address(), long.as_bytes());
    assert_told(&server.stop(), &socket.local_addr().unwrap().to_string());

    let peer = tutorial::udp_server(long);
    let at = peer.at();
    assert_told(&ask_patiently("udp-client", &[&at, "--capacity", "16"]).exits(1), &at);
    peer.finish();
}

#[test]
fn the_default_capacity_is_1024_bytes() {
    let mut server = serve("udp-server", &["--json"]);
    let socket = datagram_socket("127.0.0.1");
    for (length, truncated) in [(1024, false), (1025, true)] {
        ask(&socket, server.address(), &vec![b'x'; length]);
        let received = server.program.event("received");
        assert_eq!(received["bytes"], length, "{received}");
        assert_eq!(received["truncated"], truncated, "{received}");
    }
    server.stop();

    for (length, code) in [(1024, 0), (1025, 1)] {
        let peer = tutorial::udp_server("x".repeat(length));
        ask_patiently("udp-client", &[&peer.at()]).exits(code);
        peer.finish();
    }
}
