//! What proves that a response's header arrived as it was sent, and answers what was asked.

use super::hash_tree::{CHUNK, Chunk, digest_parent};
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
                left = Some(chunk.digest(false));
                chunk.restart(1);
            }
            chunk.update(&mut part);
        }
    }
    let digest = match left {
        Some(left) => digest_parent(&left, &chunk.digest(false), true),
        None => chunk.digest(true),
    };
    digest.first_chunk().copied().unwrap_or_default()
}
