//! Digests of contents, computed once.

#[cfg(test)]
mod tests;

use core::fmt;
use std::io;
use std::sync::Arc;

use barewire_core::file::{Digest, Segment, SegmentDigester, SegmentSize};
use quick_cache::sync::Cache;

use super::ServedFile;
use super::version::{FileTime, Version};

/// How old a file's times must be before its digests are kept, in seconds. A file that is written to
/// twice within one tick of the file system's clock bears the same time for two contents; most clocks
/// tick at least every 10 ms, that of FAT every 2 s.
const SETTLED_SECONDS: i64 = 2;

/// How long a digest is taken for that of what the file holds, in seconds, where the file may change without
/// a sign: less than who downloads tries again for, and long enough that a crowd has it hashed once.
const LIFETIME_SECONDS: i64 = 10;

/// How much of a large segment is read at once, in bytes: so little that it is hashed before it has left
/// the processor's own cache, and enough for SIMD.
const PIECE: usize = 128 * 1024;

/// How long after its last change a file on a disk may change without a sign, in seconds. A page that is
/// dirty can be written to through a mapping until it is written back, which begins after 30 s unless the
/// system is told otherwise (`vm.dirty_expire_centisecs`); the next write marks the file anew.
const WRITTEN_BACK_SECONDS: i64 = 60;

/// The digests of segments of files, which are computed only once as long as the file stays as it is.
/// Threads share it by reference, and none waits while another computes.
///
/// Kept are those of segments of the [largest size](SegmentSize::MAX), and of files that are one segment;
/// of smaller segments there can be a thousand times as many, which are computed anew.
///
/// A file is known again by its device, number, size, and times of modification and of change. The
/// last cannot be set at will, but does not show everything: not contents written through a shared mapping
/// (`mmap(2)`) into pages that were written to before and not written back yet, on `tmpfs` none that are
/// written through a mapping, nor for a while what another machine writes (`nfs(5)`). Where that can be, a
/// digest is known for ten seconds only. So whoever compares such a file with a digest of before refuses
/// it, and gets it once these are over.
pub struct DigestCache {
    cache: Cache<Key, KnownDigest>,
}

#[derive(Clone, Copy)]
struct KnownDigest {
    digest: Digest,
    /// When it was computed.
    since: FileTime,
    /// When it is to be computed anew: never, if the file would show any change.
    until: Option<FileTime>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    version: Version,
    segment: Segment,
}

/// Segments of one size, one after another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Row {
    pub(super) size: SegmentSize,
    /// Where the first begins, and the last ends.
    pub(super) start: u64,
    pub(super) end: u64,
}

impl Row {
    /// The segments, in a file of `size` bytes.
    fn segments(self, size: u64) -> impl Iterator<Item = Segment> {
        let mut next = self.start;
        core::iter::from_fn(move || {
            let segment = (next < self.end).then(|| self.size.segment(next, size))?;
            next = segment.end();
            Some(segment)
        })
    }
}

impl DigestCache {
    /// How many digests are kept by default: those of 64 GiB in segments of 1 MiB. Each takes about
    /// 190 bytes.
    pub const CAPACITY: usize = 65_536;

    /// Keeps about `capacity` digests; those that are asked for least make room.
    pub fn new(capacity: usize) -> Self {
        Self { cache: Cache::new(capacity) }
    }

    /// The digest of a segment of `opened`. It is read in pieces of the size of `buffer` (64 KiB serve
    /// well), unless the digest is known.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if the file ends before, because it has
    /// shrunk; [`InvalidInput`](io::ErrorKind::InvalidInput) for an empty buffer; and those of
    /// `pread(2)` and `statx(2)`.
    pub fn of(
        &self,
        opened: &ServedFile,
        segment: Segment,
        buffer: &mut [u8],
    ) -> io::Result<Digest> {
        self.of_at(FileTime::now(), opened, segment, buffer, |offset, piece| {
            opened.read_at(offset, piece)
        })
    }

