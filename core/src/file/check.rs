//! What proves that a response's header arrived as it was sent, and answers what was asked.

use super::hash_tree::{CHUNK, Chunk, digest_parent};

pub(super) const CHECK: usize = 16;

/// How many bytes it may be of: two chunks serve.
pub(super) const LONGEST_CHECKED: usize = 2 * CHUNK;

/// The first bytes of BLAKE3 over the `parts`, one after another: all of the request, unless the server
/// closes since it may not have read it, and the response before its check.
pub(super) fn check(parts: [&[u8]; 3]) -> [u8; CHECK] {
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
