//! What a file that is being sent needs of the disk and of the processor, fetched by other threads.

#[cfg(test)]
mod tests;

use core::cell::RefCell;
use core::fmt;
use core::ops::Range;
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use barewire_core::file::{Digest, Segment, SegmentSize};

use super::digest_cache::Row;
use super::version::Version;
use super::{DigestCache, ServedFile};
use crate::executor::Waker;
use crate::workers::{Full, Share, SingleFlight, Ticket};

/// How much of a file is read in, or hashed, at once.
const STRETCH: u64 = SegmentSize::MAX.bytes();

/// How far ahead of what goes out the file is looked at, and read in where it is not in memory.
const READ_AHEAD: u64 = 2 * STRETCH;

/// How many rows of digests are computed ahead of the one that is needed next.
const HASH_AHEAD: usize = 2;

/// The digests of a row, in its order.
type Digests = Arc<[Digest]>;

/// An error that several are told of.
type Shared<T> = Result<T, Arc<io::Error>>;

/// The work on files that all connections of a server share: what several need is read in once, and
/// hashed once.
#[derive(Clone, Default)]
pub struct FileJobs {
    digests: Arc<DigestCache>,
    hashing: SingleFlight<(Version, Row), Shared<Digests>>,
    reading: SingleFlight<(Version, Range<u64>), Shared<()>>,
    marking: SingleFlight<Version, Shared<blake3::Hash>>,
}

/// Who asks for work, and is woken when it is done.
pub struct Asker<'a> {
    /// At whose expense it is.
    pub share: &'a Share,
    /// Whom it wakes.
    pub waker: &'a dyn Fn() -> Waker,
}

/// What one response is supplied with. Dropping it gives up what nobody else wants.
#[derive(Default)]
pub struct Supply {
    /// Up to here the file was in memory when that was seen to last.
    ready: u64,
    /// Up to where the file is being read in.
    reading: Option<(u64, Ticket<Shared<()>>)>,
    /// What digests are being computed, one row after another.
    hashing: VecDeque<(Row, Ticket<Shared<Digests>>)>,
    marking: Option<Ticket<Shared<blake3::Hash>>>,
}

impl FileJobs {
    fn hash(
        &self,
        asker: &Asker<'_>,
        opened: &ServedFile,
        version: Version,
        row: Row,
    ) -> Result<Ticket<Shared<Digests>>, Full> {
        let (opened, digests) = (opened.again(), Arc::clone(&self.digests));
        self.hashing.ask(asker.share, (version, row), asker.waker, move |_| {
            Ok(BUFFER.with_borrow_mut(|buffer| digests.of_row(&opened, row, buffer))?)
        })
    }

    fn read(
        &self,
        asker: &Asker<'_>,
        opened: &ServedFile,
        version: Version,
        range: Range<u64>,
    ) -> Result<Ticket<Shared<()>>, Full> {
        let opened = opened.again();
        self.reading.ask(asker.share, (version, range.clone()), asker.waker, move |_| {
            BUFFER.with_borrow_mut(|buffer| {
                let mut at = range.start;
                while at < range.end {
                    let most = usize::try_from(range.end - at).unwrap_or(usize::MAX);
                    let most = most.min(buffer.len());
                    match opened.read_at(at, &mut buffer[..most])? {
                        // It has shrunk, which is found out when it is sent.
                        0 => break,
                        count => at += count as u64,
                    }
                }
                Ok(())
            })
        })
    }
}

thread_local! {
    /// What a thread reads into: a row of small segments is read as a whole.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 1 << 20]);
}

impl Supply {
    /// Whether [`ready`](Self::ready) has never been needed.
    pub fn is_untouched(&self) -> bool {
        self.ready == 0
    }

    /// Up to where `opened` can be read from `position` on without waiting for the disk, `end` at most.
    /// What is not in memory is read in meanwhile.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: not a byte, for now; the asker is woken. Those of `pread(2)`.
    pub fn ready(
        &mut self,
        jobs: &FileJobs,
        asker: &Asker<'_>,
        opened: &ServedFile,
        position: u64,
        end: u64,
    ) -> nb::Result<u64, Arc<io::Error>> {
        self.ready = self.ready.max(position);
        while self.ready < end.min(position.saturating_add(READ_AHEAD)) {
            if let Some((to, ticket)) = &self.reading {
                match poll(asker, ticket) {
                    Ok(()) => (self.ready, self.reading) = (self.ready.max(*to), None),
                    Err(nb::Error::WouldBlock) => break,
                    Err(error) => return Err(error),
                }
                continue;
            }
            let to = (self.ready - self.ready % STRETCH + STRETCH).min(end);
            if opened.is_cached(self.ready, to) {
                self.ready = to;
                continue;
            }
            // Who hashes it reads it in.
            let hashed = self.hashing.iter().find(|(row, _)| row.start == self.ready);
            match hashed.map(|(_, ticket)| poll(asker, ticket)) {
                Some(Ok(_)) => self.ready = to,
                Some(Err(nb::Error::WouldBlock)) => break,
                Some(Err(nb::Error::Other(error))) => return Err(error.into()),
                None => {
                    let version = opened.version().map_err(Arc::new)?;
                    match jobs.read(asker, opened, version, self.ready..to) {
                        Ok(ticket) => self.reading = Some((to, ticket)),
                        Err(Full) => break,
                    }
                }
            }
        }
        if self.ready > position || position == end {
            Ok(self.ready.min(end))
        } else {
            Err(nb::Error::WouldBlock)
        }
    }

