//! A peer that has a key, by somebody else's implementation of Noise: it seals what a test says, right or
//! wrong, and opens what it is sent.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

use barewire_core::secure::Conversation;

use super::wire::{ANSWER, MARKER, OPENING, prologue};
use crate::harness::sockets::connect;

/// The size of records that it takes: 64 KiB.
const EXPONENT: u8 = 6;

/// What the plaintext of a record begins with.
const DATA: u8 = 0;
const END: u8 = 1;

/// The most data that it puts into a record, which everybody takes.
const MOST: usize = 1000;

/// A connection, keyed: what is written to it is sealed, and what is read from it was.
#[derive(Debug)]
pub struct KeyedStream {
    stream: TcpStream,
    state: snow::TransportState,
    /// What has been opened and not yet read.
    opened: Vec<u8>,
    has_ended: bool,
}

impl KeyedStream {
    /// Connects to a server that has the key.
    #[track_caller]
    pub fn connect(server: SocketAddr, conversation: Conversation, key: &[u8; 32]) -> Self {
        Self::client(connect(server), conversation, key).expect("the server has the key")
    }

    /// Makes itself known to a server, and proves that it is no recording.
    ///
    /// # Errors
    ///
    /// What comes is no answer from who has the key.
    pub fn client(
        stream: TcpStream,
        conversation: Conversation,
        key: &[u8; 32],
    ) -> io::Result<Self> {
        let mut stream = Self::unproven(stream, conversation, key)?;
        let proof = stream.seal_data(&[]);
        stream.stream.write_all(&proof)?;
        Ok(stream)
    }

    /// Makes itself known to a server. Until its first record comes, it may be a recording.
    ///
    /// # Errors
    ///
    /// As [`client`](Self::client).
    pub fn unproven(
        mut stream: TcpStream,
        conversation: Conversation,
        key: &[u8; 32],
    ) -> io::Result<Self> {
        let (first, mut noise) = opening(conversation, key);
        stream.write_all(&first)?;
        let mut answer = [0; ANSWER];
        stream.read_exact(&mut answer)?;
        assert_eq!(answer[0], MARKER);
        noise.read_message(&answer[1..], &mut [0]).map_err(odd)?;
        Ok(Self::new(stream, noise))
    }

    /// Takes a client.
    ///
    /// # Errors
    ///
    /// What comes is no opening of that conversation, or not from who has the key.
    pub fn server(
        stream: TcpStream,
        conversation: Conversation,
        key: &[u8; 32],
    ) -> io::Result<Self> {
        let (answer, mut stream) = Self::unanswered(stream, conversation, key)?;
        stream.stream.write_all(&answer)?;
        Ok(stream)
    }

    /// Hears a client, and gives what is to be answered.
    ///
    /// # Errors
    ///
    /// As [`server`](Self::server).
    pub fn unanswered(
        mut stream: TcpStream,
        conversation: Conversation,
        key: &[u8; 32],
    ) -> io::Result<(Vec<u8>, Self)> {
        let mut first = [0; OPENING];
        stream.read_exact(&mut first)?;
        let expected = prologue(conversation, first[5]);
        let (prologue, rest) = first.split_at(expected.len());
        assert_eq!(prologue, expected);
        let mut noise = builder(prologue, key).build_responder().expect("it is complete");
        noise.read_message(rest, &mut []).map_err(odd)?;
        let mut answer = vec![MARKER; ANSWER];
        let length = noise.write_message(&[EXPONENT], &mut answer[1..]).expect("there is room");
        assert_eq!(1 + length, ANSWER);
        Ok((answer, Self::new(stream, noise)))
    }

    fn new(stream: TcpStream, noise: snow::HandshakeState) -> Self {
        let state = noise.into_transport_mode().expect("the handshake is over");
        Self { stream, state, opened: Vec::new(), has_ended: false }
    }

    /// The connection, to say on it what is not sealed.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// The next record of its direction, whatever it says: not sent yet.
    pub fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; plain.len() + 16];
        let length = self.state.write_message(plain, &mut sealed).expect("it is not too long");
        let length = u16::try_from(length).expect("it is not too long");
        [&length.to_be_bytes()[..], &sealed].concat()
    }

    /// The next record of its direction, which holds data: not sent yet.
    pub fn seal_data(&mut self, data: &[u8]) -> Vec<u8> {
        self.seal(&[&[DATA], data].concat())
    }

    /// The record that says the end of its direction: not sent yet.
    pub fn seal_end(&mut self) -> Vec<u8> {
        self.seal(&[END])
    }

    /// Says that it ends its direction, and ends it.
    #[track_caller]
    pub fn finish(&mut self) {
        let end = self.seal_end();
        self.stream.write_all(&end).expect("the peer reads");
        self.stream.shutdown(Shutdown::Write).expect("still connected");
    }

    /// Reads a line, without its line feed.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match self.read(&mut byte) {
                Ok(1) if byte == *b"\n" => return String::from_utf8(line).expect("UTF-8"),
                Ok(1) => line.extend(byte),
                other => panic!("no line: {other:?}; until then: {}", line.escape_ascii()),
            }
        }
    }

    fn open_next(&mut self) -> io::Result<()> {
        let mut length = [0; 2];
        self.stream.read_exact(&mut length)?;
        let mut sealed = vec![0; u16::from_be_bytes(length).into()];
        self.stream.read_exact(&mut sealed)?;
        let mut plain = vec![0; sealed.len()];
        let length = self.state.read_message(&sealed, &mut plain).map_err(odd)?;
        match &plain[..length] {
            [DATA, data @ ..] => self.opened.extend_from_slice(data),
            [END] => self.has_ended = true,
            other => panic!("no record says {}", other.escape_ascii()),
        }
        Ok(())
    }
}

/// Ends with 0 only if the peer has said that it ends; a stream that ends so is an error.
impl Read for KeyedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.opened.is_empty() && !self.has_ended {
            self.open_next()?;
        }
        let count = self.opened.len().min(buffer.len());
        buffer[..count].copy_from_slice(&self.opened[..count]);
        self.opened.drain(..count);
        Ok(count)
    }
}

impl Write for KeyedStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let data = &buffer[..buffer.len().min(MOST)];
        if !data.is_empty() {
            let record = self.seal_data(data);
            self.stream.write_all(&record)?;
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What a client that has the key opens with.
pub fn opening(
    conversation: Conversation,
    key: &[u8; 32],
) -> ([u8; OPENING], snow::HandshakeState) {
    let prologue = prologue(conversation, EXPONENT);
    let mut noise = builder(&prologue, key).build_initiator().expect("it is complete");
    let mut first = [0; OPENING];
    first[..prologue.len()].copy_from_slice(&prologue);
    let length = noise.write_message(&[], &mut first[prologue.len()..]).expect("there is room");
    assert_eq!(prologue.len() + length, OPENING);
    (first, noise)
}

fn builder<'n>(prologue: &'n [u8], key: &'n [u8; 32]) -> snow::Builder<'n> {
    let name = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s".parse().expect("a pattern");
    let builder = snow::Builder::new(name).psk(0, key).and_then(|new| new.prologue(prologue));
    builder.expect("it is complete")
}

fn odd(error: snow::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}
