//! A ban, and where it is on.

use std::fmt;

use jiff::Timestamp;

/// A ban on a [source](barewire_core::source::Source) of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ban {
    /// `None`: until it is lifted.
    pub(super) until: Option<Timestamp>,
    /// Whom the operator meant by it.
    pub(super) nick: Option<String>,
}

impl Ban {
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// How long it holds: ` until 2026-11-29T21:00:00Z`, or nothing.
impl fmt::Display for Ban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.until.map_or(Ok(()), |until| write!(f, " until {until:.0}"))
    }
}
