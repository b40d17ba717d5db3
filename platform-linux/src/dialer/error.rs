//! Why there is no connection.

use core::error::Error;
use core::fmt;
use std::io;
use std::sync::Arc;

use barewire_core::time::Duration;

use crate::address::Family;
use crate::resolve::UnknownHost;

/// Why no connection to a host could be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum DialError {
    /// It has no address, or could not be looked up.
    UnknownHost(Arc<UnknownHost>),
    /// Looking it up took longer than the limit.
    LookupTimedOut {
        /// The host's name.
        host: Arc<str>,
        /// How long it was waited for.
        limit: Duration,
    },
    /// It has addresses, but none of the family that was asked for.
    NoAddress {
        /// The host's name, or its address.
        host: Arc<str>,
        /// The family.
        family: Family,
    },
    /// None of its addresses could be connected to.
    Unreached {
        /// How many were tried.
        tried: usize,
        /// Why the last attempt failed: [`TimedOut`](io::ErrorKind::TimedOut) at the limit.
        last: io::Error,
    },
}

impl DialError {
    /// What kind of error it is: that of the last attempt, if there was one.
    pub fn kind(&self) -> io::ErrorKind {
        match self {
            Self::UnknownHost(unknown) => unknown.error.kind(),
            Self::LookupTimedOut { .. } => io::ErrorKind::TimedOut,
            Self::NoAddress { .. } => io::ErrorKind::AddrNotAvailable,
            Self::Unreached { last, .. } => last.kind(),
        }
    }
}

impl fmt::Display for DialError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownHost(unknown) => unknown.fmt(f),
            Self::LookupTimedOut { host, limit } => {
                write!(f, "cannot look up '{host}': no answer in {limit}")
            }
            Self::NoAddress { host, family } => write!(f, "'{host}' has no {family} address"),
            Self::Unreached { tried: 0 | 1, last } => last.fmt(f),
            Self::Unreached { tried, last } => write!(f, "{tried} addresses, the last: {last}"),
        }
    }
}

impl Error for DialError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::UnknownHost(unknown) => Some(unknown),
            Self::Unreached { last, .. } => Some(last),
            Self::LookupTimedOut { .. } | Self::NoAddress { .. } => None,
        }
    }
}
