//! Who has another key, or none: told so, at both ends, and given nothing.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::keyed::{Interceptor, Side, assert_hidden, assert_keyed};
use barewire_tests::harness::sockets::{connect, read_out, reset};
use barewire_tests::harness::{KeyFile, Peer, Proxy, Server, serve};

use super::scene::{Kind, Scene};

/// What is said of a peer that has another key.
const OTHER_KEY: [&str; 1] = ["another key"];

/// What is said of a peer that speaks without one.
const NO_KEY: [&str; 1] = ["without a key"];

#[test]
fn another_key_is_told_at_both_ends_and_opens_nothing() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let mut server = scene.serve(&[]);
        let way = Interceptor::reading(server.address());
        let other = KeyFile::new(&scene.keys, "other");
        let client = scene.launch_client(&way.at()).args(["--key", other.arg()]).run();
        let client = client.exits(1).says(&OTHER_KEY);
        assert!(!scene.was_served(&client), "{client:?}");
        server.program.diagnostic_with(&OTHER_KEY);
        server.stop().omits(scene.shown()).omits("joined");
        let seen = way.recordings();
        assert!(!seen.is_empty(), "nobody came this way");
        assert!(seen.iter().all(|seen| seen.of(Side::Server).is_empty()), "it was answered");
        for seen in seen {
            assert_keyed(Side::Client, kind.conversation(), seen.of(Side::Client));
        }
    }
}

#[test]
fn a_plain_client_is_closed_at_its_first_byte_and_told_nothing() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let mut server = scene.serve(&[]);
        let openings: [&[u8]; 6] = [
            b"h",
            b"hello\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            &Ask::get("input").bytes(),
            b"\x01BX",
        ];
        for opening in openings {
            let mut stream = connect(server.address());
            stream.write_all(opening).expect("it is connected");
            // It does not wait for more.
            assert_eq!(read_out(&mut stream).0, b"", "to {}", opening.escape_ascii());
        }
        server.program.diagnostic_with(&NO_KEY);
        server.stop().omits(scene.shown()).omits("joined");
    }
}

/// A tutorial client waits for the greeting first, and a health check says nothing at all.
#[test]
fn who_says_nothing_is_told_nothing() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let server = scene.serve(&[]);
        let mut stream = connect(server.address());
        stream.shutdown(Shutdown::Write).expect("it is connected");
        assert_eq!(read_out(&mut stream).0, b"");
        server.stop().omits("joined");
    }
}

/// Whoever of the two speaks first.
#[test]
fn a_plain_client_gets_nothing_from_a_server_with_a_key() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let server = scene.serve(&[]);
        let way = Proxy::start(server.address(), &[]);
        let waits: &[_] = match kind {
            Kind::Hello => &["--timeout", "300ms"],
            Kind::File => &[],
            Kind::Chat => &["--welcome-timeout", "50ms"],
        };
        let client = scene.launch_client(&way.at()).args(waits).run().exits(1);
        assert!(!scene.was_served(&client), "{client:?}");
        // It is told what it may lack.
        client.says(&["if the server has a key, --key FILE is needed"]);
        server.stop().omits(scene.shown()).omits("joined");
        assert!(way.carried().iter().all(|count| *count == 0), "{:?}", way.carried());
    }
}

/// With a key or without: a server that ends so tells no more, and whether it is seen as a reset is chance.
#[test]
fn a_server_that_ends_before_it_has_answered_is_told_the_same_way_however_it_ends() {
    for kind in Kind::EACH {
        for ends_in_order in [false, true] {
            let scene = Scene::new(kind);
            let peer = Peer::tcp(move |mut stream| {
                stream.read_exact(&mut [0]).expect("the handshake");
                if ends_in_order {
                    stream.shutdown(Shutdown::Write).expect("it is connected");
                }
                reset(stream);
            });
            let client = scene.run_client(&peer.at()).exits(1);
            let told = "closed at the handshake: it has another key, or none, or is full, or turns this address away";
            client.says(&[told]).omits("--key FILE");
            peer.finish();
        }
        let scene = Scene::new(kind);
        let peer = Peer::tcp(move |mut stream| {
            // The others speak first.
            if kind == Kind::File {
                stream.read_exact(&mut [0]).expect("a request");
            }
            reset(stream);
        });
        let client = scene.launch_client(&peer.at()).run().exits(1);
        let client = client.says(&["connection reset by peer"]);
        client.says(&["it may be full, or turn this address away"]);
        peer.finish();
    }
}

/// It never falls back.
#[test]
fn a_client_with_a_key_says_nothing_plain_to_a_plain_server() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let server = Server::start(scene.launch_server());
        let way = Interceptor::reading(server.address());
        // At once, whichever of the two speaks first.
        let client = scene.launch_client(&way.at()).args(["--key", scene.key.arg()]);
        let client = client.args(["--timeout", "1h"]).run().exits(1).says(&NO_KEY);
        assert!(!scene.was_served(&client), "{client:?}");
        let server = server.stop().omits(scene.shown());
        if kind == Kind::File {
            server.prints("malformed request (if the client has a key, --key FILE is needed here)");
        }
        for seen in way.recordings() {
            assert_keyed(Side::Client, kind.conversation(), seen.of(Side::Client));
            for text in scene.texts() {
                assert_hidden(seen.of(Side::Client), text);
            }
        }
    }
}

/// Of a server that is none of ours, whatever it says, or if it says nothing.
#[test]
fn a_client_with_a_key_falls_for_no_plain_words() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        for words in
            [&b""[..], b"* welcome to barewire chat, you are guest1 (/help)\n", b"x", b"\0BW\x02"]
        {
            let peer = Peer::tcp(move |mut stream| {
                stream.write_all(words).expect("it is connected");
                let _ = stream.shutdown(Shutdown::Write);
                read_out(&mut stream).0
            });
            let client = scene.run_client(&peer.at()).exits(1);
            let client = client.says(if words.is_empty() { &["closed"] } else { &NO_KEY });
            assert!(!scene.was_served(&client), "{client:?}");
            let heard = peer.finish();
            assert_keyed(Side::Client, kind.conversation(), &heard);
            assert!(heard.len() <= 54, "it goes on: {}", heard.escape_ascii());
        }
    }
}

/// The same key serves for another conversation, which is told before anything is said of it.
#[test]
fn a_client_for_another_server_is_refused() {
    let scene = Scene::new(Kind::File);
    let mut server = serve("tcp-server", &["--key", scene.key.arg()]);
    let client = scene.run_client(&server.at()).exits(1).says(&["another key, or none"]);
    assert!(!scene.was_served(&client), "{client:?}");
    server.program.diagnostic_with(&["it is a client for another server"]);
    server.stop();
}
