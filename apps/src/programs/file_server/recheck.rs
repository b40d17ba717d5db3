//! A file that is read once more before its last digest is provided.

use std::io;
use std::sync::Arc;

use barewire_core::file::{Digest, SegmentDigester, SegmentSize};
use barewire_linux::files::{Asker, FileJobs, ServedFile, Supply};

/// How many segments are read once more in one turn.
const AT_ONCE: u32 = 64;

/// Of a file that has grown, or of which more than its size and time of modification may have changed, what
/// was sent before must be what it still holds.
pub(super) struct Recheck {
    /// The digest that waits for it.
    pub(super) last: Digest,
    supply: Supply,
    position: u64,
    /// Of all digests so far.
    found: Digest,
}

impl Recheck {
    /// Begins where the contents did.
    pub(super) fn new(position: u64, last: Digest) -> Self {
        Self { last, supply: Supply::default(), position, found: Digest::default() }
    }

    /// Goes on with segments of this size up to where the last begins; what all of them are
    /// [chained](chain) to.
    pub(super) fn go_on(
        &mut self,
        jobs: &FileJobs,
        asker: &Asker<'_>,
        file: &ServedFile,
        (size, end): (SegmentSize, u64),
        buffer: &mut [u8],
    ) -> nb::Result<Digest, Arc<io::Error>> {
        for _ in 0..AT_ONCE {
            if self.position >= end {
                return Ok(self.found);
            }
            let segment = size.segment(self.position, file.size());
            let digest = self.supply.digest(jobs, asker, file, (segment, size, end), buffer)?;
            self.found = chain(&self.found, &digest);
            self.position = segment.end();
        }
        // Others come first.
        (asker.waker)().wake();
        Err(nb::Error::WouldBlock)
    }
}

/// A digest that stands for all before, and one more.
pub(super) fn chain(before: &Digest, next: &Digest) -> Digest {
    let mut digester = SegmentDigester::new(SegmentSize::MIN.segment(0, 64));
    digester.update(before);
    digester.update(next);
    digester.finish()
}
