//! Segments and their digests, which prove what was received.

use core::fmt;

/// Verified contents are cut at every multiple of this many bytes.
pub const SEGMENT: u64 = 1 << 20;

/// The BLAKE3 digest of a segment's bytes.
pub type Digest = [u8; 32];

/// Digests bytes as they come (BLAKE3, the default mode, 32 bytes of output).
///
/// It takes at most 1,920 bytes of memory. A [`Receiver`](super::Receiver) has one; a server that has
/// its contents in memory may use one to [provide](super::Sender::provide_digest) digests.
///
/// ```
/// use barewire_core::file::Digester;
///
/// let mut parts = Digester::new();
/// parts.update(b"con");
/// parts.update(b"tents");
/// let mut whole = Digester::new();
/// whole.update(b"contents");
/// assert_eq!(parts.finish(), whole.finish());
/// ```
#[derive(Clone, Default)]
pub struct Digester {
    hasher: blake3::Hasher,
}

impl Digester {
    /// A digester that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// The digest of all bytes since the last; the next begins anew.
    pub fn finish(&mut self) -> Digest {
        let digest = self.hasher.finalize().into();
        self.hasher.reset();
        digest
    }
}

impl fmt::Debug for Digester {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Digester").finish_non_exhaustive()
    }
}

/// The end of the segment that holds the byte at `offset`, in a file of `size` bytes.
pub(super) const fn segment_end(offset: u64, size: u64) -> u64 {
    let end = (offset - offset % SEGMENT).saturating_add(SEGMENT);
    if end < size { end } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test vector of the BLAKE3 authors, and the one of a single zero byte.
    #[test]
    fn it_is_blake3() {
        let mut digester = Digester::new();
        assert_eq!(digester.finish()[..4], [0xaf, 0x13, 0x49, 0xb9]);
        digester.update(&[0]);
        assert_eq!(digester.finish()[..4], [0x2d, 0x3a, 0xde, 0xdf]);
        assert_eq!(digester.finish()[..4], [0xaf, 0x13, 0x49, 0xb9], "it begins anew");
    }
}
