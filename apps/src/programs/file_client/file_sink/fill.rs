//! Contents that come from several servers, in any order.

use std::ops::Range;
use std::time::Instant;

use barewire_core::file::{Digest, SegmentSize};

use crate::programs::file_client::sink::Incoming;

use super::{Comparison, FileSink};

impl FileSink {
    /// Contents will come from several servers, of the version with these digests: what is missing.
    pub(in crate::programs::file_client) fn fill(
        &mut self,
        incoming: &Incoming,
        digests: &[Digest],
    ) -> Result<Vec<Range<u64>>, String> {
        self.last = Incoming { verified: true, ..*incoming };
        if let Some(Comparison::Held(mut held)) = self.comparison.take().map(|it| *it) {
            let size = incoming.size.unwrap_or_default();
            for (number, digest) in (0..).zip(digests) {
                let segment = SegmentSize::MAX.segment(number * SegmentSize::MAX.bytes(), size);
                held.take(segment.start()..segment.end(), digest);
            }
            self.adopt(&held.finish()).map_err(|error| self.explain(&error))?;
        }
        self.begun.get_or_insert_with(Instant::now);
        self.start()?;
        if self.filled.is_none() {
            let (size, tag) = (incoming.size.unwrap_or_default(), incoming.tag);
            self.with_part(|part| part.fill(size, tag))?;
        }
        Ok(self.download.iter().flat_map(|part| part.missing()).collect())
    }

    /// A segment has come, and is proven.
    pub(in crate::programs::file_client) fn put(
        &mut self,
        segment: Range<u64>,
        bytes: &[u8],
        digest: &Digest,
    ) -> Result<(), String> {
        self.with_part(|part| {
            part.write_at(segment.start, bytes)?;
            part.verified(segment.start, segment.end, digest)
        })
    }
}
