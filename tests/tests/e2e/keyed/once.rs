//! `--once` under a key: the one client is the first that has it, whoever comes before, or stays.

use std::io::Write as _;
use std::net::{Shutdown, TcpStream};

use barewire_tests::harness::KeyFile;
use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::keyed::KeyedStream;
use barewire_tests::harness::keyed::keyed_stream::opening;
use barewire_tests::harness::sockets::{connect, is_ended_by_peer, read_out, reset, with_timeouts};

use super::scene::{Kind, Scene};

/// The servers that take `--once`.
const KINDS: [Kind; 2] = [Kind::Hello, Kind::File];

#[test]
fn no_stranger_uses_it_up_or_keeps_others_waiting() {
    for kind in KINDS {
        let scene = Scene::new(kind);
        let (key, other) = (scene.key.key(), KeyFile::new(&scene.keys, "other"));
        let mut server = scene.serve(&["--once", "-v"]);
        let mut silent = connect(server.address());
        let recorded = opening(kind.conversation(), key.as_bytes()).0;
        let mut replaying = connect(server.address());
        replaying.write_all(&recorded).expect("it is connected");
        // A scan of ports.
        drop(connect(server.address()));
        reset(connect(server.address()));
        for words in [b"hello\n", &Ask::get("input").bytes()[..], &recorded[..20]] {
            let mut stream = connect(server.address());
            stream.write_all(words).expect("it is connected");
            let _ = stream.shutdown(Shutdown::Write);
            assert_eq!(read_out(&mut stream).0, b"", "{kind:?}: to {}", words.escape_ascii());
        }
        scene.launch_client(&server.at()).args(["--key", other.arg()]).run().exits(1);
        server.program.diagnostic_with(&["another key"]);

        let client = scene.run_client(&server.at()).exits(0);
        assert!(scene.was_served(&client), "{client:?}");
        let ended = server.program.finish().exits(0);
        assert_eq!(ended.output().matches(scene.shown()).count(), 1, "{ended:?}");
        for stream in [&mut silent, &mut replaying] {
            read_out(stream);
        }
    }
}

/// As one without a key does: it is the one, whatever becomes of it.
#[test]
fn who_has_the_key_is_the_one_though_its_conversation_fails() {
    for kind in KINDS {
        let scene = Scene::new(kind);
        let server = scene.serve(&["--once"]);
        let key = scene.key.key().as_bytes();
        let mut client = KeyedStream::connect(server.address(), kind.conversation(), key);
        let record = client.seal_data(b"\0BW");
        client.stream().write_all(&record).expect("it is connected");
        // What is no record.
        client.stream().write_all(&[0; 32]).expect("it is connected");
        server.program.finish().exits(1).says(&["damaged, forged or out of order"]);
    }
}

#[test]
fn who_has_the_key_too_and_comes_later_is_not_served() {
    for kind in KINDS {
        let scene = Scene::new(kind);
        let server = scene.serve(&["--once"]);
        let (conversation, key) = (kind.conversation(), scene.key.key().as_bytes());
        // It is heard, and so on its way, before the first has begun.
        let (first, _) = opening(conversation, key);
        let mut before = connect(server.address());
        before.write_all(&first[..20]).expect("it is connected");
        let mut inside = KeyedStream::connect(server.address(), conversation, key);
        let is_greeted = kind == Kind::Hello;
        if is_greeted {
            inside.line();
        } else {
            Ask::get("input").fetch(&mut inside);
        }
        let _ = before.write_all(&first[20..]);
        assert!(is_ended_by_peer(&mut before), "{kind:?}");
        // It may be reset before it knows that it is connected.
        if let Ok(stream) = TcpStream::connect(server.address()) {
            assert!(is_ended_by_peer(&mut with_timeouts(stream)), "{kind:?}");
        }
        if is_greeted {
            inside.write_all(b"only me\n").expect("it is connected");
        }
        // Who has been heard out by then may be gone.
        let end = inside.seal_end();
        let _ = inside.stream().write_all(&end);
        let _ = inside.stream().shutdown(Shutdown::Write);
        server.program.finish().exits(0);
    }
}
