extern crate std;
use super::*;
use crate::session::{Events, Output, Session};
use crate::text::Text;
use crate::time::{Duration, Instant};
use std::string::{String, ToString};
use std::vec::Vec;

const NOW: Instant = Instant::ZERO;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn server() -> Server<'static, 16> {
    Server::new(NOW, Text::new("hi").unwrap(), HandshakeConfig::default())
}

fn client() -> Client<'static, 16> {
    Client::new(NOW, Text::new("Hello").unwrap(), HandshakeConfig::default())
}

/// Carries out everything that `session` wants to send, `step` bytes at a time; the half-close
/// shows as `|`, the close as `.`.
fn drain(session: &mut impl Session, step: usize) -> String {
    let mut sent = Vec::new();
    loop {
        match session.poll_transmit() {
            Output::Nothing => break,
            Output::Contents { .. } => panic!("a handshake has no contents"),
            Output::Close => {
                sent.push(b'.');
                break;
            }
            Output::Shutdown => {
                sent.push(b'|');
                session.transmitted(NOW, 0);
            }
            Output::Bytes { head, tail, .. } => {
                assert!(!head.is_empty());
                let count = step.min(head.len() + tail.len());
                sent.extend(head.iter().chain(tail).take(count));
                session.transmitted(NOW, count);
            }
        }
    }
    String::from_utf8(sent).unwrap()
}

/// What a step of a session says: the text heard, the error, or nothing.
fn said(step: nb::Result<Text<'_>, HandshakeError>) -> Option<Result<String, HandshakeError>> {
    match step {
        Ok(text) => Some(Ok(text.to_string())),
        Err(nb::Error::WouldBlock) => None,
        Err(nb::Error::Other(error)) => Some(Err(error)),
    }
}

