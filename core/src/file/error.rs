//! How a transfer fails, on each side.

use core::fmt;

/// How a conversation fails: each is the client's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SenderError {
    /// The client ended its stream in the middle of a request.
    CutShort,
    /// No request was complete within [`TransferConfig::timeout`](super::TransferConfig::timeout).
    TimedOut,
    /// The client took less than [`TransferConfig::least_rate`](super::TransferConfig::least_rate),
    /// on average over [`TransferConfig::stall`](super::TransferConfig::stall).
    Stalled,
}

impl fmt::Display for SenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CutShort => "the request broke off",
            Self::TimedOut => "no request came in time",
            Self::Stalled => "the client took too little for too long",
        })
    }
}

impl core::error::Error for SenderError {}

/// Why a request cannot be made: each is the caller's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum RequestError {
    /// The name is longer than [`MAX_NAME`](super::MAX_NAME), or can never fit in the machine.
    TooLong,
    /// Too much is unanswered already: ask again after the next answer is complete.
    Full,
    /// After [`Receiver::finish`](super::Receiver::finish), or after the server has ended its stream.
    Finished,
    /// Digests are of whole segments, and its offset or the end of its range is in the middle of one.
    CutsSegment,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the name is too long",
            Self::Full => "too many requests are unanswered",
            Self::Finished => "the conversation is ending",
            Self::CutsSegment => "the range cuts a segment",
        })
    }
}

impl core::error::Error for RequestError {}

/// How a download fails: each is the server's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ReceiverError {
    /// The server closed, or spoke otherwise, where the first answer should have begun: it knows the
    /// plain form only, perhaps.
    NotFramed,
    /// The server sent nothing at all. In the plain form that may also mean an empty file.
    Nothing,
    /// The server ended its stream before all was sent.
    CutShort,
    /// The server speaks another version of the framed form.
    OtherVersion,
    /// The header of the answer is not as it was sent, or answers something else: its check is wrong.
    DamagedHeader,
    /// The answer makes no sense, or does not end where it said.
    Malformed,
    /// Digests were asked for, and the answer has none.
    Unverified,
    /// The digest is not that of the contents.
    Corrupt,
    /// The answer did not begin within [`TransferConfig::timeout`](super::TransferConfig::timeout).
    TimedOut,
    /// Less than [`TransferConfig::least_rate`](super::TransferConfig::least_rate) came, on average
    /// over [`TransferConfig::stall`](super::TransferConfig::stall).
    Stalled,
    /// All bytes have come, but the server did not end its stream in time, so nothing shows that it
    /// had no more to say.
    Unclosed,
}

impl fmt::Display for ReceiverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFramed => "the server does not know the framed form",
            Self::Nothing => "the server sent nothing",
            Self::CutShort => "the server closed before all was sent",
            Self::OtherVersion => "the server speaks another version",
            Self::DamagedHeader => "the server's answer was damaged on its way",
            Self::Malformed => "the server's answer makes no sense",
            Self::Unverified => "the server's answer has no digests",
            Self::Corrupt => "the contents do not match their digest",
            Self::TimedOut => "the server did not answer in time",
            Self::Stalled => "too little came for too long",
            Self::Unclosed => "the server did not close",
        })
    }
}

impl core::error::Error for ReceiverError {}
