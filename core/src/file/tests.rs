//! Both sides against scripts, against each other, and against every kind of wrong.

extern crate std;

mod bounds;
mod cutting;
mod drivers;
mod pair;
mod plain_receiver;
mod receiving;
mod receiving_wrong;
mod sending;
mod sending_order;
mod waiting;

use std::vec::Vec;

use super::*;
use crate::time::{Duration, Instant};
use drivers::{Client, Digests, Seen, Server};

const NOW: Instant = Instant::ZERO;
/// The version of every file that the servers of the tests have.
const TAG: u64 = 7;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A request as it is on the wire, whatever it says.
fn request(operation: u8, flags: u8, offset: u64, tag: u64, name: &[u8]) -> Vec<u8> {
    let length = u16::try_from(name.len()).unwrap().to_be_bytes();
    let start = [0, b'B', b'W', 1, operation, flags, length[0], length[1]];
    [&start, &offset.to_be_bytes()[..], &tag.to_be_bytes(), name].concat()
}

/// Asks for a file from its start, with digests.
fn get(name: &[u8]) -> Vec<u8> {
    request(1, 1, 0, 0, name)
}

/// The header of a response as it is on the wire, whatever it says.
fn response(status: u8, flags: u8, offset: u64, size: u64, tag: u64) -> Vec<u8> {
    let start = [0, b'B', b'W', 1, status, flags, 0, 0];
    [&start, &offset.to_be_bytes()[..], &size.to_be_bytes(), &tag.to_be_bytes()].concat()
}

fn refused(refusal: Refusal) -> Vec<u8> {
    response(refusal.status(), 0, 0, 0, 0)
}

fn digest(bytes: &[u8]) -> Digest {
    let mut digester = Digester::new();
    digester.update(bytes);
    digester.finish()
}

/// A whole verified response, its contents all within one segment.
fn verified(contents: &[u8]) -> Vec<u8> {
    let header = response(0, 1, 0, contents.len() as u64, TAG);
    let digest = digest(contents);
    [&header[..], contents, if contents.is_empty() { &[] } else { &digest }].concat()
}

/// A whole response without digests.
fn unverified(contents: &[u8]) -> Vec<u8> {
    [&response(0, 0, 0, contents.len() as u64, TAG), contents].concat()
}
