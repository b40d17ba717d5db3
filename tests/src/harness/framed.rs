//! The framed form of a file transfer, written a second time from its specification: requests made
//! by hand, right or wrong, and answers judged.

use std::io::{Read, Write};
use std::net::SocketAddr;

use blake3::hazmat::HasherExt as _;

use super::sockets::connect;

/// Where verified contents are cut.
pub const SEGMENT: usize = 1 << 20;

/// How long a response is without its contents.
pub const RESPONSE: usize = 64;

/// How long a request is without its name.
pub const REQUEST: usize = 40;

/// A length that means: to the end.
pub const TO_END: u64 = 0x7f7f_7f7f_7f7f_7f7f;

/// How long a digest is.
pub const DIGEST: usize = 32;

/// A request. Its fields may hold anything.
#[derive(Clone, Debug)]
pub struct Ask {
    /// The marker, the magic and the version.
    pub prefix: [u8; 4],
    /// 1: get, 2: list, 3: hashes.
    pub operation: u8,
    /// Bit 0: verify.
    pub flags: u8,
    /// The length that is told; that of the name unless set.
    pub name_length: Option<u16>,
    /// The offset wanted.
    pub offset: u64,
    /// The length wanted.
    pub length: u64,
    /// The tag of the version held.
    pub tag: u64,
    /// The segment, and what is reserved behind it.
    pub segment: [u8; 8],
    /// The name.
    pub name: Vec<u8>,
}

impl Ask {
    /// Asks for a whole file, verified.
    pub fn get(name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref().to_vec();
        Self {
            prefix: *b"\0BW\x02",
            operation: 1,
            flags: 1,
            name_length: None,
            offset: 0,
            length: TO_END,
            tag: 0,
            segment: [10, 0, 0, 0, 0, 0, 0, 0],
            name,
        }
    }

    /// Asks for the list of a folder, verified.
    pub fn list(name: impl AsRef<[u8]>) -> Self {
        Self { operation: 2, ..Self::get(name) }
    }

    /// Asks for the digests of a whole file's segments.
    pub fn hashes(name: impl AsRef<[u8]>) -> Self {
        Self { operation: 3, flags: 0, ..Self::get(name) }
    }

    /// Asks for what is behind `offset` of the version `tag`.
    #[must_use]
    pub fn from(self, offset: u64, tag: u64) -> Self {
        Self { offset, tag, ..self }
    }

    /// Asks for no digests.
    #[must_use]
    pub fn unverified(self) -> Self {
        Self { flags: 0, ..self }
    }

    /// As it goes over the wire.
    pub fn bytes(&self) -> Vec<u8> {
        let length = self.name.len().try_into().expect("no name here is that long");
        let length = self.name_length.unwrap_or(length);
        let mut bytes = self.prefix.to_vec();
        bytes.extend([self.operation, self.flags]);
        bytes.extend(length.to_be_bytes());
        for number in [self.offset, self.length, self.tag] {
            bytes.extend(number.to_be_bytes());
        }
        bytes.extend(self.segment);
        bytes.extend(&self.name);
        bytes
    }

    /// What the check of a response to it must be, of which these are the bytes before.
    fn check(&self, response: &[u8]) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new();
        // The server closes, since it may not have read it.
        if !matches!(response[4], 3 | 4) {
            hasher.update(&self.bytes());
        }
        let hash = hasher.update(response).finalize();
        hash.as_bytes()[..16].try_into().expect("16 of 32")
    }

    /// Sends it.
    #[track_caller]
    pub fn send(&self, stream: &mut impl Write) {
        stream.write_all(&self.bytes()).expect("the server reads");
    }

    /// Sends it, and reads the answer with the contents.
    #[track_caller]
    pub fn fetch(&self, stream: &mut (impl Read + Write)) -> (Reply, Vec<u8>) {
        self.send(stream);
        let reply = Reply::read(stream, self);
        let contents = reply.contents(stream);
        (reply, contents)
    }

    /// The status that a new connection gets for it.
    #[track_caller]
    pub fn status(&self, server: SocketAddr) -> u8 {
        self.fetch(&mut connect(server)).0.status
    }
}

/// What a response says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// 0 is success.
    pub status: u8,
    /// Digests follow.
    pub verified: bool,
    /// Where the contents start.
    pub offset: u64,
    /// How many bytes of the file they are.
    pub length: u64,
    /// The size of the whole file.
    pub size: u64,
    /// The mark of its version.
    pub tag: u64,
    /// When it was modified, in nanoseconds since 1970.
    pub modified: i64,
}

impl Reply {
    /// All of a file of `size` bytes, verified.
    pub fn ok(size: usize, tag: u64) -> Self {
        let size = size as u64;
        Self { status: 0, verified: true, offset: 0, length: size, size, tag, modified: 0 }
    }

    /// A refusal.
    pub fn refusal(status: u8) -> Self {
        Self { status, verified: false, tag: 0, ..Self::ok(0, 0) }
    }

    /// From that offset on.
    #[must_use]
    pub fn from(self, offset: u64) -> Self {
        Self { offset, length: self.size.saturating_sub(offset), ..self }
    }