    /// As [`ServedFile::mark`], but what is not in memory another thread reads: then it takes some calls.
    ///
    /// # Errors
    /// Those of `pread(2)` and `statx(2)`.
    pub fn mark(
        &mut self,
        jobs: &FileJobs,
        asker: &Asker<'_>,
        opened: &mut ServedFile,
    ) -> Result<(), Arc<io::Error>> {
        if opened.is_marked() {
            return Ok(());
        }
        if self.marking.is_none() {
            if opened.ends_are_cached() {
                return Ok(opened.mark()?);
            }
            let (version, file) = (opened.version()?, opened.again());
            let begun =
                jobs.marking.ask(asker.share, version, asker.waker, move |_| Ok(file.ends()?));
            self.marking = begun.ok();
        }
        match self.marking.as_ref().map(|ticket| poll(asker, ticket)) {
            Some(Ok(mark)) => {
                opened.set_mark(mark);
                self.marking = None;
                Ok(())
            }
            Some(Err(nb::Error::Other(error))) => Err(error),
            _ => Ok(()),
        }
    }

    /// The digest of a segment of `opened`, from a row of segments of that `size` that are needed up to
    /// `end`. What is little and in memory is hashed at once, by way of `buffer`; the rest by other
    /// threads, some ahead.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: it is not there yet; the asker is woken. Those of
    /// [`DigestCache::of`].
    pub fn digest(
        &mut self,
        jobs: &FileJobs,
        asker: &Asker<'_>,
        opened: &ServedFile,
        (segment, size, end): (Segment, SegmentSize, u64),
        buffer: &mut [u8],
    ) -> nb::Result<Digest, Arc<io::Error>> {
        while self.hashing.pop_front_if(|(row, _)| row.end <= segment.start()).is_some() {}
        if self.hashing.is_empty() {
            let needed = row(size, segment.start(), end);
            if usize::try_from(needed.end - needed.start).is_ok_and(|bytes| bytes <= buffer.len()) {
                match jobs.digests.of_cached(opened, segment, buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    result => return result.map_err(|error| nb::Error::Other(Arc::new(error))),
                }
            }
        }
        // Once in each row there is more to ask for.
        let is_first = |(row, _): &(Row, _)| row.start >= segment.start();
        if self.hashing.front().is_none_or(is_first)
            && let Some(digest) = self.hash_ahead(jobs, asker, opened, (segment, size, end))?
        {
            return Ok(digest);
        }
        let Some((row, ticket)) = self.hashing.front() else { return Err(nb::Error::WouldBlock) };
        let digests = poll(asker, ticket)?;
        let number = usize::try_from((segment.start() - row.start) / size.bytes()).ok();
        let digest = number.and_then(|number| digests.get(number)).copied();
        digest.ok_or_else(|| nb::Error::Other(Arc::new(io::ErrorKind::InvalidInput.into())))
    }

    /// Asks for the digests from `segment` on, as far ahead as is meant. Gives that of the segment itself, if
    /// it is known.
    fn hash_ahead(
        &mut self,
        jobs: &FileJobs,
        asker: &Asker<'_>,
        opened: &ServedFile,
        (segment, size, end): (Segment, SegmentSize, u64),
    ) -> Result<Option<Digest>, Arc<io::Error>> {
        let version = opened.version()?;
        let known = |start: u64| jobs.digests.get(version, size.segment(start, opened.size()));
        if self.hashing.is_empty()
            && let Some(digest) = known(segment.start())
        {
            return Ok(Some(digest));
        }
        let mut next = self.hashing.back().map_or(segment.start(), |(last, _)| last.end);
        while self.hashing.len() <= HASH_AHEAD && next < end {
            if next > segment.start() && known(next).is_some() {
                break;
            }
            let row = row(size, next, end);
            match jobs.hash(asker, opened, version, row) {
                Ok(ticket) => self.hashing.push_back((row, ticket)),
                Err(Full) => break,
            }
            next = row.end;
        }
        Ok(None)
    }
}

/// The segments from `start` on that are hashed together, of those up to `end`.
fn row(size: SegmentSize, start: u64, end: u64) -> Row {
    Row { size, start, end: (start - start % STRETCH + STRETCH).min(end) }
}

fn poll<T: Clone>(asker: &Asker<'_>, ticket: &Ticket<Shared<T>>) -> nb::Result<T, Arc<io::Error>> {
    match ticket.poll(asker.waker) {
        Ok(result) => result.map_err(nb::Error::Other),
        Err(error) => Err(error.map(|lost| Arc::new(io::Error::other(lost)))),
    }
}

impl fmt::Debug for FileJobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileJobs").field("digests", &self.digests).finish_non_exhaustive()
    }
}

impl fmt::Debug for Asker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Asker").field("share", self.share).finish_non_exhaustive()
    }
}

impl fmt::Debug for Supply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Supply")
            .field("ready", &self.ready)
            .field("is_reading", &self.reading.is_some())
            .field("hashing", &self.hashing.len())
            .finish_non_exhaustive()
    }
}
