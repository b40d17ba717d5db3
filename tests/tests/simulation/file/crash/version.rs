//! Versions of a file, their segments, and which of them a download holds.

use barewire_core::file::{Digest, SegmentDigester, SegmentSize};
use barewire_linux::files::Download;
use barewire_tests::simulator::disk::Disk;

pub(super) const SEGMENT: usize = 1024;

/// What the server has had under the name.
#[derive(Clone, Debug)]
pub(super) struct Version {
    pub(super) tag: u64,
    pub(super) contents: Vec<u8>,
    pub(super) modified: Option<i64>,
}

impl Version {
    pub(super) fn size(&self) -> u64 {
        self.contents.len() as u64
    }

    /// The digest of the segment that begins at `start`.
    pub(super) fn digest(&self, start: u64) -> Digest {
        digest(&self.contents, self.size(), start).unwrap()
    }
}

/// The digest of a segment of a file of that size, if `bytes` have all of it.
pub(super) fn digest(bytes: &[u8], size: u64, start: u64) -> Option<Digest> {
    let segment = SegmentSize::MIN.segment(start, size);
    let mut digester = SegmentDigester::new(segment);
    digester.update(bytes.get(place(segment.start())..place(segment.end()))?);
    Some(digester.finish())
}

pub(super) fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap()
}

/// Where the segments start that are held.
pub(super) fn starts(download: &Download<Disk>) -> Vec<u64> {
    download.digests().map(|held| held.unwrap().0).collect()
}
