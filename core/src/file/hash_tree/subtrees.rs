//! The part of a tree that lies to the left of what comes next.

use heapless::Vec;

use super::digest::{Digest, digest_parent};

/// Whole subtrees, each larger than the next. `DEPTH` of them are enough for up to 2^`DEPTH` leaves.
#[derive(Clone, Debug, Default)]
pub(in crate::file) struct Subtrees<const DEPTH: usize> {
    digests: Vec<Digest, DEPTH>,
}

impl<const DEPTH: usize> Subtrees<DEPTH> {
    pub(in crate::file) fn clear(&mut self) {
        self.digests.clear();
    }

    pub(in crate::file) fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    /// Adds a subtree behind `before` others of its size, all of which are not the last of the tree.
    pub(in crate::file) fn push(&mut self, mut digest: Digest, before: u64) {
        // Two of one size are one of twice the size.
        let mut before = before;
        while before & 1 == 1
            && let Some(left) = self.digests.pop()
        {
            digest = digest_parent(&left, &digest, false);
            before >>= 1;
        }
        let _ = self.digests.push(digest);
    }

    /// The digest of the tree that ends with `last`; of the root, if it is that of the whole.
    pub(in crate::file) fn finish(&self, last: Digest, is_root: bool) -> Digest {
        let mut lefts = self.digests.iter().rev().peekable();
        let mut digest = last;
        while let Some(left) = lefts.next() {
            digest = digest_parent(left, &digest, is_root && lefts.peek().is_none());
        }
        digest
    }
}
