//! A file on its way to a client: what is to go out of it, and whether it is still what was offered.

use core::ops::Range;
use std::io;
use std::sync::Arc;

use barewire_core::file::{Digest, Segment, SegmentSize};
use barewire_core::time::Instant;
use barewire_linux::files::{Asker, FileChange, ServedFile, Supply};
use barewire_linux::link::Contents;

use super::pacer::Pace;
use super::recheck::{Recheck, chain};
use super::store::Store;

use crate::output::peer_text::shown;
use crate::output::system_error::describe;

/// Up to this size in bytes the look would cost more than the read that it is for.
const SMALL: u64 = 16 << 10;

pub(super) struct Response {
    pub(super) name: Vec<u8>,
    pub(super) begun: Instant,
    pub(super) file: ServedFile,
    /// What goes out of it.
    pub(super) range: Range<u64>,
    segments: SegmentSize,
    supply: Supply,
    /// Up to where the contents may go out: they need not be waited for, and it is their turn.
    ready: u64,
    pace: Pace,
    /// Digests prove it.
    is_proven: bool,
    /// Of all digests provided.
    provided: Digest,
    recheck: Option<Box<Recheck>>,
}

impl Response {
    pub(super) fn new(
        name: Vec<u8>,
        begun: Instant,
        file: ServedFile,
        (range, segments): (Range<u64>, SegmentSize),
        pace: Pace,
    ) -> Self {
        let (supply, provided) = (Supply::default(), Digest::default());
        // What is small is read without a look at whether it has to be waited for: the read tells.
        let is_small = range.end - range.start <= SMALL && pace.is_free() && !file.is_remote();
        let ready = if is_small { range.end } else { range.start };
        Self {
            name,
            begun,
            file,
            range,
            segments,
            supply,
            ready,
            pace,
            is_proven: false,
            provided,
            recheck: None,
        }
    }

    /// What may go out of it for the moment.
    pub(super) fn contents(&self) -> Contents<'_> {
        let contents = Contents::new(&self.file).before(self.ready);
        let is_unknown = self.supply.is_untouched() && self.file.may_wait();
        if is_unknown { contents.only_cached() } else { contents }
    }

    /// Has more of the contents go out, from `position` on; false if the rate does not allow it yet.
    pub(super) fn supply(
        &mut self,
        store: &Store,
        asker: &Asker<'_>,
        now: Instant,
        position: u64,
    ) -> nb::Result<bool, String> {
        let ready = self.supply.ready(&store.jobs, asker, &self.file, position, self.range.end);
        let ready = self.given(ready)?;
        self.ready = self.pace.allows(now, position, self.range.end).min(ready);
        Ok(self.ready > position)
    }

    /// When the rate allows more, if it is that which is waited for.
    pub(super) fn resumes_at(&self) -> Option<Instant> {
        self.pace.resumes_at()
    }

    /// Remembers the ends of the file, by which it is told what has become of it where digests do not.
    pub(super) fn mark(&mut self, store: &Store, asker: &Asker<'_>) {
        if self.is_proven {
            return;
        }
        if let Err(error) = self.supply.mark(&store.jobs, asker, &mut self.file) {
            log::debug!("{}: {error}", shown(&self.name));
        }
    }

    /// Makes sure that the file is still what was offered, as far as its size and times tell; growing does
    /// no harm.
    pub(super) fn check(&mut self) -> Result<FileChange, String> {
        let standing = self.file.check();
        match standing.map_err(|error| self.unreadable(&error))? {
            FileChange::Changed => Err(self.incomplete()),
            standing => Ok(standing),
        }
    }

    fn incomplete(&self) -> String {
        format!("{}: incomplete, the file changed while it was sent", shown(&self.name))
    }

    /// The digest of the segment, once it may be provided.
    pub(super) fn digest(
        &mut self,
        store: &Store,
        asker: &Asker<'_>,
        segment: Segment,
        buffer: &mut [u8],
    ) -> nb::Result<Digest, String> {
        self.is_proven = true;
        if self.recheck.is_none() {
            let row = (segment, self.segments, self.range.end);
            let digest = self.supply.digest(&store.jobs, asker, &self.file, row, buffer);
            let digest = self.given(digest)?;
            if !self.is_doubtful_with(segment)? {
                self.provided = chain(&self.provided, &digest);
                return Ok(digest);
            }
            self.recheck = Some(Box::new(Recheck::new(self.range.start, digest)));
        }
        let Some(recheck) = &mut self.recheck else { return Err(nb::Error::WouldBlock) };
        let before = (self.segments, segment.start());
        let found = recheck.go_on(&store.jobs, asker, &self.file, before, buffer);
        let (found, last) = (self.given(found)?, self.recheck.take().map(|recheck| recheck.last));
        let is_same = found == self.provided;
        last.filter(|_| is_same).ok_or_else(|| self.incomplete().into())
    }

    /// Whether, with this segment, all that went out must be read once more. Its digest could be right
    /// and yet of another version than was offered; of small segments that is found out for many together.
    fn is_doubtful_with(&mut self, segment: Segment) -> Result<bool, String> {
        let is_last = segment.end() == self.range.end;
        if !is_last && !SegmentSize::MAX.divides(segment.end()) {
            return Ok(false);
        }
        let is_doubtful = self.check()? != FileChange::Unchanged;
        Ok(is_doubtful && is_last && segment.start() > self.range.start)
    }

    /// What the system gave, or why it did not.
    fn given<T>(&self, result: nb::Result<T, Arc<io::Error>>) -> nb::Result<T, String> {
        result.map_err(|error| error.map(|error| self.unreadable(&error)))
    }

    fn unreadable(&self, error: &io::Error) -> String {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => self.incomplete(),
            _ => format!("cannot read {}: {}", shown(&self.name), describe(error)),
        }
    }
}
