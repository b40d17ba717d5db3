//! The values of the tree's nodes.

use super::compression::{BLOCK, IV, PARENT, ROOT, Words, compress};

/// What BLAKE3 makes of bytes: of a whole, the hash that `b3sum` prints; of a part of a whole, the
/// chaining value of its subtree.
pub type Digest = [u8; 32];

pub(super) fn from_words(words: Words) -> Digest {
    let mut digest = Digest::default();
    let (places, _) = digest.as_chunks_mut();
    for (place, word) in places.iter_mut().zip(words) {
        *place = word.to_le_bytes();
    }
    digest
}

/// The flag of a node that has none above it.
pub(super) const fn root_flag(is_root: bool) -> u32 {
    if is_root { ROOT } else { 0 }
}

/// The digest of the node above two others.
pub(in crate::file) fn digest_parent(left: &Digest, right: &Digest, is_root: bool) -> Digest {
    let mut block = [0; BLOCK];
    for (place, byte) in block.iter_mut().zip(left.iter().chain(right)) {
        *place = *byte;
    }
    from_words(compress(&IV, &block, 0, 64, PARENT | root_flag(is_root)))
}
