//! The headers of the framed form, as they are on the wire.

use heapless::VecView;

use super::check::{CHECK, LONGEST_CHECKED, check};
use super::request::{MAX_NAME, Operation, Request};
use super::response::{Refusal, ResponseHeader};
use super::segment::SegmentSize;

/// The first byte of a request and of a response. No file name can start with it.
pub(super) const MARKER: u8 = 0;

/// The first byte of who speaks under a key: no plain name that a server takes starts with it either.
pub(super) const KEYED: u8 = 1;

/// What every header begins with: the marker, the magic, the version.
pub(super) const PREFIX: [u8; 4] = [MARKER, b'B', b'W', 2];

/// The flag that asks for, or announces, digests.
const VERIFY: u8 = 1;

pub(super) const REQUEST_HEADER: usize = 40;
pub(super) const RESPONSE_HEADER: usize = 64;

const _: () = assert!(REQUEST_HEADER + MAX_NAME + RESPONSE_HEADER <= LONGEST_CHECKED);

/// The fixed part of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RequestHeader {
    pub(super) operation: Operation,
    pub(super) verify: bool,
    pub(super) name_length: usize,
    pub(super) offset: u64,
    pub(super) length: u64,
    pub(super) tag: u64,
    pub(super) segment: SegmentSize,
}

impl RequestHeader {
    /// The header of `request`, if its name is not too long.
    pub(super) fn of(request: &Request<'_>) -> Option<Self> {
        let &Request { operation, name, offset, length, tag, verify, segment } = request;
        let name_length = name.len();
        (name_length <= MAX_NAME).then_some(Self {
            operation,
            verify,
            name_length,
            offset,
            length,
            tag,
            segment,
        })
    }

    pub(super) const fn request(self, name: &[u8]) -> Request<'_> {
        let Self { operation, verify, name_length: _, offset, length, tag, segment } = self;
        Request { operation, name, offset, length, tag, verify, segment }
    }

    pub(super) fn encode(&self) -> [u8; REQUEST_HEADER] {
        let name_length = u16::try_from(self.name_length).unwrap_or(u16::MAX);
        let [first, second] = name_length.to_be_bytes();
        let own = [self.operation as u8, u8::from(self.verify), first, second];
        let segment = u64::from(self.segment.exponent()).rotate_right(8);
        encode(own, &[self.offset, self.length, self.tag, segment])
    }

    /// Reads a header.
    pub(super) fn decode(bytes: &[u8; REQUEST_HEADER]) -> Result<Self, Refusal> {
        let ([operation, flags, first, second], numbers) = split(bytes);
        let [offset, length, tag, last] = numbers.ok_or(Refusal::Malformed)?;
        let operation = Operation::ALL.into_iter().find(|known| *known as u8 == operation);
        let operation = operation.ok_or(Refusal::NotSupported)?;
        let [exponent, zeros @ ..] = last.to_be_bytes();
        let segment =
            SegmentSize::new(exponent).filter(|_| zeros == [0; 7] && flags & !VERIFY == 0);
        let segment = segment.ok_or(Refusal::Malformed)?;
        let name_length = usize::from(u16::from_be_bytes([first, second]));
        let verify = flags & VERIFY != 0;
        let header = Self { operation, verify, name_length, offset, length, tag, segment };
        let is_cut = header.request(&[]).has_digests() && !segment.divides(offset);
        if name_length > MAX_NAME || is_cut { Err(Refusal::Malformed) } else { Ok(header) }
    }
}

/// What a response announces.
pub(super) type Response = Result<ResponseHeader, Refusal>;

/// The header of a response to `request`; without one, to what could not be read.
pub(super) fn encode_response(
    request: Option<&Request<'_>>,
    response: Response,
) -> [u8; RESPONSE_HEADER] {
    let (own, numbers) = match response {
        Ok(ResponseHeader { offset, length, size, tag, modified, verified }) => {
            ([0, u8::from(verified), 0, 0], [offset, length, size, tag, modified.cast_unsigned()])
        }
        Err(refusal) => ([refusal.status(), 0, 0, 0], [0; 5]),
    };
    let [offset, length, size, tag, modified] = numbers;
    let mut header: [u8; RESPONSE_HEADER] =
        encode(own, &[offset, length, size, tag, modified, 0, 0]);
    let proof = check_of(request, &header);
    for (place, byte) in header.iter_mut().skip(RESPONSE_HEADER - CHECK).zip(proof) {
        *place = byte;
    }
    header
}

