//! What the documentation of the framed form says, in a few lines that stand apart from the machines.

use std::ops::Range;

use arbitrary::Arbitrary;
use barewire_core::file::{Digest, Operation, Refusal, Request, ResponseHeader, SegmentSize};
use blake3::hazmat::HasherExt as _;

/// What every header begins with.
const PREFIX: [u8; 4] = [0, b'B', b'W', 2];

/// How long a request is without its name.
pub const REQUEST: usize = 40;

/// How long the header of a response is.
pub const RESPONSE: usize = 64;

/// How much of it the check is over, as well as over the request.
pub const CHECKED: usize = 48;

/// An offset, a length or a size from those at which something changes.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) enum Place {
    Near(u8),
    /// So many KiB, and so many bytes before or behind.
    Chunk(u8, i8),
    FromEnd(u8),
    Any(u64),
}

impl Place {
    pub(super) fn offset(self) -> u64 {
        match self {
            Self::Near(offset) => offset.into(),
            Self::Chunk(count, bytes) => {
                (u64::from(count % 8) * 1024).saturating_add_signed(bytes.into())
            }
            Self::FromEnd(bytes) => u64::MAX - u64::from(bytes),
            Self::Any(offset) => offset,
        }
    }
}

/// A request that a fuzzer has chosen.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) struct Asking {
    operation: u8,
    verify: bool,
    segment: u8,
    /// Half of all clients hold nothing.
    tag: Option<u8>,
    offset: Place,
    /// One in eight may cut a segment.
    is_cut: u8,
    /// Half of them want all that there is.
    length: Option<Place>,
}

impl Asking {
    pub(super) fn request<'a>(&self, name: &'a [u8]) -> Request<'a> {
        let request = match self.operation % 3 {
            0 => Request::get(name),
            1 => Request::list(name),
            _ => Request::hashes(name),
        };
        let segment = SegmentSize::new(self.segment % 11).expect("it is at most 10");
        let (offset, length) = (self.offset.offset(), self.length.map(Place::offset));
        let offset = if self.is_cut % 8 == 7 { offset } else { offset - offset % segment.bytes() };
        request
            .with_verify(self.verify)
            .with_segment(segment)
            .with_tag(self.tag.unwrap_or_default().into())
            .with_offset(offset)
            .with_length(length.unwrap_or(Request::TO_END))
    }
}

/// A request on the wire.
pub fn request(request: &Request<'_>) -> Vec<u8> {
    let length = u16::try_from(request.name.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mut bytes = PREFIX.to_vec();
    bytes.extend([request.operation as u8, request.verify.into(), length[0], length[1]]);
    bytes.extend([request.offset, request.length, request.tag].map(u64::to_be_bytes).concat());
    bytes.extend([request.segment.exponent(), 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(request.name);
    bytes
}

/// The header of a response on the wire, with the check of an answer to `request`: its status, its
/// flags, and its offset, length, size, tag and time.
pub fn response(request: &Request<'_>, status: u8, flags: u8, numbers: [u64; 5]) -> Vec<u8> {
    let mut bytes = PREFIX.to_vec();
    bytes.extend([status, flags, 0, 0]);
    bytes.extend(numbers.map(u64::to_be_bytes).concat());
    bytes.extend(check(request, &bytes));
    bytes
}

/// The check of a response that begins so.
pub fn check(asked: &Request<'_>, response: &[u8]) -> [u8; 16] {
    // A server that closes need not have read the request.
    let asked = if matches!(response[4], 3 | 4) { Vec::new() } else { request(asked) };
    let hash = blake3::hash(&[&asked, response].concat());
    *hash.as_bytes().first_chunk().expect("it is longer")
}

/// The header of a good answer on the wire.
pub fn good(request: &Request<'_>, answer: &ResponseHeader) -> Vec<u8> {
    let &ResponseHeader { offset, length, size, tag, modified, verified, .. } = answer;
    let numbers = [offset, length, size, tag, modified.cast_unsigned()];
    response(request, 0, verified.into(), numbers)
}

/// The digest of the segment at `start`, which is all of a file or a subtree of its tree, as the crate
/// of BLAKE3's makers has it.
pub fn digest(start: u64, bytes: &[u8], is_whole: bool) -> Digest {
    let mut hasher = blake3::Hasher::new();
    if is_whole {
        hasher.update(bytes).finalize().into()
    } else {
        hasher.set_input_offset(start).update(bytes).finalize_non_root()
    }
}

/// Whether a request's offset may be asked for: digests are of whole segments.
pub fn is_whole(request: &Request<'_>) -> bool {
    !has_digests(request) || request.offset.is_multiple_of(request.segment.bytes())
}

fn has_digests(request: &Request<'_>) -> bool {
    request.verify || request.operation == Operation::Hashes
}

/// Which bytes of a file answer a request.
///
/// # Errors
/// Why none do.
pub fn range(request: &Request<'_>, size: u64, tag: u64) -> Result<Range<u64>, Refusal> {
    // No file is that long.
    let is_to_end = request.length >= 1 << 62;
    let range = if request.tag == 0 || request.tag == tag {
        request.offset..if is_to_end {
            size
        } else {
            request.offset.saturating_add(request.length).min(size)
        }
    } else {
        0..if is_to_end { size } else { 0 }
    };
    let is_cut = !range.end.is_multiple_of(request.segment.bytes()) && range.end != size;
    match range.start <= size {
        false => Err(Refusal::PastEnd),
        true if has_digests(request) && is_cut => Err(Refusal::Malformed),
        true => Ok(range),
    }
}

/// Whether a name may be asked for: it is walked, step by step.
pub fn is_acceptable(operation: Operation, name: &[u8]) -> bool {
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
    let is_named = !name.is_empty() || operation == Operation::List;
    is_named && is_inside && !name.contains(&0) && name.first() != Some(&b'/')
}
