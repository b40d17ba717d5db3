//! What a client asks for.

use core::fmt;

use super::segment::SegmentSize;
use crate::printable::printable;
use crate::text::MAX_TEXT;

/// The longest name, in bytes.
pub const MAX_NAME: usize = MAX_TEXT;

/// What a client wants done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Operation {
    /// Send a file.
    Get = 1,
    /// List a directory.
    List = 2,
    /// Send the digests of a file's segments, and no contents.
    Hashes = 3,
}

impl Operation {
    pub(super) const ALL: [Self; 3] = [Self::Get, Self::List, Self::Hashes];
}

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Request<'a> {
    /// What to do with what the name names.
    pub operation: Operation,
    /// The name. It may hold anything; show it as [printable](crate::printable) text.
    pub name: &'a [u8],
    /// Where the contents are to start. With digests it is a multiple of the segment.
    pub offset: u64,
    /// How many bytes of the file are wanted: [`TO_END`](Self::TO_END), or 0 for the header of the
    /// response only. With digests the range ends where a segment does.
    pub length: u64,
    /// The version that the range is of, as far as the client knows; 0 if it does not care. It saves
    /// work, and proves nothing.
    pub tag: u64,
    /// Whether the client wants the digest of each segment behind it.
    pub verify: bool,
    /// How long segments are.
    pub segment: SegmentSize,
}

impl<'a> Request<'a> {
    /// The [length](Self::length) of whatever there is. Any from 2^62 on means that; the bytes of this one
    /// are ASCII, so that a server for the plain form only can decode the request as the text that it takes
    /// it for.
    pub const TO_END: u64 = 0x7f7f_7f7f_7f7f_7f7f;

    /// Asks for all of a file, with digests of segments of 1 MiB.
    pub const fn get(name: &'a [u8]) -> Self {
        Self {
            operation: Operation::Get,
            name,
            offset: 0,
            length: Self::TO_END,
            tag: 0,
            verify: true,
            segment: SegmentSize::MAX,
        }
    }

    /// Asks for the list of a directory, with digests; the empty name is the root.
    pub const fn list(name: &'a [u8]) -> Self {
        Self { operation: Operation::List, ..Self::get(name) }
    }

    /// Asks for the digests of all segments of 1 MiB of a file.
    pub const fn hashes(name: &'a [u8]) -> Self {
        Self { operation: Operation::Hashes, verify: false, ..Self::get(name) }
    }

    /// The same, from another [`offset`](Self::offset) on.
    #[must_use]
    pub const fn with_offset(mut self, offset: u64) -> Self {
        self.offset = offset;
        self
    }

    /// The same, of another [`length`](Self::length).
    #[must_use]
    pub const fn with_length(mut self, length: u64) -> Self {
        self.length = length;
        self
    }

    /// The same, of the version [`tag`](Self::tag).
    #[must_use]
    pub const fn with_tag(mut self, tag: u64) -> Self {
        self.tag = tag;
        self
    }

    /// The same, with digests or without ([`verify`](Self::verify)).
    #[must_use]
    pub const fn with_verify(mut self, verify: bool) -> Self {
        self.verify = verify;
        self
    }

    /// The same, with other [`segment`](Self::segment)s.
    #[must_use]
    pub const fn with_segment(mut self, segment: SegmentSize) -> Self {
        self.segment = segment;
        self
    }

    /// Whether digests are wanted, so that the range consists of whole segments.
    pub(super) const fn has_digests(&self) -> bool {
        self.verify || matches!(self.operation, Operation::Hashes)
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, name, offset, length, tag, verify, segment } = self;
        write!(f, "{operation:?} ")?;
        show(name, f)?;
        write!(f, " from {offset}, ")?;
        if *length == Self::TO_END {
            f.write_str("all")?;
        } else {
            write!(f, "{length} bytes")?;
        }
        write!(f, ", of {tag:#x}, verify: {verify}, segments of {} bytes", segment.bytes())
    }
}

/// A name as it may be shown.
pub(super) fn show(name: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "\"{}\"", printable(name))
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn a_request_is_shown_without_control_characters() {
        let request = Request::get(b"\x1b[2J").with_length(7);
        let shown = std::format!("{request:?}");
        assert_eq!(
            shown,
            "Get \"\\x1b[2J\" from 0, 7 bytes, of 0x0, verify: true, segments of 1048576 bytes"
        );
    }
}
