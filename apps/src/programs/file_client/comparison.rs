//! Whether what is here is what the server has, by the digests of segments.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use barewire_core::file::{Digest, SegmentDigester, SegmentSize};

use super::root::RootHash;

/// Segments that are held, compared with those of the server.
#[derive(Debug, Default)]
pub(super) struct HeldComparison {
    /// In order.
    held: Vec<(Range<u64>, Digest)>,
    /// How many of them were looked at.
    seen: usize,
    differing: Vec<Range<u64>>,
}

impl HeldComparison {
    pub(super) fn new(held: Vec<(Range<u64>, Digest)>) -> Self {
        Self { held, ..Self::default() }
    }

    /// Which digests to ask for, in bytes from the beginning: no more than can be compared, unless the
    /// file's end is among them.
    pub(super) fn length(&self) -> Option<u64> {
        let end = self.held.last().map_or(0, |(range, _)| range.end);
        SegmentSize::MAX.divides(end).then_some(end)
    }

    /// The server has this digest of a segment. They come in order.
    pub(super) fn take(&mut self, segment: Range<u64>, digest: &Digest) {
        while let Some((held, own)) = self.held.get(self.seen)
            && held.start <= segment.start
        {
            if *held != segment || own != digest {
                self.differing.push(held.clone());
            }
            self.seen += 1;
        }
    }

    /// All have come: which of those held the server does not have.
    pub(super) fn finish(mut self) -> Vec<Range<u64>> {
        self.differing.extend(self.held.drain(self.seen..).map(|(range, _)| range));
        self.differing
    }
}

/// A file that is here, compared with that of the server.
#[derive(Debug)]
pub(super) struct FileComparison {
    file: File,
    size: u64,
    is_same: bool,
    /// Of the server's file.
    root: RootHash,
    buffer: Vec<u8>,
}

impl FileComparison {
    pub(super) fn new(file: File, size: u64) -> Self {
        Self { file, size, is_same: true, root: RootHash::default(), buffer: Vec::new() }
    }

    /// The server's file has this size.
    pub(super) fn begin(&mut self, size: u64) {
        self.is_same = size == self.size;
    }

    /// The server has this digest of a segment.
    ///
    /// # Errors
    /// Those of `pread(2)`.
    pub(super) fn take(&mut self, segment: Range<u64>, digest: &Digest) -> io::Result<()> {
        self.root.segment(digest);
        if !self.is_same {
            return Ok(());
        }
        let length = usize::try_from(segment.end - segment.start).unwrap_or_default();
        self.buffer.resize(length, 0);
        match self.file.read_exact_at(&mut self.buffer, segment.start) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.is_same = false,
            read => read?,
        }
        let mut digester = SegmentDigester::new(SegmentSize::MAX.segment(segment.start, self.size));
        digester.update(&self.buffer);
        self.is_same &= digester.finish() == *digest;
        Ok(())
    }

    /// All have come: the hash of the server's file, and the one that is here, if it is the same.
    pub(super) fn finish(self) -> (Digest, Option<File>) {
        (self.root.finish(), self.is_same.then_some(self.file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn held(numbers: &[u64]) -> HeldComparison {
        let segment = |number: &u64| (number * MIB..(number + 1) * MIB, [1; 32]);
        HeldComparison::new(numbers.iter().map(segment).collect())
    }

    #[test]
    fn what_the_server_does_not_have_differs() {
        let mut some = held(&[0, 2, 3, 5]);
        assert_eq!(some.length(), Some(6 * MIB));
        for (number, digest) in [(0, 1), (1, 9), (2, 1), (3, 2)] {
            some.take(number * MIB..(number + 1) * MIB, &[digest; 32]);
        }
        // Another end, and the same digest, which could not be.
        some.take(5 * MIB..5 * MIB + 7, &[1; 32]);
        assert_eq!(some.finish(), [3 * MIB..4 * MIB, 5 * MIB..6 * MIB]);
        let mut none = held(&[0, 1]);
        none.take(0..MIB, &[1; 32]);
        assert_eq!(none.finish(), vec![MIB..2 * MIB]);
        assert_eq!(HeldComparison::new(vec![(0..7, [1; 32])]).length(), None);
    }

    #[test]
    fn a_file_is_the_same_byte_for_byte_or_not() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"contents", 0).unwrap();
        for (size, contents, is_same) in
            [(8, "contents", true), (8, "contentz", false), (9, "contents", false)]
        {
            let mut comparison = FileComparison::new(file.try_clone().unwrap(), 8);
            comparison.begin(size);
            let digest = blake3::hash(contents.as_bytes());
            comparison.take(0..size, digest.as_bytes()).unwrap();
            let (root, file) = comparison.finish();
            assert_eq!((root, file.is_some()), (digest.into(), is_same), "{size} {contents}");
        }
    }
}
