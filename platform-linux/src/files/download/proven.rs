//! What is proven of the file on its way, and of which version.

use std::ops::Range;

use barewire_core::file::{Segment, SegmentSize};

use super::segment_set::SegmentSet;

/// What is there of a download, and need not be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Held {
    /// The version it is of. 0 if what is there came from another source: then it is to be
    /// [compared](super::Download::digests) first.
    pub tag: u64,
    /// The size of the whole in bytes.
    pub size: u64,
    /// How many bytes, from the beginning, are proven. Others may be proven behind them.
    pub verified: u64,
}

/// The segments of a version that are proven.
#[derive(Clone, Debug, Default)]
pub(in crate::files) struct Proven {
    /// 0 if versions cannot be told apart; then nothing is ever proven.
    pub(in crate::files) tag: u64,
    /// Of the whole in bytes, if it is known.
    pub(in crate::files) size: Option<u64>,
    pub(in crate::files) segment_size: SegmentSize,
    segments: SegmentSet,
    /// The tag is that of this source.
    pub(in crate::files) is_of_source: bool,
}

impl Proven {
    /// Of a version, nothing yet.
    pub(in crate::files) fn new(tag: u64, size: Option<u64>, segment_size: SegmentSize) -> Self {
        Self { tag, size, segment_size, segments: SegmentSet::default(), is_of_source: true }
    }

    pub(in crate::files) fn held(&self) -> Option<Held> {
        let size = self.size.filter(|_| self.segments.count() > 0)?;
        let tag = if self.is_of_source { self.tag } else { 0 };
        Some(Held { tag, size, verified: self.verified() })
    }

    /// How many bytes are proven, counted from the beginning to the first that is not.
    pub(in crate::files) fn verified(&self) -> u64 {
        self.start(self.segments.first_absent())
    }

    pub(in crate::files) fn is_empty(&self) -> bool {
        self.segments.count() == 0
    }

    /// How many bytes that is, or a little more.
    pub(in crate::files) fn bytes(&self) -> u64 {
        self.segments.count().saturating_mul(self.segment_size.bytes())
    }

    /// Whether everything is.
    pub(in crate::files) fn is_complete(&self) -> bool {
        let count = |size: u64| size.div_ceil(self.segment_size.bytes());
        self.tag != 0 && self.size.is_some_and(|size| self.segments.count() == count(size))
    }

    /// The offset behind the last segment that is.
    pub(in crate::files) fn end(&self) -> u64 {
        self.start(self.segments.end())
    }

    pub(in crate::files) fn contains(&self, number: u64) -> bool {
        self.segments.contains(number)
    }

    pub(in crate::files) fn insert(&mut self, number: u64) {
        self.segments.insert(number);
    }

    pub(in crate::files) fn remove(&mut self, number: u64) {
        self.segments.remove(number);
    }

    /// Forgets all from the segment `number` on.
    pub(in crate::files) fn truncate(&mut self, number: u64) {
        self.segments.truncate(number);
    }

    /// The first from `number` on that is in it.
    pub(in crate::files) fn next(&self, number: u64) -> Option<u64> {
        self.segments.next(number)
    }

    /// What is not proven, in order.
    pub(in crate::files) fn missing(&self) -> impl Iterator<Item = Range<u64>> {
        let size = self.size.unwrap_or(0);
        let mut next = 0;
        std::iter::from_fn(move || {
            let start = self.segments.next_absent(next);
            next = self.segments.next(start).unwrap_or(u64::MAX);
            let range = self.start(start)..self.start(next);
            (!range.is_empty()).then_some(range)
        })
        .take_while(move |range| range.start < size)
    }

    /// The segment that a byte belongs to, and its number. Only of a known size.
    pub(in crate::files) fn segment(&self, offset: u64) -> Option<(u64, Segment)> {
        let size = self.size.filter(|size| offset < *size)?;
        Some((offset / self.segment_size.bytes(), self.segment_size.segment(offset, size)))
    }

    /// The offset of the segment `number`; no farther than the end of the file.
    pub(in crate::files) fn start(&self, number: u64) -> u64 {
        number.saturating_mul(self.segment_size.bytes()).min(self.size.unwrap_or(u64::MAX))
    }
}
