//! The tree of BLAKE3, in less memory than a hasher for contents of any length takes.
//!
//! Chunks, parents and the root are those of the [BLAKE3 specification], section 2: its default mode,
//! 32 bytes of output. Where the `blake3` crate works on several chunks at once, it is given whole
//! subtrees.
//!
//! [BLAKE3 specification]: https://github.com/BLAKE3-team/BLAKE3-specs/blob/master/blake3.pdf

mod chunk;
mod compression;
mod digest;
mod subtrees;
mod wide;

pub(super) use chunk::{CHUNK, Chunk};
pub use digest::Digest;
pub(super) use digest::digest_parent;
pub(super) use subtrees::Subtrees;
pub(super) use wide::digest_at_once;