    /// As [`of`](Self::of), but of what is in memory only: `WouldBlock` if something is not.
    pub(super) fn of_cached(
        &self,
        opened: &ServedFile,
        segment: Segment,
        buffer: &mut [u8],
    ) -> io::Result<Digest> {
        self.of_at(FileTime::now(), opened, segment, buffer, |offset, piece| {
            opened.read_cached(offset, piece)
        })
    }

    /// As [`of`](Self::of), of all segments of a row. Small ones are digested where they lie in `buffer`,
    /// into which the row must fit then.
    pub(super) fn of_row(
        &self,
        opened: &ServedFile,
        row: Row,
        buffer: &mut [u8],
    ) -> io::Result<Arc<[Digest]>> {
        let segments = row.segments(opened.size());
        if row.size == SegmentSize::MAX {
            let most = buffer.len().min(PIECE);
            let piece = &mut buffer[..most];
            return segments.map(|segment| self.of(opened, segment, piece)).collect();
        }
        let place = |offset: u64| usize::try_from(offset - row.start).unwrap_or(usize::MAX);
        let bytes = buffer.get_mut(..place(row.end)).ok_or(io::ErrorKind::InvalidInput)?;
        let mut read = 0;
        while read < bytes.len() {
            match opened.read_at(row.start + read as u64, &mut bytes[read..])? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => read += count,
            }
        }
        Ok(segments
            .map(|segment| {
                let mut digester = SegmentDigester::new(segment);
                digester.update(&bytes[place(segment.start())..place(segment.end())]);
                digester.finish()
            })
            .collect())
    }

    /// The digest of a segment of a version, if it is known.
    pub(super) fn get(&self, version: Version, segment: Segment) -> Option<Digest> {
        self.get_at(FileTime::now(), Key { version, segment })
    }

    /// The digest, if it is known and not too old at the time `now`. One from the future, before the clock
    /// was set back, has no age.
    fn get_at(&self, now: FileTime, key: Key) -> Option<Digest> {
        let KnownDigest { digest, since, until } = self.cache.get(&key)?;
        (since <= now && until.is_none_or(|until| now < until)).then_some(digest)
    }

    /// As [`of`](Self::of), at the time `now`, and with another way to read.
    fn of_at(
        &self,
        now: FileTime,
        opened: &ServedFile,
        segment: Segment,
        buffer: &mut [u8],
        read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
    ) -> io::Result<Digest> {
        let version = opened.version()?;
        let key = Key { version, segment };
        if let Some(digest) = self.get_at(now, key) {
            return Ok(digest);
        }
        let digest = hash(segment, buffer, read)?;
        // Whatever is written from `now` on bears a time that cannot be mistaken for a settled one.
        let last = version.modified.max(version.changed);
        let settled = last.plus_seconds(SETTLED_SECONDS) <= now;
        let shows_changes = opened.is_on_disk() && last.plus_seconds(WRITTEN_BACK_SECONDS) <= now;
        let is_kept = segment.is_whole()
            || SegmentSize::MAX.segment(segment.start(), opened.size()) == segment;
        if is_kept && settled && opened.version()? == version {
            let until = (!shows_changes).then(|| now.plus_seconds(LIFETIME_SECONDS));
            self.cache.insert(key, KnownDigest { digest, since: now, until });
        }
        Ok(digest)
    }
}

impl Default for DigestCache {
    fn default() -> Self {
        Self::new(Self::CAPACITY)
    }
}

impl fmt::Debug for DigestCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestCache").field("known", &self.cache.len()).finish_non_exhaustive()
    }
}

/// Digests what `read` gives, piece by piece.
fn hash(
    segment: Segment,
    buffer: &mut [u8],
    mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
) -> io::Result<Digest> {
    if buffer.is_empty() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut digester = SegmentDigester::new(segment);
    let mut offset = segment.start();
    while offset < segment.end() {
        let most = usize::try_from(segment.end() - offset).unwrap_or(usize::MAX).min(buffer.len());
        let count = read(offset, &mut buffer[..most])?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        digester.update(&buffer[..count]);
        offset += count as u64;
    }
    Ok(digester.finish())
}
