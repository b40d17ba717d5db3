//! Both sides against scripts, against each other, and against every kind of wrong.

extern crate std;

mod bounds;
mod cutting;
mod damage;
mod deadlines;
mod digests;
mod drivers;
mod least_rate;
mod pair;
mod plain_receiver;
mod ranges;
mod receiving;
mod receiving_wrong;
mod sending;
mod sending_order;
mod vectors;
mod waiting;

use std::vec::Vec;

use blake3::hazmat::HasherExt as _;

use super::*;
use crate::time::{Duration, Instant};
use drivers::{Client, Digests, Seen, Server};

const NOW: Instant = Instant::ZERO;
/// The version of every file that the servers of the tests have.
const TAG: u64 = 7;
/// When they were modified.
const MODIFIED: i64 = -1_700_000_000_123_456_789;
/// The length of a segment by default.
const SEGMENT: u64 = 1 << 20;
/// What they offer of a file of five bytes.
const FIVE: Offer = Offer { size: 5, tag: TAG, modified: MODIFIED };
const PLAINLY: Request<'_> = Request::get(b"a").with_verify(false);

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A request as it is on the wire, whatever it says: its offset, length, tag and segment.
fn request_of(operation: u8, flags: u8, numbers: [u64; 4], name: &[u8]) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap().to_be_bytes();
    let start = [0, b'B', b'W', 2, operation, flags, length[0], length[1]];
    [&start, numbers.map(u64::to_be_bytes).as_flattened(), name].concat()
}

/// A request for all from `offset` on, with segments of 1 MiB.
fn request(operation: u8, flags: u8, offset: u64, tag: u64, name: &[u8]) -> Vec<u8> {
    request_of(operation, flags, [offset, Request::TO_END, tag, 10 << 56], name)
}

/// A request as it must be on the wire.
fn bytes_of(request: &Request<'_>) -> Vec<u8> {
    let operation = match request.operation {
        Operation::Get => 1,
        Operation::List => 2,
        Operation::Hashes => 3,
    };
    let Request { name, offset, length, tag, verify, segment, .. } = *request;
    let segment = u64::from((segment.bytes() / 1024).ilog2()) << 56;
    request_of(operation, u8::from(verify), [offset, length, tag, segment], name)
}

/// Asks for a file from its start, with digests.
fn get(name: &[u8]) -> Vec<u8> {
    request(1, 1, 0, 0, name)
}

/// The first 48 bytes of a response, whatever they say: offset, length, size, tag and time.
fn unsealed(status: u8, flags: u8, numbers: [u64; 5]) -> Vec<u8> {
    let start = [0, b'B', b'W', 2, status, flags, 0, 0];
    [&start, numbers.map(u64::to_be_bytes).as_flattened()].concat()
}

/// A response with its check, to the request that was `asked`.
fn sealed(asked: &[u8], response: &[u8]) -> Vec<u8> {
    let asked = if matches!(response[4], 3 | 4) { &[] } else { asked };
    let check = blake3::hash(&[asked, response].concat());
    [response, &check.as_bytes()[..16]].concat()
}

/// The header of a response with contents: its flags, and the range of a file of some size.
fn range_response(asked: &[u8], flags: u8, [offset, length, size]: [u64; 3], tag: u64) -> Vec<u8> {
    let numbers = [offset, length, size, tag, MODIFIED.cast_unsigned()];
    sealed(asked, &unsealed(0, flags, numbers))
}

/// The header of a response whose contents go from `offset` to the end.
fn response(asked: &[u8], flags: u8, offset: u64, size: u64, tag: u64) -> Vec<u8> {
    range_response(asked, flags, [offset, size.saturating_sub(offset), size], tag)
}

fn refused(asked: &[u8], refusal: Refusal) -> Vec<u8> {
    sealed(asked, &unsealed(refusal.status(), 0, [0; 5]))
}

/// The digest of a file, which is also that of its only segment.
fn digest(contents: &[u8]) -> Digest {
    *blake3::hash(contents).as_bytes()
}

/// The digest of a part of a file that begins at `start`.
fn subtree(start: u64, part: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.set_input_offset(start).update(part).finalize_non_root()
}

/// A whole verified response, its contents all within one segment.
fn verified(asked: &[u8], contents: &[u8]) -> Vec<u8> {
    let header = response(asked, 1, 0, contents.len() as u64, TAG);
    let digest = digest(contents);
    [&header[..], contents, if contents.is_empty() { &[] } else { &digest }].concat()
}

/// A whole response without digests.
fn unverified(asked: &[u8], contents: &[u8]) -> Vec<u8> {
    [&response(asked, 0, 0, contents.len() as u64, TAG), contents].concat()
}

/// What a client is told of a file of the servers.
const fn answer([offset, length, size]: [u64; 3], verified: bool) -> ResponseHeader {
    ResponseHeader { offset, length, size, tag: TAG, modified: MODIFIED, verified }
}

/// What becomes of an answer, with the end of the stream behind it.
fn end_of(request: Request<'_>, stream: &[u8]) -> Seen {
    let mut client = Client::asking(&[request]);
    client.hear(NOW, stream);
    if !client.has_failed() {
        client.hear_end(NOW);
    }
    client.seen.pop().unwrap()
}
