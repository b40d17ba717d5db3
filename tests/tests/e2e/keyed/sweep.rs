//! Each byte of the handshake, and of the first records, is changed once.

use std::io::Write as _;
use std::net::Shutdown;

use barewire_tests::harness::framed::{Ask, Reply, hear, on_the_wire};
use barewire_tests::harness::keyed::keyed_stream::opening;
use barewire_tests::harness::keyed::wire::{ANSWER as HANDSHAKE, OPENING};
use barewire_tests::harness::keyed::{KeyedStream, Side, assert_keyed};
use barewire_tests::harness::sockets::{connect, read_out, with_timeouts};
use barewire_tests::harness::{Peer, Server};

use super::scene::{Kind, NAME, Scene};
use super::{ANSWER, END, GREETING};
use crate::common::summary::assert_counts;

/// With one bit of one byte changed.
fn flipped(mut bytes: Vec<u8>, place: usize) -> Vec<u8> {
    bytes[place] ^= 1 << (place % 8);
    bytes
}

#[test]
fn an_opening_with_another_bit_is_answered_with_nothing_at_all() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let server = scene.serve(&[]);
        let (first, _) = opening(kind.conversation(), scene.key.key().as_bytes());
        for place in 0..OPENING {
            let mut stream = connect(server.address());
            // It may be closed before all of it is taken.
            let _ = stream.write_all(&flipped(first.to_vec(), place));
            assert_eq!(read_out(&mut stream).0, b"", "{kind:?}, byte {place}");
        }
        server.stop();
    }
}

/// What a client of that kind says first.
fn words(kind: Kind) -> Vec<u8> {
    match kind {
        Kind::Hello => ANSWER.into(),
        Kind::File => Ask::get(NAME).bytes(),
        Kind::Chat => format!("{ANSWER}\n").into(),
    }
}

/// Whatever became of them: what the server says is sealed.
#[track_caller]
fn say(scene: &Scene, server: &Server, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> usize {
    let (kind, stream) = (scene.kind, connect(server.address()));
    let copy = stream.try_clone().expect("a copy");
    let client = KeyedStream::unproven(stream, kind.conversation(), scene.key.key().as_bytes());
    let mut client = client.expect("it has the key");
    let records = [client.seal_data(&words(kind)), client.seal_end()].concat();
    let length = records.len();
    let mut stream = copy;
    let _ = stream.write_all(&change(records));
    let _ = stream.shutdown(Shutdown::Write);
    let said = [&[1; HANDSHAKE], &read_out(&mut stream).0[..]].concat();
    assert_keyed(Side::Server, kind.conversation(), &said);
    length
}

#[test]
fn a_first_record_with_another_bit_is_not_heard() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let mut server = scene.serve(&[]);
        let record = END + words(kind).len();
        for place in 0..record {
            say(&scene, &server, |records| flipped(records, place));
        }
        assert_eq!(say(&scene, &server, |records| records), record + END);
        server.program.line_with(scene.shown());
        let shown = server.stop();
        assert_eq!(shown.output().matches(scene.shown()).count(), 1, "{shown:?}");
    }
}

/// What a server of that kind says, once it has heard what it waits for.
fn reply(kind: Kind, contents: &[u8], client: &mut KeyedStream) -> Vec<u8> {
    match kind {
        Kind::Hello => format!("{GREETING}\n").into(),
        Kind::File => {
            let ask = hear(client).expect("a request");
            Reply::ok(contents.len(), 7).with(&ask, contents)
        }
        Kind::Chat => WELCOMING.into(),
    }
}

const WELCOMING: &str = "* welcome to barewire chat, you are guest1 (/help)\n";

/// A server that says the same to one client after another, each time with a bit of another byte changed.
/// Gives how many bytes it says.
fn flipping(scene: &Scene, places: Vec<usize>) -> Peer<usize> {
    let (kind, key, contents) = (scene.kind, *scene.key.key().as_bytes(), scene.contents.clone());
    Peer::tcp_listener(move |listener| {
        let mut length = 0;
        for place in places {
            let (stream, _) = listener.accept().expect("a client");
            let mut copy = with_timeouts(stream.try_clone().expect("a copy"));
            let heard = KeyedStream::unanswered(stream, kind.conversation(), &key);
            let (answer, mut client) = heard.expect("it has the key");
            if place < answer.len() {
                copy.write_all(&flipped(answer, place)).expect("it reads");
            } else {
                copy.write_all(&answer).expect("it reads");
                let said = reply(kind, &contents, &mut client);
                let records = [client.seal_data(&said), client.seal_end()].concat();
                let at = place - answer.len();
                length = answer.len() + records.len();
                let records = if place < length { flipped(records, at) } else { records };
                // It may have been told enough.
                let _ = copy.write_all(&records);
            }
            let _ = copy.shutdown(Shutdown::Write);
            read_out(&mut copy);
        }
        length
    })
}

#[test]
fn no_bit_of_what_greets_can_be_another() {
    let scene = Scene::new(Kind::Hello);
    let greeted = HANDSHAKE + END + GREETING.len() + 1;
    let length = greeted + END;
    let peer = flipping(&scene, (0..=length).collect());
    let count = (length + 1).to_string();
    let client = scene.launch_client(&peer.at()).args(["--key", scene.key.arg(), "--json"]);
    let client = client.args(["--count", &count, "--interval", "0"]).run().exits(0);
    assert_eq!(peer.finish(), length);
    assert_counts(&client.event("summary"), length as u64 + 1, 1);
    // What was greeted in order, before an end that was not.
    assert_eq!(client.output().matches(GREETING).count(), 1 + END, "{client:?}");
}

/// Each in a process of its own, and so not of all.
#[test]
fn no_bit_of_what_is_downloaded_or_told_in_a_room_can_be_another() {
    const SIZE: usize = 100;
    let download = usize::try_from(on_the_wire(SIZE)).expect("it is small");
    for (kind, length) in [(Kind::File, download), (Kind::Chat, WELCOMING.len())] {
        let scene = Scene::with_file(kind, SIZE);
        let told = HANDSHAKE + END + length;
        let places: Vec<_> = (0..told).step_by(7).chain([told + END]).collect();
        let peer = flipping(&scene, places.clone());
        for place in places {
            let client = scene.run_client(&peer.at());
            assert_eq!(scene.was_served(&client), place > told, "byte {place}: {client:?}");
            assert!(place > told || client.code() == Some(1), "byte {place}: {client:?}");
        }
        assert_eq!(peer.finish(), told + END);
    }
}
