//! Who is turned away at the door of a server with a key is told nothing plain either.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown};
use std::os::unix::net::UnixStream;

use barewire_tests::harness::keyed::keyed_stream::opening;
use barewire_tests::harness::keyed::{KeyedStream, Side, assert_keyed};
use barewire_tests::harness::sockets::{connect, connect_from, is_ended_by_peer, read_out};
use barewire_tests::harness::{Server, TIMEOUT};
use nix::sys::signal::Signal;

use super::scene::{Kind, Scene};

#[test]
fn a_full_server_says_nothing_plain() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let most = if kind == Kind::Chat { "--max-members" } else { "--max-clients" };
        let server = scene.serve(&[most, "1"]);
        let key = scene.key.key().as_bytes();
        let mut inside = KeyedStream::connect(server.address(), kind.conversation(), key);
        if kind != Kind::File {
            // It has its place.
            inside.line();
        }
        for bytes in [&opening(kind.conversation(), key).0[..], b"hello\n"] {
            let mut stream = connect(server.address());
            // It may be closed before that is taken.
            let _ = stream.write_all(bytes);
            let _ = stream.shutdown(Shutdown::Write);
            let (said, _) = read_out(&mut stream);
            assert_keyed(Side::Server, kind.conversation(), &said);
        }
        server.stop();
    }
}

#[test]
fn a_source_that_is_paused_is_told_nothing_plain() {
    const FAILING: Ipv4Addr = Ipv4Addr::new(127, 0, 3, 1);
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let mut server =
            Server::start(scene.launch_server().args(["--key", scene.key.arg(), "-v"]));
        for _ in 0..20 {
            let mut stream = connect_from(FAILING, server.address());
            let _ = stream.write_all(b"no key");
            assert!(is_ended_by_peer(&mut stream));
        }
        server.program.diagnostic_with(&["127.0.3.1: paused for 5 s"]);
        let mut stream = connect_from(FAILING, server.address());
        let key = scene.key.key().as_bytes();
        let _ = stream.write_all(&opening(kind.conversation(), key).0);
        let _ = stream.shutdown(Shutdown::Write);
        assert_keyed(Side::Server, kind.conversation(), &read_out(&mut stream).0);
        server.program.diagnostic_with(&["turned away, as its source is paused for"]);
        server.stop();
    }
}

/// A socket of this machine is no exception.
#[test]
fn nothing_plain_goes_over_a_unix_socket_either() {
    for kind in Kind::EACH {
        let scene = Scene::new(kind);
        let path = scene.keys.path("socket");
        let at = format!("unix:{}", path.display());
        let mut server = scene.launch_server_at(&at).args(["--key", scene.key.arg()]).spawn();
        assert_eq!(server.line(), format!("listening on {at}"));
        let client = scene.run_client(&at).exits(0);
        assert!(scene.was_served(&client), "{client:?}");
        server.line_with(scene.shown());
        let mut stream = UnixStream::connect(path).expect("it listens");
        stream.set_read_timeout(Some(TIMEOUT)).expect("not zero");
        stream.write_all(b"h").expect("it is connected");
        let mut said = Vec::new();
        let end = stream.read_to_end(&mut said).map_err(|error| error.kind());
        assert_eq!((said, end), (Vec::new(), Err(ErrorKind::ConnectionReset)), "{kind:?}");
    }
}

/// Over a Unix socket as over TCP.
#[test]
fn a_client_without_a_key_is_told_what_it_may_lack() {
    for kind in [Kind::File, Kind::Chat] {
        let scene = Scene::new(kind);
        let at = format!("unix:{}", scene.keys.path("socket").display());
        let launch = scene.launch_server_at(&at).args(["--key", scene.key.arg()]);
        let mut server = launch.spawn();
        assert_eq!(server.line(), format!("listening on {at}"));
        // What is sent when, or to whom it may be, makes no difference.
        for options in [&[][..], &["--welcome-timeout", "0s"]] {
            let client = scene.launch_client(&at).args(options).run().exits(1).says(&["--key"]);
            assert!(!scene.was_served(&client), "{client:?}");
            client.omits("plain form only");
        }
        server.signal(Signal::SIGTERM);
        server.finish().exits(0).omits(scene.shown());
    }
}
