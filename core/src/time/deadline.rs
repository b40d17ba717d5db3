//! When a wait ends.

use super::{Duration, Instant};

/// When a wait ends, if ever. (An `Option<Instant>` takes twice the room, and more code.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Deadline {
    at: Instant,
}

impl Deadline {
    pub(crate) const NEVER: Self = Self { at: Instant::from_micros(u64::MAX) };

    pub(crate) const fn after(now: Instant, span: Duration) -> Self {
        Self { at: now.saturating_add(span) }
    }

    pub(crate) fn is_reached(self, now: Instant) -> bool {
        self.at <= now && self != Self::NEVER
    }

    pub(crate) const fn instant(self) -> Option<Instant> {
        if self.at.as_micros() < u64::MAX { Some(self.at) } else { None }
    }
}
