//! Why a conversation over a link fails.

use core::error::Error;
use core::fmt;
use std::io;

use barewire_core::driver::DriveError;
use barewire_core::secure::{ChannelError, SecuredError};

/// Why a conversation failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum LinkError<E> {
    /// The session failed: by what the peer said, or did not say in time.
    Session(E),
    /// The connection broke: it was reset, is unreachable, timed out. A file that cannot be read, on a damaged
    /// disk say, is told here too, in words that say so.
    Connection(io::Error),
    /// The channel failed, of a link that [has one](super::Link::with_channel).
    Channel(ChannelError),
    /// The contents ended before what was to be sent of them, or there are none.
    Contents,
    /// The conversation was over for the session, but its last bytes did not leave in time.
    Stalled,
}

impl<E> LinkError<E> {
    /// Without a channel.
    pub(super) fn plain(error: DriveError<E, io::Error>) -> Self {
        Self::new(error, Self::Session)
    }

    /// With one.
    pub(super) fn keyed(error: DriveError<SecuredError<E>, io::Error>) -> Self {
        Self::new(error, |error| match error {
            SecuredError::Channel(error) => Self::Channel(error),
            SecuredError::Session(error) => Self::Session(error),
        })
    }

    fn new<S>(error: DriveError<S, io::Error>, session: impl FnOnce(S) -> Self) -> Self {
        match error {
            DriveError::Session(error) => session(error),
            DriveError::Connection(error) => Self::Connection(error),
            DriveError::Contents => Self::Contents,
            DriveError::Stalled => Self::Stalled,
            // A link's events cannot give it up.
            _ => Self::Connection(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl<E: fmt::Display> fmt::Display for LinkError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
            Self::Channel(error) => error.fmt(f),
            Self::Contents => f.write_str("the contents to send cannot be read"),
            Self::Stalled => f.write_str("the peer does not take the last bytes"),
        }
    }
}

impl<E: Error + 'static> Error for LinkError<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(error) => error.source(),
            Self::Connection(error) => error.source(),
            Self::Channel(_) | Self::Contents | Self::Stalled => None,
        }
    }
}

/// Whether an error is how a peer's close is seen that has not taken what was sent to it.
pub(super) fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe)
}