fn hear(
    session: &mut (impl Session<Error = HandshakeError> + for<'s> Events<'s, Event = Text<'s>>),
    bytes: &[u8],
) -> Option<Result<String, HandshakeError>> {
    said(session.handle_input(NOW, &mut &bytes[..]))
}

#[test]
fn the_server_speaks_first_whatever_the_link_takes_at_a_time() {
    for step in 1..=4 {
        let mut server = server();
        assert_eq!(drain(&mut server, step), "hi\n|");
        assert_eq!(hear(&mut server, b"Hel"), None);
        assert_eq!(hear(&mut server, b"lo\n"), Some(Ok("Hello".into())));
        assert_eq!(drain(&mut server, step), ".");
        assert_eq!(server.poll_deadline(), None);
        assert_eq!(said(server.handle_timeout(at(99_999))), None);
    }
}

#[test]
fn the_client_answers_and_waits_for_the_end() {
    for step in 1..=5 {
        let mut client = client();
        assert_eq!(drain(&mut client, step), "");
        assert_eq!(hear(&mut client, b"hi\n"), Some(Ok("hi".into())));
        assert_eq!(drain(&mut client, step), "Hello|");
        assert_eq!(said(client.handle_end(NOW)), None);
        assert_eq!(drain(&mut client, step), ".");
        assert_eq!(client.poll_deadline(), None);
    }
}

#[test]
fn an_answer_without_terminator_ends_by_half_close_or_by_silence() {
    let mut closing = server();
    assert_eq!(hear(&mut closing, b"Hello"), None);
    assert_eq!(said(closing.handle_end(NOW)), Some(Ok("Hello".into())));
    assert_eq!(said(closing.handle_end(NOW)), None);

    let mut silent = server();
    assert_eq!(hear(&mut silent, b"Hello"), None);
    assert_eq!(silent.poll_deadline(), Some(at(200)));
    assert_eq!(said(silent.handle_timeout(at(199))), None);
    assert_eq!(said(silent.handle_timeout(at(200))), Some(Ok("Hello".into())));
}

#[test]
fn an_answer_before_the_greeting_is_sent_is_heard_all_the_same() {
    let mut server = server();
    assert_eq!(hear(&mut server, b"Hello\n"), Some(Ok("Hello".into())));
    assert_eq!(drain(&mut server, 2), "hi\n|.");
}

#[test]
fn a_server_that_has_ended_already_still_gets_its_answer() {
    let mut client = client();
    assert_eq!(hear(&mut client, b"hi"), None);
    assert_eq!(said(client.handle_end(NOW)), Some(Ok("hi".into())));
    assert_eq!(drain(&mut client, 9), "Hello|.");
}

#[test]
fn what_follows_the_text_is_ignored() {
    let mut server = server();
    let mut input = &b"Hello\nand more"[..];
    assert_eq!(said(server.handle_input(NOW, &mut input)), Some(Ok("Hello".into())));
    assert_eq!(said(server.handle_input(NOW, &mut input)), None);
    assert!(input.is_empty());
}

#[test]
fn an_answer_is_one_from_its_first_byte_on() {
    for begun in ["H", "\r", "\n", "Hello\n"] {
        let mut server = server();
        drain(&mut server, 99);
        assert!(server.is_unanswered());
        let _ = server.handle_input(NOW, &mut begun.as_bytes());
        assert!(!server.is_unanswered(), "{begun:?}");
        let _ = server.handle_end(NOW);
        assert!(!server.is_unanswered(), "{begun:?}");
    }
}

#[test]
fn an_empty_answer_is_still_an_answer() {
    let mut client = Client::<16>::new(NOW, Text::new("").unwrap(), HandshakeConfig::default());
    assert_eq!(hear(&mut client, b"hi\n"), Some(Ok("hi".into())));
    assert_eq!(drain(&mut client, 9), "\n|");
    assert_eq!(hear(&mut server(), b"\n"), Some(Ok(String::new())));
}

#[test]
fn a_peer_without_a_word_is_reported() {
    assert_eq!(said(server().handle_end(NOW)), Some(Err(HandshakeError::Silent)));
    assert_eq!(said(client().handle_end(NOW)), Some(Err(HandshakeError::Silent)));
}

#[test]
fn an_endless_text_is_cut_off_at_the_capacity() {
    let mut server = server();
    assert_eq!(hear(&mut server, &[b'x'; 16]), None);
    assert_eq!(hear(&mut server, b"x"), Some(Err(HandshakeError::TooLong)));
}

#[test]
fn a_slow_text_does_not_stretch_the_time() {
    let mut server = server();
    for tick in 0..100 {
        let _ = server.handle_timeout(at(tick * 100));
        assert_eq!(said(server.handle_input(at(tick * 100), &mut &b"\xf0"[..0])), None);
    }
    // Bytes still dripping in when the time is up: the quiet period would end later.
    let _ = server.handle_input(at(9_900), &mut &b"Hel"[..]);
    assert_eq!(server.poll_deadline(), Some(at(10_000)));
    assert_eq!(said(server.handle_timeout(at(10_000))), Some(Err(HandshakeError::TimedOut)));
}

#[test]
fn a_late_driver_still_hears_what_silence_ended_in_time() {
    let mut server = server();
    let _ = server.handle_input(at(9_000), &mut &b"Hello"[..]);
    assert_eq!(said(server.handle_timeout(at(20_000))), Some(Ok("Hello".into())));
}

#[test]
fn silence_that_ends_with_the_time_ends_the_text() {
    for (heard_at, outcome) in [(9_800, Ok("Hello".into())), (9_801, Err(HandshakeError::TimedOut))]
    {
        let mut server = server();
        let _ = server.handle_input(at(heard_at), &mut &b"Hello"[..]);
        assert_eq!(said(server.handle_timeout(at(10_000))), Some(outcome));
    }
}

#[test]
fn the_deadline_is_that_of_the_time_until_all_is_over() {
    let (mut server, mut client) = (server(), client());
    assert_eq!(server.poll_deadline(), Some(at(10_000)));
    assert_eq!(client.poll_deadline(), Some(at(10_000)));
    assert_eq!(hear(&mut server, b"Hello\n"), Some(Ok("Hello".into())));
    assert_eq!(hear(&mut client, b"hi\n"), Some(Ok("hi".into())));
    assert_eq!(server.poll_deadline(), Some(at(10_000)));
    assert_eq!(client.poll_deadline(), Some(at(10_000)));
    drain(&mut client, 9);
    assert_eq!(said(client.handle_end(at(1))), None);
    assert_eq!(client.poll_deadline(), None);
}

#[test]
fn time_is_limited_in_every_state() {
    assert_eq!(said(server().handle_timeout(at(9_999))), None);
    assert_eq!(said(server().handle_timeout(at(10_000))), Some(Err(HandshakeError::TimedOut)));
    assert_eq!(said(client().handle_timeout(at(10_000))), Some(Err(HandshakeError::TimedOut)));

    // A peer that does not read.
    let mut unread = server();
    assert_eq!(hear(&mut unread, b"Hello\n"), Some(Ok("Hello".into())));
    assert_eq!(said(unread.handle_timeout(at(10_000))), Some(Err(HandshakeError::TimedOut)));

    let mut unread = client();
    assert_eq!(hear(&mut unread, b"hi\n"), Some(Ok("hi".into())));
    assert_eq!(said(unread.handle_timeout(at(10_000))), Some(Err(HandshakeError::TimedOut)));

    // A server that does not close.
    let mut unclosed = client();
    assert_eq!(hear(&mut unclosed, b"hi\n"), Some(Ok("hi".into())));
    drain(&mut unclosed, 9);
    assert_eq!(said(unclosed.handle_timeout(at(10_000))), Some(Err(HandshakeError::Unclosed)));
}

#[test]
fn a_time_out_of_never_is_no_deadline() {
    let config = HandshakeConfig::new().with_timeout(Duration::MAX);
    let mut server = Server::<16>::new(at(1), Text::new("hi").unwrap(), config);
    assert_eq!(server.poll_deadline(), None);
    assert_eq!(said(server.handle_timeout(Instant::from_micros(u64::MAX))), None);
    // The quiet period is a time of its own.
    let _ = server.handle_input(at(2), &mut &b"Hello"[..]);
    assert_eq!(server.poll_deadline(), Some(at(202)));
    assert_eq!(said(server.handle_timeout(at(202))), Some(Ok("Hello".into())));
    assert_eq!(server.poll_deadline(), None);
    let client = Client::<16>::new(at(1), Text::new("Hello").unwrap(), config);
    assert_eq!(client.poll_deadline(), None);
}

#[test]
fn a_count_beyond_what_was_lent_is_all_of_it() {
    let mut server = server();
    server.transmitted(NOW, usize::MAX);
    assert_eq!(server.poll_transmit(), Output::Shutdown);
}
