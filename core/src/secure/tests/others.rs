//! Conversations with two implementations of Noise by others, in both roles.

extern crate std;
use std::boxed::Box;
use std::vec::Vec;

use clatter::NqHandshake;
use clatter::crypto::cipher::ChaChaPoly;
use clatter::crypto::dh::X25519;
use clatter::crypto::hash::Blake2s;
use clatter::handshakepattern::noise_nn_psk0;
use clatter::traits::Handshaker as _;

use super::harness::{End, buffers, key};

const OPENING: &[u8] = b"\x01BW\x01\x04\x03";

/// What seals and opens at the other end.
trait Other {
    fn write(&mut self, payload: &[u8]) -> Vec<u8>;
    fn read(&mut self, message: &[u8]) -> Vec<u8>;
    /// After the handshake.
    fn go_on(self) -> Self;
}

enum Snow {
    Shakes(Box<snow::HandshakeState>),
    Talks(snow::TransportState),
}

impl Snow {
    fn new(is_client: bool) -> Self {
        let name = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s".parse().unwrap();
        let secret = [0x77; 32];
        let builder = snow::Builder::new(name)
            .psk(0, &[7; 32])
            .unwrap()
            .prologue(OPENING)
            .unwrap()
            .fixed_ephemeral_key_for_testing_only(&secret);
        let state = if is_client { builder.build_initiator() } else { builder.build_responder() };
        Self::Shakes(Box::new(state.unwrap()))
    }
}

impl Other for Snow {
    fn write(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut message = std::vec![0; payload.len() + 64];
        let length = match self {
            Self::Shakes(state) => state.write_message(payload, &mut message),
            Self::Talks(state) => state.write_message(payload, &mut message),
        };
        message.truncate(length.unwrap());
        message
    }

    fn read(&mut self, message: &[u8]) -> Vec<u8> {
        let mut payload = std::vec![0; message.len()];
        let length = match self {
            Self::Shakes(state) => state.read_message(message, &mut payload),
            Self::Talks(state) => state.read_message(message, &mut payload),
        };
        payload.truncate(length.unwrap());
        payload
    }

    fn go_on(self) -> Self {
        let Self::Shakes(state) = self else { panic!("it has gone on") };
        Self::Talks(state.into_transport_mode().unwrap())
    }
}

type Handshake = NqHandshake<X25519, ChaChaPoly, Blake2s>;

enum Clatter {
    Shakes(Box<Handshake>),
    Talks(Box<clatter::transportstate::TransportState<ChaChaPoly, Blake2s>>),
}

impl Clatter {
    fn new(is_client: bool) -> Self {
        let (secret, remote) = (None, None);
        let pattern = noise_nn_psk0();
        let mut state =
            Handshake::new(pattern, OPENING, is_client, secret, None, remote, None).unwrap();
        state.push_psk(&[7; 32]);
        Self::Shakes(Box::new(state))
    }
}

impl Other for Clatter {
    fn write(&mut self, payload: &[u8]) -> Vec<u8> {
        let mut message = std::vec![0; payload.len() + 64];
        let length = match self {
            Self::Shakes(state) => state.write_message(payload, &mut message).unwrap(),
            Self::Talks(state) => state.send(payload, &mut message).unwrap(),
        };
        message.truncate(length);
        message
    }

    fn read(&mut self, message: &[u8]) -> Vec<u8> {
        let mut payload = std::vec![0; message.len()];
        let length = match self {
            Self::Shakes(state) => state.read_message(message, &mut payload).unwrap(),
            Self::Talks(state) => state.receive(message, &mut payload).unwrap(),
        };
        payload.truncate(length);
        payload
    }

    fn go_on(self) -> Self {
        let Self::Shakes(state) = self else { panic!("it has gone on") };
        Self::Talks(Box::new(state.finalize().unwrap()))
    }
}

fn record(other: &mut impl Other, plain: &[u8]) -> Vec<u8> {
    let sealed = other.write(plain);
    [&u16::try_from(sealed.len()).unwrap().to_be_bytes()[..], &sealed].concat()
}

/// The plaintexts of records.
fn opened(other: &mut impl Other, mut records: &[u8]) -> Vec<Vec<u8>> {
    let mut plain = Vec::new();
    while let Some((length, rest)) = records.split_first_chunk() {
        let (sealed, rest) = rest.split_at(u16::from_be_bytes(*length).into());
        plain.push(other.read(sealed));
        records = rest;
    }
    plain
}

/// Both say something, and end.
fn converse(end: &mut End<'_>, mut other: impl Other) {
    for number in 0..100_u32 {
        end.talker.says.extend(number.to_be_bytes());
        let said = [&[0][..], &number.to_be_bytes()].concat();
        assert_eq!(opened(&mut other, &end.send()), [said]);
        let record = record(&mut other, &[0, 1, b'.']);
        end.hear(&record).unwrap();
    }
    assert_eq!(end.talker.hears, b"\x01.".repeat(100));
    end.talker.finishes = true;
    assert_eq!(opened(&mut other, &end.send()), [[1]]);
    assert!(!end.talker.hears_end);
    end.hear(&record(&mut other, &[1])).unwrap();
    assert!(end.talker.hears_end && end.end().is_ok());
}

fn serve(mut other: impl Other) {
    let mut buffers = buffers(8 << 10, 64);
    let mut end = End::client(&key(7), &mut buffers);
    let opening = end.send();
    assert_eq!(opening[..6], *OPENING);
    assert_eq!(other.read(&opening[6..]), b"");
    end.hear(&[1]).unwrap();
    end.hear(&other.write(&[2])).unwrap();
    assert!(end.channel.is_open());
    let mut other = other.go_on();
    assert_eq!(opened(&mut other, &end.send()), [[0]]);
    converse(&mut end, other);
}

fn ask(mut other: impl Other) {
    let (mut buffers, keys) = (buffers(2 << 10, 64), [key(3), key(7)]);
    let mut end = End::server(&keys, &mut buffers);
    end.hear(OPENING).unwrap();
    end.hear(&other.write(&[])).unwrap();
    let answer = end.send();
    assert_eq!((answer[0], other.read(&answer[1..])), (1, std::vec![1]));
    let mut other = other.go_on();
    assert!(!end.channel.is_open());
    end.hear(&record(&mut other, &[0])).unwrap();
    assert_eq!((end.channel.is_open(), end.channel.peer_key()), (true, 1));
    converse(&mut end, other);
}

#[test]
fn snow_serves() {
    serve(Snow::new(false));
}

#[test]
fn snow_asks() {
    ask(Snow::new(true));
}

#[test]
fn clatter_serves() {
    serve(Clatter::new(false));
}

#[test]
fn clatter_asks() {
    ask(Clatter::new(true));
}
