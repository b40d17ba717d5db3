//! A node of the tree: a chunk or a parent.

use super::compression::{BLOCK, IV, PARENT, ROOT, compress};

/// What BLAKE3 makes of bytes: of a whole, the hash that `b3sum` prints; of a part of a whole, the
/// chaining value of its subtree.
pub type Digest = [u8; 32];

/// A node before its last compression, which is another one for the root.
pub(in crate::file) struct Node {
    pub(super) value: [u32; 8],
    pub(super) block: [u8; BLOCK],
    /// The number of the chunk, which is 0 for one that can be the root, and for every parent.
    pub(super) counter: u64,
    pub(super) length: u8,
    pub(super) flags: u8,
}

impl Node {
    pub(in crate::file) fn digest(&self, is_root: bool) -> Digest {
        let flags = if is_root { self.flags | ROOT } else { self.flags };
        let words = compress(&self.value, &self.block, self.counter, self.length, flags);
        let mut digest = Digest::default();
        let (places, _) = digest.as_chunks_mut();
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        digest
    }
}

/// The node above two others.
pub(in crate::file) fn parent(left: &Digest, right: &Digest) -> Node {
    let mut block = [0; BLOCK];
    for (place, byte) in block.iter_mut().zip(left.iter().chain(right)) {
        *place = *byte;
    }
    Node { value: IV, block, counter: 0, length: 64, flags: PARENT }
}
