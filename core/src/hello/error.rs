//! How a handshake fails.

use core::fmt;

use crate::text::TextReaderError;

/// How a handshake fails: each is the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum HandshakeError {
    /// The peer ended its stream without sending anything.
    Silent,
    /// The peer's text is longer than the machine's capacity.
    TooLong,
    /// The peer did not say its text, or did not take ours, within the [time-out].
    ///
    /// [time-out]: super::HandshakeConfig::timeout
    TimedOut,
    /// Both have spoken, but the server did not end its stream within the [time-out], so there is no
    /// sign that it took the answer.
    ///
    /// [time-out]: super::HandshakeConfig::timeout
    Unclosed,
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "the peer closed without sending anything",
            Self::TooLong => "the peer's text is too long",
            Self::TimedOut => "timed out",
            Self::Unclosed => "timed out waiting for the peer to close",
        })
    }
}

impl core::error::Error for HandshakeError {}

impl From<TextReaderError> for HandshakeError {
    fn from(error: TextReaderError) -> Self {
        match error {
            TextReaderError::TooLong => Self::TooLong,
        }
    }
}
