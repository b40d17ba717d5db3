//! The framed form as its documentation has it, written once more.

use arbitrary::Arbitrary;
use barewire_core::file::{Operation, Request, SEGMENT};

/// What every header begins with.
const PREFIX: [u8; 4] = [0, b'B', b'W', 1];

/// An offset or a size from those at which something changes.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) enum Place {
    Near(u8),
    /// So many segments, and so many bytes before or behind their end.
    Segment(u8, i8),
    FromEnd(u8),
    Any(u64),
}

impl Place {
    pub(super) fn offset(self) -> u64 {
        match self {
            Self::Near(offset) => offset.into(),
            Self::Segment(count, bytes) => {
                (u64::from(count % 4) * SEGMENT).saturating_add_signed(bytes.into())
            }
            Self::FromEnd(bytes) => u64::MAX - u64::from(bytes),
            Self::Any(offset) => offset,
        }
    }
}

/// A request that a fuzzer has chosen.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) struct Asking<'a> {
    is_list: bool,
    verify: bool,
    /// Half of all clients hold nothing.
    tag: Option<u8>,
    offset: Place,
    name: &'a [u8],
}

impl<'a> Asking<'a> {
    pub(super) fn request(&self) -> Request<'a> {
        let operation = if self.is_list { Operation::List } else { Operation::Get };
        let (offset, tag) = (self.offset.offset(), self.tag.unwrap_or_default().into());
        Request { operation, name: self.name, offset, tag, verify: self.verify }
    }
}

/// A request on the wire.
pub(super) fn request(request: &Request<'_>) -> Vec<u8> {
    let operation = match request.operation {
        Operation::Get => 1,
        Operation::List => 2,
        other => unreachable!("{other:?}"),
    };
    let length = u16::try_from(request.name.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut bytes = PREFIX.to_vec();
    bytes.extend([operation, request.verify.into(), length[0], length[1]]);
    bytes.extend(request.offset.to_be_bytes());
    bytes.extend(request.tag.to_be_bytes());
    bytes.extend(request.name);
    bytes
}

/// The header of a response on the wire.
pub(super) fn response(status: u8, verified: bool, numbers: [u64; 3]) -> Vec<u8> {
    let mut bytes = PREFIX.to_vec();
    bytes.extend([status, verified.into(), 0, 0]);
    bytes.extend(numbers.into_iter().flat_map(u64::to_be_bytes));
    bytes
}

/// What the bytes of a stream say next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read<T> {
    /// So many bytes of it.
    Whole(T, usize),
    /// It goes on.
    Part,
    /// It makes no sense; the status that says so.
    Wrong(u8),
}

fn number(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Reads a request whose name is at most `longest` bytes long.
pub(super) fn read_request(stream: &[u8], longest: usize) -> Read<Request<'_>> {
    if stream.len() < 24 {
        return Read::Part;
    }
    if stream[..3] != PREFIX[..3] {
        return Read::Wrong(3);
    }
    let operation = match stream[4] {
        1 => Operation::Get,
        2 => Operation::List,
        _ => return Read::Wrong(4),
    };
    if stream[3] != 1 || stream[5] > 1 {
        return Read::Wrong(4);
    }
    let length = usize::from(stream[6]) * 256 + usize::from(stream[7]);
    if length > longest {
        return Read::Wrong(3);
    }
    let Some(name) = stream.get(24..24 + length) else { return Read::Part };
    let (offset, tag) = (number(stream, 8), number(stream, 16));
    Read::Whole(Request { operation, name, offset, tag, verify: stream[5] == 1 }, 24 + length)
}

/// What a response says: an offset, a size, a tag, and whether there are digests; or a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Response {
    Offer { offset: u64, size: u64, tag: u64, verified: bool },
    Refusal(u8),
}

/// Reads the header of a response.
pub(super) fn read_response(stream: &[u8]) -> Read<Response> {
    if stream.len() < 32 {
        return Read::Part;
    }
    let numbers @ [offset, size, tag] = [8, 16, 24].map(|at| number(stream, at));
    if stream[..4] != PREFIX || stream[6..8] != [0, 0] {
        return Read::Wrong(0);
    }
    let response = match (stream[4], stream[5]) {
        (0, flags @ (0 | 1)) if offset <= size => {
            Response::Offer { offset, size, tag, verified: flags == 1 }
        }
        (status @ 1..=7, 0) if numbers == [0; 3] => Response::Refusal(status),
        _ => return Read::Wrong(0),
    };
    Read::Whole(response, 32)
}

/// Where the segment ends that holds the byte at `offset`.
pub(super) fn segment_end(offset: u64, size: u64) -> u64 {
    size.min((offset / SEGMENT + 1).saturating_mul(SEGMENT))
}

/// Whether a name may be asked for: it is walked, step by step.
pub(super) fn is_acceptable(request: &Request<'_>) -> bool {
    let name = request.name;
    let mut depth = 0_i64;
    let mut is_inside = true;
    for part in name.split(|byte| *byte == b'/') {
        depth += match part {
            b"" | b"." => 0,
            b".." => -1,
            _ => 1,
        };
        is_inside &= depth >= 0;
    }
    let is_named = !name.is_empty() || request.operation == Operation::List;
    is_named && is_inside && !name.contains(&0) && name.first() != Some(&b'/')
}