    /// Reads the one to that request, and checks all that is fixed in it.
    #[track_caller]
    pub fn read(stream: &mut impl Read, ask: &Ask) -> Self {
        let mut bytes = [0; RESPONSE];
        stream.read_exact(&mut bytes).expect("a response");
        let number = |at: usize| u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8"));
        assert_eq!(&bytes[..4], b"\0BW\x02", "{bytes:?}");
        assert_eq!(bytes[5] & !1, 0, "flags of no meaning: {bytes:?}");
        assert_eq!(bytes[6..8], [0, 0], "{bytes:?}");
        assert_eq!(bytes[48..], ask.check(&bytes[..48]), "the check of {bytes:?}");
        let reply = Self {
            status: bytes[4],
            verified: bytes[5] == 1,
            offset: number(8),
            length: number(16),
            size: number(24),
            tag: number(32),
            modified: number(40).cast_signed(),
        };
        if reply.status == 0 {
            let end = reply.offset.checked_add(reply.length);
            assert!(end.is_some_and(|end| end <= reply.size), "{reply:?}");
            assert_ne!(reply.tag, 0, "{reply:?}");
        } else {
            assert_eq!(bytes[5..48], [0; 43], "a refusal has nothing else to say");
        }
        reply
    }

    /// Reads the contents that follow, and checks their digests.
    #[track_caller]
    pub fn contents(&self, stream: &mut impl Read) -> Vec<u8> {
        let mut contents = Vec::new();
        for length in self.pieces() {
            let begun = contents.len();
            let read = stream.by_ref().take(length as u64).read_to_end(&mut contents);
            assert_eq!(read.expect("contents"), length, "the stream ended in the contents");
            if self.verified {
                let mut digest = [0; DIGEST];
                stream.read_exact(&mut digest).expect("a digest");
                let right = self.digest(begun as u64 + self.offset, &contents[begun..]);
                assert_eq!(digest, right, "the digest of what ends at {}", contents.len());
            }
        }
        contents
    }

    /// The digest of a segment that begins at `offset`.
    pub fn digest(&self, offset: u64, piece: &[u8]) -> [u8; DIGEST] {
        let mut hasher = blake3::Hasher::new();
        if piece.len() as u64 == self.size {
            return *hasher.update(piece).finalize().as_bytes();
        }
        hasher.set_input_offset(offset).update(piece).finalize_non_root()
    }

    /// The lengths of what the contents are cut into.
    pub fn pieces(&self) -> impl Iterator<Item = usize> + use<> {
        let (mut at, end) = (self.offset, self.offset + self.length);
        let segment = SEGMENT as u64;
        std::iter::from_fn(move || {
            let next = end.min((at / segment + 1) * segment);
            let length = next - at;
            at = next;
            (length > 0).then(|| usize::try_from(length).expect("a segment at most"))
        })
    }

    /// As it goes over the wire, in answer to that request.
    pub fn bytes(&self, ask: &Ask) -> Vec<u8> {
        let mut bytes = b"\0BW\x02".to_vec();
        bytes.extend([self.status, u8::from(self.verified), 0, 0]);
        for number in [self.offset, self.length, self.size, self.tag, self.modified.cast_unsigned()]
        {
            bytes.extend(number.to_be_bytes());
        }
        let check = ask.check(&bytes);
        bytes.extend(check);
        bytes
    }

    /// The same, with that part of `whole` which it announces behind it.
    pub fn with(&self, ask: &Ask, whole: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes(ask);
        let mut at = usize::try_from(self.offset).expect("it is in memory");
        for length in self.pieces() {
            let piece = &whole[at..at + length];
            bytes.extend(piece);
            if self.verified {
                bytes.extend(self.digest(at as u64, piece));
            }
            at += length;
        }
        bytes
    }
}

/// How many bytes a verified download of `size` bytes takes on the wire.
pub fn on_the_wire(size: usize) -> u64 {
    (RESPONSE + size + size.div_ceil(SEGMENT) * DIGEST) as u64
}

/// How many bytes it takes on the wire to compare so many segments that are held, before more is sent.
pub fn compared(segments: usize) -> u64 {
    (RESPONSE + segments * DIGEST) as u64
}

/// Reads a request as a framed server does: its fixed part, and its name. None at the end.
#[track_caller]
pub fn hear(stream: &mut impl Read) -> Option<Ask> {
    let mut head = [0; REQUEST];
    match super::sockets::uninterrupted(|| stream.read(&mut head[..1])) {
        Ok(0) => return None,
        read => assert!(read.is_ok(), "no request: {read:?}"),
    }
    stream.read_exact(&mut head[1..]).expect("a whole request");
    let number = |at: usize| u64::from_be_bytes(head[at..at + 8].try_into().expect("8"));
    let mut name = vec![0; usize::from(u16::from_be_bytes([head[6], head[7]]))];
    stream.read_exact(&mut name).expect("a whole name");
    Some(Ask {
        prefix: head[..4].try_into().expect("4"),
        operation: head[4],
        flags: head[5],
        name_length: None,
        offset: number(8),
        length: number(16),
        tag: number(24),
        segment: head[32..].try_into().expect("8"),
        name,
    })
}
