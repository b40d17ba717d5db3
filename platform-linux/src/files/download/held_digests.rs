//! The digests of what is held, read from the journal.

use std::io;

use barewire_core::file::Digest;

use super::journal::Notes;
use super::proven::Proven;
use crate::files::storage::StorageFile;

/// The segments that are held, with their digests; made by
/// [`Download::digests`](super::Download::digests).
#[derive(Debug)]
pub struct HeldDigests<'a, F> {
    proven: &'a Proven,
    /// All before this one are told.
    next: u64,
    notes: Notes<'a, F>,
}

impl<'a, F> HeldDigests<'a, F> {
    pub(super) fn new(proven: &'a Proven, notes: Notes<'a, F>) -> Self {
        Self { proven, next: 0, notes }
    }
}

impl<F: StorageFile> Iterator for HeldDigests<'_, F> {
    /// Where a segment starts and ends, and its digest.
    ///
    /// # Errors
    /// [`InvalidData`](io::ErrorKind::InvalidData) if somebody else has changed the journal; those of
    /// `pread(2)`.
    type Item = io::Result<(u64, u64, Digest)>;

    fn next(&mut self) -> Option<Self::Item> {
        let wanted = self.proven.next(self.next)?;
        self.next = wanted + 1;
        loop {
            let (number, digest) = match self.notes.next() {
                Some(Ok(note)) => note,
                Some(Err(error)) => return Some(Err(error)),
                None => return Some(Err(changed())),
            };
            if number > wanted {
                return Some(Err(changed()));
            }
            if number == wanted {
                let proven = self.proven;
                return Some(Ok((proven.start(number), proven.start(number + 1), digest)));
            }
        }
    }
}

fn changed() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the journal was changed by somebody else")
}
