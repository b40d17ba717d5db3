//! What has been read, kept beyond the turn without a copy.

use core::fmt;
use core::ops::{Deref, Range};
use std::sync::Arc;

/// Up to this size in bytes, what is kept is copied: a whole buffer would be too much for it.
const SMALL: usize = 8 * 1024;

/// Where bytes that are lent lie, so that they can be kept without a copy.
#[derive(Clone, Copy, Default)]
pub struct Origin<'b> {
    buffer: Option<&'b Arc<[u8]>>,
}

impl<'b> Origin<'b> {
    pub(crate) fn new(buffer: &'b Arc<[u8]>) -> Self {
        Self { buffer: Some(buffer) }
    }

    /// Keeps `bytes` beyond the turn, and for another thread perhaps. They are copied only if they do
    /// not lie here (the default origin has nothing), or are few. What is kept holds the whole buffer
    /// that was read into ([`SCRATCH`](super::SCRATCH)), until it is dropped.
    pub fn keep(self, bytes: &[u8]) -> Kept {
        match self.buffer {
            Some(buffer) if bytes.len() > SMALL && lies_in(bytes, buffer) => {
                let start = bytes.as_ptr().addr() - buffer.as_ptr().addr();
                Kept { buffer: Arc::clone(buffer), range: start..start + bytes.len() }
            }
            _ => Kept { buffer: bytes.into(), range: 0..bytes.len() },
        }
    }
}

fn lies_in(bytes: &[u8], buffer: &[u8]) -> bool {
    let (inner, outer) = (bytes.as_ptr_range(), buffer.as_ptr_range());
    outer.start <= inner.start && inner.end <= outer.end
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Origin").finish_non_exhaustive()
    }
}

/// Bytes that were read, and are [kept](Origin::keep).
pub struct Kept {
    buffer: Arc<[u8]>,
    range: Range<usize>,
}

impl Deref for Kept {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.buffer[self.range.clone()]
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("length", &self.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer() -> Arc<[u8]> {
        (0..=255).cycle().take(4 * SMALL).collect()
    }

    #[test]
    fn what_is_large_is_not_copied() {
        let buffer = buffer();
        let bytes = &buffer[100..SMALL + 101];
        let kept = Origin::new(&buffer).keep(bytes);
        assert_eq!(kept.as_ptr_range(), bytes.as_ptr_range());
        assert_eq!(Arc::strong_count(&buffer), 2);
        drop(kept);
        assert_eq!(Arc::strong_count(&buffer), 1);
        let whole = Origin::new(&buffer).keep(&buffer);
        assert_eq!(whole.as_ptr_range(), buffer.as_ptr_range());
    }

    #[test]
    fn what_is_small_or_lies_elsewhere_is_copied() {
        let (buffer, other) = (buffer(), buffer());
        let origins = [Origin::new(&buffer), Origin::new(&other), Origin::default()];
        for (origin, bytes) in origins.into_iter().zip([&buffer[1..=SMALL], &buffer, &buffer]) {
            let kept = origin.keep(bytes);
            assert_eq!(*kept, *bytes);
            assert_ne!(kept.as_ptr(), bytes.as_ptr());
        }
        assert_eq!((Arc::strong_count(&buffer), Arc::strong_count(&other)), (1, 1));
    }

    /// Neighbours in memory, as it were.
    #[test]
    fn a_part_that_sticks_out_is_copied() {
        let whole = buffer();
        for range in [0..2 * SMALL, SMALL..3 * SMALL] {
            let inner = &whole[SMALL - 1..SMALL + 2];
            assert!(!lies_in(&whole[range], inner));
        }
        assert!(lies_in(&whole[..0], &whole) && lies_in(&whole, &whole));
    }
}
