//! Why a conversation over a link failed.

use core::error::Error;
use core::fmt;
use std::io;

/// Why a conversation failed: by the session's own rules, or because the connection broke.
#[derive(Debug)]
pub enum Fault<E> {
    /// The session gave up, with its own reason.
    Session(E),
    /// The connection could not be made or broke: reset, unreachable, timed out.
    Connection(io::Error),
}

impl<E: fmt::Display> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session(error) => error.fmt(f),
            Self::Connection(error) => error.fmt(f),
        }
    }
}

impl<E: Error + 'static> Error for Fault<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Session(error) => error.source(),
            Self::Connection(error) => error.source(),
        }
    }
}
