//! Sealed datagrams.

use core::fmt;

use rand_core::CryptoRng;

use super::config::MAX_KEYS;
use super::key::Key;
use super::primitives::{hmac, open_long, seal_long};
use super::secret::{LONG_NONCE, Secret, TAG};
use super::wire::copy;

/// What the key of datagrams is derived by.
const PURPOSE: &[u8] = b"barewire datagrams 1";

const MARKER: u8 = 1;
/// The marker, the direction, and the nonce.
const HEADER: usize = 2 + LONG_NONCE;

/// How many bytes longer than its text a sealed request is.
pub const REQUEST_OVERHEAD: usize = HEADER + TAG;

/// How many bytes longer than its text a sealed reply is.
pub const REPLY_OVERHEAD: usize = REQUEST_OVERHEAD + LONG_NONCE;

#[derive(Clone, Copy)]
enum Direction {
    Request = 0,
    Reply = 1,
}

/// What tells a request from any other: its nonce. A reply belongs to the request whose it carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RequestId {
    nonce: [u8; LONG_NONCE],
}

/// A request that was sealed with a key that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct OpenedRequest<'d> {
    /// What the reply is to carry.
    pub id: RequestId,
    /// What was asked.
    pub bytes: &'d [u8],
}

/// A key for datagrams, which is derived from a [`Key`], and serves for nothing else.
///
/// Datagrams are sealed one by one, with nothing kept between them: whoever records a request may send
/// it again, and it is answered again. A reply is taken for one request only.
///
/// ```
/// use barewire_core::secure::{DatagramKey, Key, RandomFn, open_request};
///
/// # fn fill(bytes: &mut [u8]) {
/// #     std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").unwrap(), bytes).unwrap();
/// # }
/// let random = &mut RandomFn::new(|bytes| fill(bytes));
/// let key = DatagramKey::new(&Key::new([7; 32]));
/// let mut buffer = [0; 64];
/// let (asked, request) = key.seal_request(random, b"ping", &mut buffer).unwrap();
/// assert_eq!(request.len(), 46);
///
/// // At the server, which has this key and perhaps others:
/// let mut received = request.to_vec();
/// let (which, opened) = open_request(&[key.clone()], &mut received).unwrap();
/// assert_eq!((which, opened.bytes), (0, &b"ping"[..]));
/// let mut buffer = [0; 128];
/// let reply = key.seal_reply(random, opened.id, b"pong", &mut buffer).unwrap();
///
/// let mut received = reply.to_vec();
/// assert_eq!(key.open_reply(asked, &mut received), Some(&b"pong"[..]));
/// ```
#[derive(Clone)]
pub struct DatagramKey {
    key: Secret,
}

impl DatagramKey {
    /// The key for datagrams that belongs to `key`.
    pub fn new(key: &Key) -> Self {
        Self { key: hmac(key.as_bytes(), &[PURPOSE]) }
    }

    /// Seals a request into `buffer`, which has room for the text and [`REQUEST_OVERHEAD`]. Gives the
    /// datagram, and what the reply will carry. The randomness must be fit for nonces.
    ///
    /// `None`: it has not so much room.
    pub fn seal_request<'b>(
        &self,
        random: &mut impl CryptoRng,
        text: &[u8],
        buffer: &'b mut [u8],
    ) -> Option<(RequestId, &'b [u8])> {
        let id = RequestId { nonce: draw(random) };
        let sealed = self.seal(Direction::Request, &id.nonce, [&[], text], buffer)?;
        Some((id, sealed))
    }

    /// Seals a reply to a request into `buffer`, which has room for the text and [`REPLY_OVERHEAD`].
    ///
    /// `None`: it has not so much room.
    pub fn seal_reply<'b>(
        &self,
        random: &mut impl CryptoRng,
        to: RequestId,
        text: &[u8],
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        self.seal(Direction::Reply, &draw(random), [&to.nonce, text], buffer)
    }

    /// Opens, in its place, the reply to a request.
    ///
    /// `None`: it is none, or one to something else.
    pub fn open_reply<'d>(&self, to: RequestId, datagram: &'d mut [u8]) -> Option<&'d [u8]> {
        let (id, text) = self.open_any_reply(datagram)?;
        (id == to).then_some(text)
    }

    /// Opens, in its place, the reply to any request, and tells to which: so who waits for one tells a late
    /// reply from one that is forged.
    ///
    /// `None`: it is none.
    pub fn open_any_reply<'d>(&self, datagram: &'d mut [u8]) -> Option<(RequestId, &'d [u8])> {
        let (_, plain) = self.open(Direction::Reply, datagram)?;
        let (nonce, text) = plain.split_first_chunk()?;
        Some((RequestId { nonce: *nonce }, text))
    }

    fn seal<'b>(
        &self,
        direction: Direction,
        nonce: &[u8; LONG_NONCE],
        parts: [&[u8]; 2],
        buffer: &'b mut [u8],
    ) -> Option<&'b [u8]> {
        let [first, second] = parts;
        let length = first.len().checked_add(second.len())?;
        let end = HEADER.checked_add(length)?.checked_add(TAG)?;
        let datagram = buffer.get_mut(..end)?;
        let (header, rest) = datagram.split_first_chunk_mut::<HEADER>()?;
        let (plain, tag) = rest.split_last_chunk_mut::<TAG>()?;
        let start = header_of(direction);
        let at = copy(header, &start);
        copy(header.get_mut(at..)?, nonce);
        let at = copy(plain, first);
        copy(plain.get_mut(at..)?, second);
        *tag = seal_long(&self.key, nonce, &start, plain)?;
        Some(datagram)
    }

    fn open<'d>(
        &self,
        direction: Direction,
        datagram: &'d mut [u8],
    ) -> Option<(RequestId, &'d [u8])> {
        let (start, rest) = datagram.split_first_chunk_mut::<2>()?;
        let (nonce, rest) = rest.split_first_chunk_mut::<LONG_NONCE>()?;
        let (sealed, tag) = rest.split_last_chunk_mut::<TAG>()?;
        let is_right =
            *start == header_of(direction) && open_long(&self.key, nonce, start, sealed, tag);
        is_right.then_some((RequestId { nonce: *nonce }, sealed))
    }
}

impl fmt::Debug for DatagramKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatagramKey(…)")
    }
}

/// Opens, in its place, a request that was sealed with one of the first [`MAX_KEYS`] keys, and tells
/// with which: the reply is to be sealed with the same. Each key that is tried costs a tag over the whole
/// datagram, and one from who has none is tried with all: whoever takes datagrams from anybody asks a
/// `datagram::Responder` first.
///
/// `None`: it was sealed with none of them. Then it is as it was.
pub fn open_request<'d>(
    keys: &[DatagramKey],
    datagram: &'d mut [u8],
) -> Option<(usize, OpenedRequest<'d>)> {
    let (place, _) = (0..MAX_KEYS)
        .zip(keys)
        .find(|(_, key)| key.open(Direction::Request, datagram).is_some())?;
    let (_, rest) = datagram.split_first_chunk::<2>()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (bytes, _) = rest.split_last_chunk::<TAG>()?;
    Some((place, OpenedRequest { id: RequestId { nonce: *nonce }, bytes }))
}

const fn header_of(direction: Direction) -> [u8; 2] {
    [MARKER, direction as u8]
}

fn draw(random: &mut impl CryptoRng) -> [u8; LONG_NONCE] {
    let mut nonce = [0; LONG_NONCE];
    random.fill_bytes(&mut nonce);
    nonce
}
