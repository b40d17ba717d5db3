//! The pieces of contents that are proven as a whole.

use super::hash_tree::CHUNK;

/// How long segments are: 1 KiB times a power of two, up to 1 MiB.
///
/// Contents are cut at every multiple of it and at the end of the file. What is smaller takes less memory
/// where a segment is held until it has verified, and what is larger takes fewer digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SegmentSize(u8);

impl SegmentSize {
    /// 1 KiB.
    pub const MIN: Self = Self(0);
    /// 1 MiB.
    pub const MAX: Self = Self(10);

    /// 1 KiB times 2 to the power of `exponent`, which is at most 10.
    ///
    /// ```
    /// # use barewire_core::file::SegmentSize;
    /// assert_eq!(SegmentSize::new(2).map(SegmentSize::bytes), Some(4096));
    /// assert_eq!(SegmentSize::new(10), Some(SegmentSize::MAX));
    /// assert_eq!(SegmentSize::new(11), None);
    /// ```
    pub const fn new(exponent: u8) -> Option<Self> {
        if exponent <= Self::MAX.0 { Some(Self(exponent)) } else { None }
    }

    /// Of what it is the power of two.
    pub const fn exponent(self) -> u8 {
        self.0
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        (CHUNK as u64).wrapping_shl(self.0 as u32)
    }

    /// Of an offset, how far into its segment it is.
    const fn within(self, offset: u64) -> u64 {
        offset & self.bytes().wrapping_sub(1)
    }

    /// Whether a segment begins at `offset`.
    pub const fn divides(self, offset: u64) -> bool {
        self.within(offset) == 0
    }

    /// The segment that the byte at `offset` belongs to, in a file of `size` bytes.
    pub const fn segment(self, offset: u64, size: u64) -> Segment {
        let start = offset.wrapping_sub(self.within(offset));
        let end = start.saturating_add(self.bytes());
        let end = if end < size { end } else { size };
        Segment { start, end, is_whole: start == 0 && end == size }
    }
}

impl Default for SegmentSize {
    /// The largest: 1 MiB.
    fn default() -> Self {
        Self::MAX
    }
}

/// A piece of a file that is proven as a whole; made by [`SegmentSize::segment`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Segment {
    start: u64,
    end: u64,
    is_whole: bool,
}

impl Segment {
    /// The offset of its first byte in the file.
    pub const fn start(&self) -> u64 {
        self.start
    }

    /// The offset behind its last byte.
    pub const fn end(&self) -> u64 {
        self.end
    }

    /// Whether it is all of the file, so that its digest is the file's.
    pub const fn is_whole(&self) -> bool {
        self.is_whole
    }
}
