//! A file on its way to a client: what is to go out of it, and whether it is still what was offered.

use core::ops::Range;
use std::io;

use barewire_core::file::{Digest, Segment, SegmentDigester, SegmentSize};
use barewire_core::printable::printable;
use barewire_core::time::Instant;
use barewire_linux::files::{FileChange, ServedFile};

use super::store::Store;

use crate::output::system_error::describe;

pub(super) struct Response {
    pub(super) name: Vec<u8>,
    pub(super) begun: Instant,
    pub(super) file: ServedFile,
    /// What goes out of it.
    pub(super) range: Range<u64>,
    segments: SegmentSize,
    /// Of all digests provided.
    provided: Digest,
    recheck: Option<Recheck>,
}

/// A file that has grown is read once more before its last digest is provided: what was sent before
/// must be what it still holds.
struct Recheck {
    last: Digest,
    position: u64,
    found: Digest,
}

impl Response {
    pub(super) fn new(
        name: Vec<u8>,
        begun: Instant,
        file: ServedFile,
        range: Range<u64>,
        segments: SegmentSize,
    ) -> Self {
        Self { name, begun, file, range, segments, provided: Digest::default(), recheck: None }
    }

    /// Makes sure that the file is still what was offered; growing does no harm.
    pub(super) fn check(&mut self) -> Result<FileChange, String> {
        let standing = self.file.check();
        match self.given(standing)? {
            FileChange::Changed => Err(self.incomplete()),
            standing => Ok(standing),
        }
    }

    fn incomplete(&self) -> String {
        format!("{}: incomplete, the file changed while it was sent", printable(&self.name))
    }

    /// The digest of the segment, once it may be provided.
    pub(super) fn digest(
        &mut self,
        store: &Store,
        segment: Segment,
        buffer: &mut [u8],
    ) -> nb::Result<Digest, String> {
        if let Some(Recheck { position, .. }) = self.recheck {
            let again = self.segments.segment(position, self.file.size());
            let (end, offset) = (again.end(), segment.start());
            let digest = store.digest(&self.file, again, buffer);
            let digest = self.given(digest)?;
            let Some(recheck) = &mut self.recheck else { return Err(nb::Error::WouldBlock) };
            recheck.found = chain(&recheck.found, &digest);
            recheck.position = end;
            if end < offset {
                return Err(nb::Error::WouldBlock);
            }
            let last = recheck.last;
            return if recheck.found == self.provided {
                Ok(last)
            } else {
                Err(self.incomplete().into())
            };
        }
        let digest = store.digest(&self.file, segment, buffer);
        let digest = self.given(digest)?;
        // The digest could be right and yet of another version than was offered.
        let standing = self.check()?;
        let is_last = segment.end() == self.range.end && segment.start() > self.range.start;
        if is_last && standing == FileChange::Grown {
            let position = self.range.start;
            self.recheck = Some(Recheck { last: digest, position, found: Digest::default() });
            return Err(nb::Error::WouldBlock);
        }
        self.provided = chain(&self.provided, &digest);
        Ok(digest)
    }

    /// What the system gave, or why it did not.
    fn given<T>(&self, result: io::Result<T>) -> Result<T, String> {
        result.map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.incomplete(),
            _ => format!("cannot read {}: {}", printable(&self.name), describe(&error)),
        })
    }
}

/// A digest that stands for all before, and one more.
fn chain(before: &Digest, next: &Digest) -> Digest {
    let mut digester = SegmentDigester::new(SegmentSize::MIN.segment(0, 64));
    digester.update(before);
    digester.update(next);
    digester.finish()
}
