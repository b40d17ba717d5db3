//! Rooms under a key.

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use barewire_core::secure::Conversation;
use barewire_tests::harness::keyed::keyed_stream::opening;
use barewire_tests::harness::keyed::wire::ANSWER as HANDSHAKE;
use barewire_tests::harness::keyed::{Interceptor, KeyedStream, Side, Verdict};
use barewire_tests::harness::sockets::{connect, read_out};
use barewire_tests::harness::{KeyFile, Server};

use super::replay::replay;
use super::scene::{Kind, Scene};
use super::tampering::recorded;
use crate::chat::Member;
use crate::chat_client::screen::Terminal;

/// Somebody who has the key, and has been welcomed.
#[track_caller]
pub(super) fn join(server: &Server, key: &KeyFile) -> Member<KeyedStream> {
    let key = key.key().as_bytes();
    Member::welcomed(KeyedStream::connect(server.address(), Conversation::Chat, key))
}

/// A line that was changed or cut under way is not shown, and comes once when the way is honest again.
#[test]
fn a_client_comes_back_from_a_way_that_lies() {
    for cuts in [false, true] {
        let scene = Scene::new(Kind::Chat);
        let server = scene.serve(&[]);
        let lies = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&lies);
        let way = Interceptor::start(server.address(), move |mut message| {
            if message.from == Side::Server && flag.swap(false, Ordering::Relaxed) {
                if cuts {
                    return Verdict::End(Vec::new());
                }
                message.bytes[20] ^= 1;
            }
            Verdict::Pass(message.bytes)
        });
        let mut anna = join(&server, &scene.key);
        let options = ["--key", scene.key.arg(), "--retry-pause", "10ms"];
        let mut eve = Terminal::start(&way.at(), &options);
        eve.wait_for_line("eve>");
        anna.hears("* guest2 joined");
        anna.hears("* guest2 is now eve");
        lies.store(true, Ordering::Relaxed);
        anna.say("the first");
        anna.hears("* eve left (connection lost)");
        eve.wait_for_row("guest1: the first");
        anna.hears("* guest3 joined");
        anna.hears("* guest3 is now eve");
        anna.say("the second");
        eve.wait_for_row("guest1: the second");
        let rows = eve.rows();
        let shown = rows.iter().filter(|row| row.ends_with("the first")).count();
        assert_eq!(shown, 1, "{rows:#?}");
        let why = if cuts { "was cut" } else { "damaged" };
        assert!(rows.iter().any(|row| row.contains(why)), "{rows:#?}");
        eve.press("\x04");
        assert_eq!(eve.finish(), Some(0));
        server.stop();
    }
}

/// Whoever says it again joins nothing.
#[test]
fn a_room_hears_nothing_of_a_recorded_opening() {
    let scene = Scene::new(Kind::Chat);
    let recording = recorded(&scene);
    let server = scene.serve(&[]);
    let mut anna = join(&server, &scene.key);
    let mut stream = replay(&server, &recording.messages(Side::Client)[0]);
    stream.read_exact(&mut [0; HANDSHAKE]).expect("an answer");
    let ben = join(&server, &scene.key);
    anna.hears(&format!("* {} joined", ben.nick));
    drop(stream);
    drop(ben);
    anna.hears("* guest2 left (connection lost)");
    server.stop().omits("guest3");
}

/// Whoever it is that comes from there: nothing is computed for it.
#[test]
fn who_is_banned_is_answered_with_nothing_at_all() {
    let scene = Scene::new(Kind::Chat);
    scene.source.write("bans", "127.0.0.1 forever\n");
    let bans = scene.source.path("bans");
    let server = scene.serve(&["--bans", bans.to_str().expect("a plain name")]);
    let key = scene.key.key().as_bytes();
    for bytes in [&opening(Conversation::Chat, key).0[..], b"hello\n", b"GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = connect(server.address());
        // It may be closed before that is taken.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(Shutdown::Write);
        assert_eq!(read_out(&mut stream).0, b"");
    }
    let banned = scene.run_client(&server.at()).exits(1);
    let banned = banned.says(&["closed at the handshake"]).says(&["turns this address away"]);
    assert!(!scene.was_served(&banned), "{banned:?}");
    server.stop().omits("joined");
}

#[test]
fn who_is_banned_within_the_handshake_does_not_get_to_its_end() {
    let scene = Scene::new(Kind::Chat);
    let (reader, mut operator) = std::io::pipe().expect("a pipe");
    let launch = scene.launch_server().args(["--key", scene.key.arg()]).stdin(reader);
    let mut server = Server::start(launch.as_a_job());
    let (first, _) = opening(Conversation::Chat, scene.key.key().as_bytes());
    let (begun, rest) = first.split_at(20);
    let mut stream = connect(server.address());
    stream.write_all(begun).expect("it is connected");
    operator.write_all(b"/ban 127.0.0.1\n").expect("it reads");
    server.program.line_with("* banned 127.0.0.1");
    // It may be closed before that is taken.
    let _ = stream.write_all(rest);
    assert_eq!(read_out(&mut stream).0, b"");
    server.stop().omits("joined");
}
