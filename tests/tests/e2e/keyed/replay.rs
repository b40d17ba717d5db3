//! What was recorded is said again, by somebody who has no key.

use std::io::Write as _;
use std::net::TcpStream;

use barewire_tests::harness::keyed::wire::ANSWER as HANDSHAKE;
use barewire_tests::harness::keyed::{Recording, Side};
use barewire_tests::harness::sockets::{connect, read_out};
use barewire_tests::harness::{Peer, Server};

use super::scene::{Kind, Scene};
use super::tampering::{FORGED, recorded};
use crate::common::time_enough::with_time_enough;

/// Says these bytes, and gives the connection.
pub(super) fn replay(server: &Server, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(server.address());
    // It may be closed before all of it is taken.
    let _ = stream.write_all(bytes);
    stream
}

pub(super) fn opening(recording: &Recording) -> Vec<u8> {
    recording.messages(Side::Client).remove(0)
}

/// All of it: the opening is answered, with what nobody can go on from who has no key.
#[test]
fn a_recorded_client_is_told_nothing_and_not_heard() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let recording = recorded(&scene);
        let mut server = scene.serve(&["-v"]);
        let mut stream = replay(&server, recording.of(Side::Client));
        let (said, _) = read_out(&mut stream);
        assert!(said.len() <= HANDSHAKE, "{kind:?} goes on: {}", said.escape_ascii());
        server.program.diagnostic_with(&FORGED);
        server.stop().omits(scene.shown()).omits("joined");
    }
}

/// The opening alone, and then silence.
#[test]
fn a_recorded_opening_is_given_up_in_time_and_hears_nothing_until_then() {
    for kind in [Kind::Hello, Kind::File] {
        let scene = Scene::new(kind);
        let recording = recorded(&scene);
        with_time_enough(|timeout| {
            let server = scene.serve(&["--timeout", timeout, "--max-clients", "1"]);
            let mut stream = replay(&server, &opening(&recording));
            let (said, _) = read_out(&mut stream);
            // There is room for another.
            let client = scene.run_client(&server.at());
            let shown = server.stop();
            let is_served = client.code() == Some(0);
            if is_served {
                assert!(scene.was_served(&client), "{client:?}");
                shown.prints(scene.shown());
                scene.forget();
            }
            (is_served && !said.is_empty()).then(|| {
                assert_eq!(said.len(), HANDSHAKE, "{kind:?}: {}", said.escape_ascii());
            })
        });
    }
}

/// A client whose chance is another does not take it for an answer.
#[test]
fn a_recorded_server_is_not_believed() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let said = recorded(&scene).of(Side::Server).to_vec();
        let peer = Peer::tcp(move |mut stream| {
            stream.write_all(&said).expect("it reads");
            read_out(&mut stream)
        });
        let client = scene.run_client(&peer.at()).exits(1).says(&["another key", "damaged"]);
        assert!(!scene.was_served(&client), "{client:?}");
        peer.finish();
    }
}
