//! Datagrams under a key, with somebody on the way who has none.

use barewire_tests::harness::keyed::{DatagramInterceptor, Side, assert_hidden};
use barewire_tests::harness::sockets::{asking_socket, waiting};
use barewire_tests::harness::{Folder, KeyFile, Launch, PATIENTLY, Server, ask_patiently, serve};

use super::{ANSWER, GREETING};
use crate::common::summary::assert_counts;

/// How much longer than its text a request is, and a reply.
const REQUEST: usize = 42;
const REPLY: usize = 66;

/// A server, and the key that it has, in its folder.
fn keyed_server() -> (Folder, KeyFile, Server) {
    let folder = Folder::new();
    let key = KeyFile::new(&folder, "own");
    let options = ["--reply", GREETING, "--rate", "0", "--total-rate", "0"];
    let server = serve("udp-server", &[&options[..], &["--key", key.arg()]].concat());
    (folder, key, server)
}

#[test]
fn nothing_of_them_is_to_be_seen() {
    let (_folder, key, mut server) = keyed_server();
    let way = DatagramInterceptor::reading(server.address());
    let client = ask_patiently("udp-client", &[&way.at(), ANSWER, "--key", key.arg()]).exits(0);
    client.is_silent().prints(GREETING);
    server.program.line_with(ANSWER);
    // That its reply is a long one is all that it has to say.
    let said = server.stop();
    assert!(said.diagnostics().all(|line| line.contains(": --reply has ")), "{said:?}");
    let seen = way.recorded();
    let lengths: Vec<_> = seen.iter().map(|it| (it.from, it.bytes.len())).collect();
    let expected = [(Side::Client, ANSWER.len() + REQUEST), (Side::Server, GREETING.len() + REPLY)];
    assert_eq!(lengths, expected);
    for datagram in seen {
        for text in [GREETING, ANSWER] {
            assert_hidden(&datagram.bytes, text);
        }
    }
}

#[test]
fn no_byte_of_a_request_can_be_another_or_be_missing() {
    let (_folder, key, server) = keyed_server();
    let socket = asking_socket("127.0.0.1", server.address());
    let (_, request) = key.request(ANSWER.as_bytes());
    for place in 0..request.len() {
        let mut changed = request.clone();
        changed[place] ^= 1 << (place % 8);
        for datagram in [&changed, &request[..place], &request[place + 1..]] {
            socket.send_to(datagram, server.address()).expect("loopback takes it");
        }
        if place % 50 == 0 {
            // So that none is lost since too many wait.
            key.catch_up(server.address());
        }
    }
    key.catch_up(server.address());
    assert_eq!(waiting(&socket), 0, "it was answered");
    server.stop().omits(ANSWER);
}

/// In as many exchanges of one client, each of which hears the right one behind it.
#[test]
fn no_byte_of_a_reply_can_be_another_nor_is_one_taken_for_two_questions() {
    let (_folder, key, server) = keyed_server();
    let mut last = Vec::new();
    let way = DatagramInterceptor::start(server.address(), move |datagram| {
        let (number, bytes) = (datagram.number, datagram.bytes);
        if datagram.from == Side::Client {
            return vec![bytes];
        }
        let mut changed = bytes.clone();
        changed[number] ^= 1 << (number % 8);
        vec![changed, std::mem::replace(&mut last, bytes.clone()), bytes]
    });
    let count = GREETING.len() + REPLY;
    let launch =
        Launch::new("udp-client").args(PATIENTLY).args([&way.at(), ANSWER, "--key", key.arg()]);
    let client =
        launch.args(["--count", &count.to_string(), "--interval", "0", "--json"]).run().exits(0);
    assert_counts(&client.event("summary"), count as u64, count as u64);
    assert_eq!(client.output().matches(GREETING).count(), count, "{client:?}");
    // The first had none before it.
    client
        .says(&[&format!("{} forged replies ignored", count + 1)])
        .says(&[&format!("{} late or repeated replies ignored", count - 1)]);
    server.stop();
}
