//! What a download is to do with what is there.

use barewire_core::file::SegmentSize;

/// How a download treats what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadOptions {
    /// Replaces a file that has the name. Without it, that is an error.
    pub force: bool,
    /// Goes on from what an earlier run has left.
    pub resume: bool,
    /// How long the segments are that will be proven. What was left in others is not gone on with.
    pub segment_size: SegmentSize,
    /// What tells where the file comes from: the tags of two sources say nothing of each other.
    pub source: [u8; 32],
}

impl DownloadOptions {
    /// A file that has the name is kept, what an earlier run has left is resumed, segments are of the
    /// largest size, and there is one source.
    pub const fn new() -> Self {
        Self { force: false, resume: true, segment_size: SegmentSize::MAX, source: [0; 32] }
    }

    /// Sets [`force`](Self::force).
    #[must_use]
    pub const fn with_force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets [`resume`](Self::resume).
    #[must_use]
    pub const fn with_resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }

    /// Sets [`segment_size`](Self::segment_size).
    #[must_use]
    pub const fn with_segment_size(mut self, segment_size: SegmentSize) -> Self {
        self.segment_size = segment_size;
        self
    }

    /// Sets the [`source`](Self::source): the server as the user named it, and what it is asked for.
    #[must_use]
    pub fn with_source(mut self, server: &[u8], name: &[u8]) -> Self {
        let length = (server.len() as u64).to_le_bytes();
        let digest = blake3::Hasher::new().update(&length).update(server).update(name).finalize();
        self.source = digest.into();
        self
    }
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self::new()
    }
}
