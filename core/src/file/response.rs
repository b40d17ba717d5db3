//! What a server answers.

use core::fmt;

/// Why a server does not send what was asked for: the statuses other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refusal {
    /// 1: there is nothing of that name.
    NotFound = 1,
    /// 2: what it names is not given out, or no name could be.
    Refused = 2,
    /// 3: the request was malformed, its name too long, or its range cuts a segment. The server closes.
    Malformed = 3,
    /// 4: the server does not know this version or operation. The server closes.
    NotSupported = 4,
    /// 5: the server has too much to do, perhaps for this client alone; later it may work.
    Busy = 5,
    /// 6: the server could not read it.
    Failed = 6,
    /// 7: the offset lies beyond the end.
    PastEnd = 7,
}

impl Refusal {
    const ALL: [Self; 7] = [
        Self::NotFound,
        Self::Refused,
        Self::Malformed,
        Self::NotSupported,
        Self::Busy,
        Self::Failed,
        Self::PastEnd,
    ];

    pub(super) fn of_status(status: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.status() == status)
    }

    /// The status on the wire.
    pub const fn status(self) -> u8 {
        self as u8
    }

    /// Whether the server closes after it, since it need not know where the next request begins.
    pub const fn closes(self) -> bool {
        matches!(self, Self::Malformed | Self::NotSupported)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFound => "not found",
            Self::Refused => "refused",
            Self::Malformed => "malformed request",
            Self::NotSupported => "not supported",
            Self::Busy => "the server is busy",
            Self::Failed => "the server cannot read it",
            Self::PastEnd => "the offset is past the end",
        })
    }
}

impl core::error::Error for Refusal {}

/// What a server is about to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ResponseHeader {
    /// Where the contents start: as was wanted, or 0 if the version held is not the server's.
    pub offset: u64,
    /// How many bytes of the file the contents are, or their digests are of.
    pub length: u64,
    /// The size of the whole file in bytes.
    pub size: u64,
    /// The mark of the file's version, never 0.
    pub tag: u64,
    /// When the file was last modified, in nanoseconds since the start of 1970, UTC.
    pub modified: i64,
    /// Whether each segment is followed by its digest.
    pub verified: bool,
}

/// What a server has to [offer](super::Sender::offer).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Offer {
    /// The size of the whole file in bytes.
    pub size: u64,
    /// The mark of the file's version, which is another one as soon as anything about the file has
    /// changed. 0, which means none, becomes 1.
    pub tag: u64,
    /// When the file was last modified, in nanoseconds since the start of 1970, UTC; 0 if that is not
    /// known.
    pub modified: i64,
}
