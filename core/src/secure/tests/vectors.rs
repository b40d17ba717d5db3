//! The pattern, as published; and the keyed form, as its docs have it.

extern crate std;
use std::vec::Vec;

use zeroize::Zeroizing;

use super::harness::{End, buffers, dice, hex};
use crate::secure::cipher_state::CipherState;
use crate::secure::handshake::{Initiator, Message, Responder};
use crate::secure::{DatagramKey, Key};

/// From `vectors/cacophony.txt` of <https://github.com/haskell-cryptography/cacophony>: the one of
/// `Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s`.
mod published {
    pub(super) const PROLOGUE: &str = "4a6f686e2047616c74";
    pub(super) const KEY: &str = "54686973206973206d7920417573747269616e20706572737065637469766521";
    pub(super) const INITIATOR: &str =
        "893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
    pub(super) const RESPONDER: &str =
        "bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";
    /// Payloads and messages, in turn from the initiator and from the responder.
    pub(super) const MESSAGES: [(&str, &str); 6] = [
        (
            "4c756477696720766f6e204d69736573",
            "ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944\
             fda936bec35a8adfdff198386f7d5475880897edaaf7495314c99095a2e4d66a",
        ),
        (
            "4d757272617920526f746862617264",
            "95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843\
             4cd2a371993ba41ea11448024fca32766b169183c9e691a7a433279da7e729",
        ),
        ("462e20412e20486179656b", "bc44da303ae0beb08075fc4eb4e58235c67c2d1f53a4f2fff0bca7"),
        ("4361726c204d656e676572", "416d1af83e9fa6966ce4e871156b131aa9bd7e9a1d6f8794f4872a"),
        (
            "4a65616e2d426170746973746520536179",
            "8a7d81b77bcc6c072f2b807da066efba6b5fab9edf71a7faceb2c8454b0cfef608",
        ),
        (
            "457567656e2042f6686d20766f6e2042617765726b",
            "1e2ee010f72894824a25a867664ff298f2548a145dc4e9d27b1cad83f32fa7c54d69dc3279",
        ),
    ];
}

fn array<const N: usize>(text: &str) -> [u8; N] {
    hex(text).try_into().unwrap()
}

/// A message as it goes out.
fn joined(message: &Message, payload: &[u8]) -> Vec<u8> {
    [&message.public[..], payload, &message.tag].concat()
}

#[test]
fn both_sides_say_what_is_published() {
    use published::{INITIATOR, KEY, MESSAGES, PROLOGUE, RESPONDER};
    let (prologue, key) = (hex(PROLOGUE), array(KEY));
    let mut messages = MESSAGES.into_iter().map(|(payload, message)| (hex(payload), hex(message)));

    let (payload, expected) = messages.next().unwrap();
    let mut sealed = payload.clone();
    let secret = Zeroizing::new(array(INITIATOR));
    let (mut initiator, first) = Initiator::begin(&prologue, &key, secret, &mut sealed).unwrap();
    assert_eq!(joined(&first, &sealed), expected);
    let mut responder = Responder::hear(&prologue, &key, &first, &mut sealed).unwrap();
    assert_eq!(sealed, payload);

    let (payload, expected) = messages.next().unwrap();
    let mut sealed = payload.clone();
    let secret = Zeroizing::new(array(RESPONDER));
    let (answer, theirs) = responder.answer(&secret, &mut sealed).unwrap();
    assert_eq!(joined(&answer, &sealed), expected);
    let ours = initiator.finish(&answer, &mut sealed).unwrap();
    assert_eq!(sealed, payload);

    let mut directions = [(ours.send, theirs.receive), (theirs.send, ours.receive)];
    for (number, (payload, expected)) in messages.enumerate() {
        let (send, receive) = &mut directions[number % 2];
        let mut sealed = payload.clone();
        let tag = send.seal(&[], &mut sealed).unwrap();
        assert_eq!([&sealed[..], &tag].concat(), expected);
        assert!(receive.open(&[], &mut sealed, &tag));
        assert_eq!(sealed, payload);
    }
}

