//! When joins and leaves are told one by one, and when together.

use super::rate_limiter::RateLimiter;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// So many joins and leaves are told one by one at once, and so many a second in the long run.
const BURST: u32 = 20;
const RATE: u32 = 1;

/// For how long those are gathered that come thicker.
pub(super) const GATHERED_FOR: Duration = Duration::from_secs(1);

/// The joins and leaves that are not told yet.
#[derive(Debug)]
pub(super) struct MembershipNotices {
    told: RateLimiter,
    pub(super) joined: u32,
    pub(super) left: u32,
    /// When they are told together.
    pub(super) due: Deadline,
}

/// Who is told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    Joined,
    Left,
}

impl MembershipNotices {
    pub(super) const fn new() -> Self {
        Self { told: RateLimiter::new(), joined: 0, left: 0, due: Deadline::NEVER }
    }

    /// Whether one may be told by itself: none of those before it waits.
    pub(super) fn may_tell(&self, now: Instant) -> bool {
        self.joined == 0 && self.left == 0 && self.told.next_allowed(RATE, BURST) <= now
    }

    /// A notice is written.
    pub(super) fn record(&mut self, now: Instant) {
        self.told.record(now, RATE);
    }

    /// One is told with others. Whether it is the first of them, so that a time is set for that.
    pub(super) fn gather(&mut self, now: Instant, what: Move) -> bool {
        let is_first = self.joined == 0 && self.left == 0;
        if is_first {
            self.due = Deadline::after(now, GATHERED_FOR);
        }
        let count = match what {
            Move::Joined => &mut self.joined,
            Move::Left => &mut self.left,
        };
        *count = count.saturating_add(1);
        is_first
    }

    /// All have been told.
    pub(super) fn clear(&mut self, now: Instant) {
        self.record(now);
        (self.joined, self.left, self.due) = (0, 0, Deadline::NEVER);
    }
}
