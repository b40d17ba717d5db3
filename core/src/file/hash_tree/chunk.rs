//! A leaf of the tree: up to 1 KiB of the contents.

use super::compression::{BLOCK, CHUNK_END, CHUNK_START, IV, Words, compress};
use super::digest::{Digest, from_words, root_flag};

/// A chunk's bytes; only the last of the contents may be shorter.
pub(in crate::file) const CHUNK: usize = 1024;

/// A chunk that fills up.
#[derive(Clone, Debug)]
pub(in crate::file) struct Chunk {
    value: Words,
    /// Which chunk of the contents it is.
    counter: u64,
    /// It stays here until more comes, since the last of a chunk is marked. What is not filled is 0.
    block: [u8; BLOCK],
    in_block: usize,
    before_block: usize,
}

impl Chunk {
    pub(in crate::file) const fn new(counter: u64) -> Self {
        Self { value: IV, counter, block: [0; BLOCK], in_block: 0, before_block: 0 }
    }

    /// As if it were new.
    pub(in crate::file) fn restart(&mut self, counter: u64) {
        (self.value, self.counter) = (IV, counter);
        (self.in_block, self.before_block) = (0, 0);
        self.block.fill(0);
    }

    pub(in crate::file) const fn length(&self) -> usize {
        self.before_block.saturating_add(self.in_block)
    }

    /// Takes what there is room for from the front of `input`.
    pub(in crate::file) fn update(&mut self, input: &mut &[u8]) {
        let room = CHUNK.saturating_sub(self.length());
        let (mut bytes, rest) = input.split_at_checked(room).unwrap_or((input, &[]));
        *input = rest;
        while !bytes.is_empty() {
            if self.in_block == BLOCK {
                self.value = self.compress(0);
                self.before_block = self.before_block.saturating_add(BLOCK);
                self.block.fill(0);
                self.in_block = 0;
            }
            let places = self.block.get_mut(self.in_block..).unwrap_or_default();
            let count = places.len().min(bytes.len());
            for (place, byte) in places.iter_mut().zip(bytes) {
                *place = *byte;
            }
            self.in_block = self.in_block.saturating_add(count);
            bytes = bytes.get(count..).unwrap_or_default();
        }
    }

    /// The digest of what has come.
    pub(in crate::file) fn digest(&self, is_root: bool) -> Digest {
        from_words(self.compress(CHUNK_END | root_flag(is_root)))
    }

    fn compress(&self, flags: u32) -> Words {
        let start = if self.before_block == 0 { CHUNK_START } else { 0 };
        let length = u32::try_from(self.in_block).unwrap_or(0);
        compress(&self.value, &self.block, self.counter, length, flags | start)
    }
}
