//! Who speaks HTTP or TLS to a room is told so, and nobody hears of it (ergo#2239).

use std::time::{Duration, Instant};

use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Server, serve};

use super::Member;
use crate::tcp::quiet_rule::{let_a_quiet_period_pass, until_in_time};

const WORD: &str = "* this is a chat room, which speaks neither HTTP nor TLS";

const REQUEST: &[u8] = b"POST / HTTP/1.1\r\nHost: room\r\nContent-Length: 5\r\n\r\nhello";

const CLIENT_HELLO: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03hello\nhello\n";

/// What a client with a key begins with.
const UNDER_A_KEY: &[u8] = b"\x01BW\x01\x04\x04 hello\nhello\n";

const NO_KEY: &str = "refused, as it speaks under a key, and this server has none (--key)\n";

/// Who says nothing for so long has come to listen first.
const SILENCE: Duration = Duration::from_millis(200);

/// Somebody who begins with these bytes; nobody if that took so long that it may count as silence.
fn speaker(server: &Server, bytes: &[u8]) -> Option<Member> {
    let began = Instant::now();
    let mut speaker = Member::unwelcomed(connect(server.address()));
    speaker.send(bytes);
    (began.elapsed() < SILENCE / 2).then_some(speaker)
}

/// Not even that it came.
#[test]
fn nobody_hears_of_who_opens_with_another_protocol() {
    let mut clock = serve("tcp-server", &[]);
    until_in_time(|_| nobody_hears(&mut clock).is_some());
    clock.stop();
}

/// Nothing is proven if this is too slow.
#[track_caller]
fn nobody_hears(clock: &mut Server) -> Option<()> {
    let server = serve("chat-server", &["-v"]);
    let mut anna = Member::join(server.address());
    let long = [b"\r\nGET /", &[b'x'; 5_000][..], b" HTTP/1.1\r\n\r\nhello\n"].concat();
    for bytes in [REQUEST, CLIENT_HELLO, &long] {
        let mut other = speaker(&server, bytes)?;
        other.hears(WORD);
        other.is_at_the_end();
    }
    for (bytes, cut) in [(REQUEST, 1), (REQUEST, 4), (REQUEST, 12), (CLIENT_HELLO, 1)] {
        let mut other = speaker(&server, &bytes[..cut])?;
        let_a_quiet_period_pass(clock);
        other.send(&bytes[cut..]);
        other.hears(WORD);
        other.is_at_the_end();
    }
    let mut other = speaker(&server, UNDER_A_KEY)?;
    other.hears("* this room has no key");
    other.is_at_the_end();
    let mut ben = Member::join(server.address());
    ben.say("GET well soon");
    anna.hears(&format!("* {} joined", ben.nick));
    anna.hears(&format!("{}: GET well soon", ben.nick));
    let stopped = server.stop();
    let joins = stopped.output().lines().filter(|line| line.ends_with(" joined"));
    assert_eq!(joins.count(), 2, "the operator hears of nobody else");
    for told in ["turned away, as it speaks HTTP\n", "turned away, as it speaks TLS\n", NO_KEY] {
        assert!(stopped.error().contains(told), "{stopped:?}");
    }
    Some(())
}

/// Who listens first is a member, until it turns out to be none.
#[test]
fn of_who_has_joined_nothing_is_said_either() {
    let server = serve("chat-server", &["-q"]);
    let mut anna = Member::join(server.address());
    for bytes in [REQUEST, CLIENT_HELLO] {
        let mut other = Member::join(server.address());
        other.send(bytes);
        other.hears(WORD);
        other.is_at_the_end();
        anna.hears(&format!("* {} joined", other.nick));
        anna.hears(&format!("* {} left", other.nick));
    }
    server.stop();
}

/// Of clients that send no line feed, and do not wait for the welcome.
#[test]
fn first_words_are_said_that_look_like_a_request() {
    let server = serve("chat-server", &["-q"]);
    let mut anna = Member::join(server.address());
    for words in ["hello", "GET it?", "POST", "GET / HTTP", "OPTIONS we have"] {
        let mut other = Member::unwelcomed(connect(server.address()));
        other.send(words.as_bytes());
        other.finish();
        assert!(other.line().starts_with("* welcome to barewire chat, "), "{words}");
        assert!(anna.line().ends_with(" joined"), "{words}");
        let line = anna.line();
        assert_eq!(line.split_once(": ").map(|(_, text)| text), Some(words), "{line}");
        assert!(anna.line().ends_with(" left"), "{words}");
    }
    server.stop();
}