/// What the check of a response must be. Where the server closes since it may not have read the request,
/// it is over the response alone.
fn check_of(request: Option<&Request<'_>>, response: &[u8; RESPONSE_HEADER]) -> [u8; CHECK] {
    let checked = response.get(..RESPONSE_HEADER - CHECK).unwrap_or_default();
    let closes = Refusal::of_status(status(response)).is_some_and(Refusal::closes);
    match request.and_then(|request| Some((request.name, RequestHeader::of(request)?))) {
        Some((name, header)) if !closes => check([&header.encode(), name, checked]),
        _ => check([&[], &[], checked]),
    }
}

/// Whether a response has come as it was sent, and answers `request`.
pub(super) fn is_intact(request: &Request<'_>, response: &[u8; RESPONSE_HEADER]) -> bool {
    response.last_chunk() == Some(&check_of(Some(request), response))
}

fn status(response: &[u8; RESPONSE_HEADER]) -> u8 {
    response.get(PREFIX.len()).copied().unwrap_or_default()
}

/// Reads a response header; `None` if it is malformed. That it fits its request, and is intact, is for
/// the caller to check.
pub(super) fn decode_response(bytes: &[u8; RESPONSE_HEADER]) -> Option<Response> {
    let ([status, flags, first, second], numbers) = split(bytes);
    let [offset, length, size, tag, modified, _, _] = numbers?;
    if [first, second] != [0, 0] {
        return None;
    }
    if status == 0 {
        offset.checked_add(length)?;
        let fits = flags & !VERIFY == 0 && tag != 0;
        let (modified, verified) = (modified.cast_signed(), flags & VERIFY != 0);
        let header = ResponseHeader { offset, length, size, tag, modified, verified };
        return fits.then_some(Ok(header));
    }
    let refusal = Refusal::of_status(status)?;
    (flags == 0 && [offset, length, size, tag, modified] == [0; 5]).then_some(Err(refusal))
}

/// A header: the prefix, four bytes of its own, and its numbers.
fn encode<const N: usize, const M: usize>(own: [u8; 4], numbers: &[u64; M]) -> [u8; N] {
    const { assert!(N == 8 + 8 * M, "a header has no gaps") };
    let ([marker, b, w, version], [first, second, third, fourth]) = (PREFIX, own);
    let start = u64::from_be_bytes([marker, b, w, version, first, second, third, fourth]);
    let mut header = [0; N];
    let (places, _) = header.as_chunks_mut();
    for (place, number) in places.iter_mut().zip([start].iter().chain(numbers)) {
        *place = number.to_be_bytes();
    }
    header
}

/// The four bytes that are a header's own, and the numbers that follow them; there are always `M`.
fn split<const N: usize, const M: usize>(bytes: &[u8; N]) -> ([u8; 4], Option<[u64; M]>) {
    const { assert!(N == 8 + 8 * M, "a header has no gaps") };
    let Some(([_, _, _, _, own @ ..], rest)) = bytes.split_first_chunk::<8>() else {
        return ([0; 4], None);
    };
    let (chunks, _) = rest.as_chunks::<8>();
    let mut numbers = [0; M];
    for (place, chunk) in numbers.iter_mut().zip(chunks) {
        *place = u64::from_be_bytes(*chunk);
    }
    (*own, Some(numbers))
}

/// Whether `bytes`, the first of a header that have come, are what every header begins with. A later
/// version may mean anything by what follows its number, so this comes first.
pub(super) fn begins(bytes: &[u8]) -> Result<(), Refusal> {
    match difference(bytes) {
        0 => Ok(()),
        1..=0xff => Err(Refusal::NotSupported),
        _ => Err(Refusal::Malformed),
    }
}

/// Whether one bit at most is all that `bytes`, the first of a header, begin otherwise by.
pub(super) fn is_one_bit_off(bytes: &[u8]) -> bool {
    let difference = difference(bytes);
    difference & difference.wrapping_sub(1) == 0
}

/// The bits by which they differ from what every header begins with.
fn difference(bytes: &[u8]) -> u32 {
    let mut start = PREFIX;
    for (place, byte) in start.iter_mut().zip(bytes) {
        *place = *byte;
    }
    u32::from_be_bytes(start) ^ u32::from_be_bytes(PREFIX)
}

/// Moves bytes from the front of `input` until `buffer` holds `length`, or the input is at its end.
pub(super) fn gather(buffer: &mut VecView<u8>, length: usize, input: &mut &[u8]) {
    // One by one, since no compiler sees that the length of a slice cannot overflow theirs.
    while buffer.len() < length
        && let Some((&byte, rest)) = input.split_first()
        && buffer.push(byte).is_ok()
    {
        *input = rest;
    }
}
