//! What follows the header of a response.

use super::request::{Operation, Request};
use super::segment::{Segment, SegmentSize};

#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    Contents,
    /// Each segment, and its digest behind it.
    Verified(SegmentSize),
    /// The digests of the segments alone.
    Digests(SegmentSize),
}

impl Layout {
    /// Of the answer to `request`.
    pub(super) const fn of(request: &Request<'_>) -> Self {
        match request.operation {
            Operation::Hashes => Self::Digests(request.segment),
            Operation::Get | Operation::List if request.verify => Self::Verified(request.segment),
            Operation::Get | Operation::List => Self::Contents,
        }
    }

    /// The segment that holds the byte at `offset` of a file of `size` bytes, if there are any.
    pub(super) const fn segment(self, offset: u64, size: u64) -> Option<Segment> {
        match self {
            Self::Contents => None,
            Self::Verified(segments) | Self::Digests(segments) => {
                Some(segments.segment(offset, size))
            }
        }
    }
}
