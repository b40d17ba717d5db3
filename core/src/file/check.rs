//! What proves that a response's header arrived as it was sent, and answers what was asked.

use super::hash_tree::{CHUNK, Chunk, parent};
use super::request::MAX_NAME;
use super::wire::{REQUEST_HEADER, RESPONSE_HEADER};

pub(super) const CHECK: usize = 16;

/// The first bytes of BLAKE3 over the `parts`, one after another: all of the request, unless the server
/// closes since it may not have read it, and the response before its check.
pub(super) fn check(parts: [&[u8]; 3]) -> [u8; CHECK] {
    const { assert!(REQUEST_HEADER + MAX_NAME + RESPONSE_HEADER <= 2 * CHUNK, "two chunks serve") };
    let (mut chunk, mut left) = (Chunk::new(0), None);
    for mut part in parts {
        while !part.is_empty() {
            if chunk.length() == CHUNK {
                left = Some(chunk.node().digest(false));
                chunk = Chunk::new(1);
            }
            chunk.update(&mut part);
        }
    }
    let node = match left {
        Some(left) => parent(&left, &chunk.node().digest(false)),
        None => chunk.node(),
    };
    node.digest(true).first_chunk().copied().unwrap_or_default()
}
