//! Where contents go, and why they may not go there.

use std::ops::Range;

use barewire_core::file::{Digest, ResponseHeader};

use crate::output::peer_text::Shown;

use super::limits::Allowance;
use super::report::Reporter;
use super::settings::Settings;

/// Whether something can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readiness {
    Ready,
    /// More is to be done first, by the same call again.
    Checking,
    /// It need not be, as it is there already.
    Unneeded,
}

/// What is to be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Digests of so many bytes, or of all, to compare what is here with.
    Digests { length: Option<u64> },
    /// Contents of the version with this tag, so many or all from the offset on.
    Contents { offset: u64, length: Option<u64>, tag: u64 },
}

impl Wanted {
    /// Everything, of whatever version.
    pub(super) const ALL: Self = Self::Contents { offset: 0, length: None, tag: 0 };
}

/// What comes after an answer that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: it is whole.
    Done,
    /// Nothing: what is here is what the server has.
    Unchanged,
    /// There is more to ask for.
    More,
}

/// What is known of contents that are about to come. The default is what the plain form tells.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Incoming {
    pub(super) offset: u64,
    /// How much comes.
    pub(super) length: Option<u64>,
    /// That of the whole.
    pub(super) size: Option<u64>,
    /// 0 if versions cannot be told apart.
    pub(super) tag: u64,
    /// In nanoseconds since 1970.
    pub(super) modified: Option<i64>,
    /// Each segment comes with a digest.
    pub(super) verified: bool,
}

impl Incoming {
    /// Whether what comes will be proven; nothing at all needs no proof.
    pub(super) fn is_proven(&self) -> bool {
        self.verified || self.size == Some(self.offset)
    }
}

impl From<ResponseHeader> for Incoming {
    fn from(header: ResponseHeader) -> Self {
        let ResponseHeader { offset, length, size, tag, modified, verified, .. } = header;
        let modified = Some(modified).filter(|time| *time != 0);
        Self { offset, length: Some(length), size: Some(size), tag, modified, verified }
    }
}

/// Why this side ends a connection although the server has done nothing wrong.
#[derive(Debug)]
pub(super) enum Abort {
    /// The server asks for patience.
    Busy,
    /// What the server has is another version than a moment ago.
    Changed,
    /// The answer that has begun is of no use, for the reason given.
    Skip(String),
    /// Nothing that would still come is of any use, for the reason given.
    GiveUp(String),
    /// Nobody reads standard output any more.
    ReaderGone,
    /// A signal ends the program.
    Interrupted,
}

/// What takes the contents of one answer, over as many connections as it needs.
///
/// Each answer is a [`begin`](Self::begin), then [`write`](Self::write) and
/// [`verified`](Self::verified) in turns, or [`digest`](Self::digest)s, and
/// [`completed`](Self::completed), or [`settle`](Self::settle) if the connection breaks off.
pub(super) trait Sink {
    /// Makes it, which the server calls `name`, ready to be asked for, or more nearly so.
    fn prepare(
        &mut self,
        _name: &str,
        _settings: &Settings,
        _allowance: &Allowance,
        _reporter: &Reporter<'_>,
    ) -> Result<Readiness, String> {
        Ok(Readiness::Ready)
    }

    /// What is to be asked for next.
    fn wanted(&self) -> Wanted {
        Wanted::ALL
    }

    /// How many bytes, and of which version (its tag), need not be asked for again.
    fn held(&self) -> (u64, u64) {
        (0, 0)
    }

    /// The contents of `name` are about to come. Of memory that many share, `room` bytes are free.
    fn begin(&mut self, name: Shown<'_>, incoming: &Incoming, room: u64) -> Result<(), Abort>;

    fn write(&mut self, bytes: &[u8], reporter: &mut Reporter<'_>) -> Result<(), Abort>;

    /// What was written last of a segment is proven, by its digest.
    fn verified(
        &mut self,
        _segment: Range<u64>,
        _digest: &Digest,
        _reporter: &mut Reporter<'_>,
    ) -> Result<(), Abort> {
        Ok(())
    }

    /// The server has this digest of a segment, which was asked for.
    fn digest(&mut self, _segment: Range<u64>, _digest: &Digest) -> Result<(), Abort> {
        Ok(())
    }

    /// The answer is complete.
    fn completed(&mut self) -> Result<Next, Abort> {
        Ok(Next::Done)
    }

    /// The connection is gone: makes certain what is held.
    fn settle(&mut self) {}

    /// What becomes of it if the rest never comes, in words.
    fn kept(&self) -> String {
        "try again".to_owned()
    }

    /// Whether something was written that the plain form cannot go on with.
    fn is_half_written(&self) -> bool {
        false
    }
}
