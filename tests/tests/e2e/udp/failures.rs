//! Datagram conversations that fail, and peers that do not behave.

use barewire_tests::harness::printable::printable;
use barewire_tests::harness::seed::Random;
use barewire_tests::harness::sockets::{self, RefusedUdp, catch_up, datagram_socket};
use barewire_tests::harness::{Peer, ask_patiently, run, serve};

#[test]
fn a_refusal_ends_the_wait_at_once_in_clear_words() {
    let nobody = RefusedUdp::hold();
    // An hour's time-out would outlast the test: it is the refusal that ends the wait.
    run("udp-client", &[&nobody.at(), "--timeout", "1h"])
        .exits(1)
        .says(&["refused"])
        .says(&[&nobody.at()]);
}

#[test]
fn a_failure_is_an_event_too() {
    let nobody = RefusedUdp::hold();
    let client = run("udp-client", &[&nobody.at(), "--json"]).exits(1).says(&["refused"]);
    let error = client.event("error");
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("refused") && message.contains(&nobody.at()), "{message}");
}

#[test]
fn quiet_does_not_silence_an_error() {
    let nobody = RefusedUdp::hold();
    run("udp-client", &[&nobody.at(), "-q"]).exits(1).says(&["refused"]);
}

#[test]
fn error_numbers_are_for_those_who_ask() {
    let nobody = RefusedUdp::hold();
    // Without `-v`, every finished program is held to show none.
    run("udp-client", &[&nobody.at(), "-v"]).exits(1).says(&["os error"]);
}

#[test]
fn random_bytes_are_answered_and_harm_nothing() {
    let mut random = Random::from_printed_seed();
    let server = serve("udp-server", &[]);
    let socket = datagram_socket("127.0.0.1");
    for _ in 0..100 {
        socket.send_to(&random.bytes(2000), server.address()).unwrap();
        // Keeps the server's receive buffer from overflowing.
        catch_up(server.address());
    }
    assert_eq!(sockets::waiting(&socket), 100, "each is answered");
    // Every finished program is held to have sent nothing that a terminal would obey.
    server.stop();
}

#[test]
fn a_random_reply_is_shown_harmlessly() {
    let mut reply = Random::from_printed_seed().bytes(300);
    // A line feed at the very end could as well be taken for a terminator.
    reply.push(b'.');
    let expected = printable(&reply);
    let peer = Peer::udp(move |socket| {
        let (_, from) = sockets::receive(&socket);
        socket.send_to(&reply, from).unwrap();
    });
    ask_patiently("udp-client", &[&peer.at()]).exits(0).prints(&expected);
    peer.finish();
}