/// What each side sends in an example, part by part.
fn example(title: &str) -> Vec<(&'static str, Vec<u8>)> {
    let examples = include_str!("vectors.txt").split("\nexample: ");
    let example = examples.skip(1).find(|example| example.starts_with(title)).unwrap();
    let lines = example.lines().filter_map(|line| line.split_once(' '));
    let parts = lines.filter(|(kind, _)| [">", "<"].contains(kind));
    parts.map(|(kind, rest)| (kind, hex(rest.split_once(" | ").unwrap().0))).collect()
}

/// The next parts of one side.
fn next(
    parts: &mut std::vec::IntoIter<(&'static str, Vec<u8>)>,
    kind: &str,
    count: usize,
) -> Vec<u8> {
    let parts: Vec<_> = parts.take(count).collect();
    assert!(parts.iter().all(|(of, _)| *of == kind));
    parts.into_iter().flat_map(|(_, bytes)| bytes).collect()
}

#[test]
fn a_conversation_is_the_documented_one() {
    let key = Key::new(core::array::from_fn(|at| at.to_le_bytes()[0]));
    let (mut at_client, mut at_server) = (buffers(1024, 64), buffers(2048, 64));
    let mut client = End::client(&key, &mut at_client);
    let keys = [key];
    let mut server = End::server(&keys, &mut at_server);
    let mut parts = example("a conversation").into_iter();

    let opening = client.send();
    assert_eq!(opening, next(&mut parts, ">", 3));
    server.hear(&opening).unwrap();
    server.talker.says.extend(b"* welcome, guest1\n");
    let answer = server.send();
    assert_eq!(answer, next(&mut parts, "<", 3));
    client.hear(&answer).unwrap();
    let first = client.send();
    assert_eq!(first, next(&mut parts, ">", 1));
    server.hear(&first).unwrap();
    let welcome = server.send();
    assert_eq!(welcome, next(&mut parts, "<", 1));
    client.hear(&welcome).unwrap();
    assert_eq!(client.talker.hears, b"* welcome, guest1\n");

    client.talker.says.extend(b"good ");
    let mut line = client.send();
    client.talker.says.extend(b"morning\n");
    client.talker.finishes = true;
    line.extend(client.send());
    assert_eq!(line, next(&mut parts, ">", 3));
    server.hear(&line).unwrap();
    assert_eq!(server.talker.hears, b"good morning\n");
    assert!(server.talker.hears_end && client.has_shut_down);

    server.talker.says.extend(b"guest1: good morning\n");
    server.talker.finishes = true;
    let last = server.send();
    assert_eq!(last, next(&mut parts, "<", 2));
    client.hear(&last).unwrap();
    assert!(client.talker.hears_end && parts.next().is_none());
}

#[test]
fn a_key_seals_so_many_records_and_then_another_follows() {
    let cipher = || CipherState::at(Zeroizing::new([5; 32]), (1 << 16) - 1);
    let (mut send, mut receive) = (cipher(), cipher());
    let mut records = example("the records 65535").into_iter();
    for text in ["\0before", "\0after"] {
        let mut sealed = text.as_bytes().to_vec();
        let tag = send.seal(&[], &mut sealed).unwrap();
        assert_eq!([&sealed[..], &tag].concat(), records.next().unwrap().1[2..]);
        assert!(receive.open(&[], &mut sealed, &tag));
        assert_eq!(sealed, text.as_bytes());
    }
}

#[test]
fn a_datagram_is_the_documented_one() {
    let key = DatagramKey::new(&Key::new(core::array::from_fn(|at| at.to_le_bytes()[0])));
    let mut parts = example("a datagram").into_iter();
    let (mut request, mut reply) = ([0; 64], [0; 128]);
    let (id, request) = key.seal_request(&mut dice(0x20), b"ping", &mut request).unwrap();
    assert_eq!(request, next(&mut parts, ">", 1));
    let reply = key.seal_reply(&mut dice(0x40), id, b"pong", &mut reply).unwrap();
    assert_eq!(reply, next(&mut parts, "<", 1));
}
