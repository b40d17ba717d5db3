//! Flood control: so many lines a second, over a burst.

use super::BURST;
use crate::time::{Duration, Instant};

/// A member's account, by the generic cell rate algorithm: one instant tells all.
#[derive(Clone, Copy, Debug)]
pub(super) struct Account {
    /// When the lines said so far would all have been due at the sustained rate.
    due: Instant,
    /// When the next note about refused lines may be sent.
    note: Instant,
}

/// How a line is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passes,
    /// It is refused, and the member is to be told.
    Noted,
    /// It is refused.
    Refused,
}

/// How long a member is not told again.
const NOTES: Duration = Duration::from_secs(1);

impl Account {
    pub(super) const fn new() -> Self {
        Self { due: Instant::ZERO, note: Instant::ZERO }
    }

    /// Judges a line said at `now`; `rate` lines a second, 0 for no limit.
    pub(super) fn judge(&mut self, now: Instant, rate: u32) -> Verdict {
        let Some(interval) = 1_000_000_u64.checked_div(rate.into()) else {
            return Verdict::Passes;
        };
        let due = self.due.max(now);
        let burst = interval.saturating_mul(BURST.saturating_sub(1).into());
        if due.since(now) <= Duration::from_micros(burst) {
            self.due = due + Duration::from_micros(interval);
            return Verdict::Passes;
        }
        if now < self.note {
            return Verdict::Refused;
        }
        self.note = now + NOTES;
        Verdict::Noted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paste_passes_and_a_flood_does_not() {
        let (mut account, now) = (Account::new(), Instant::from_millis(5_000));
        for _ in 0..BURST {
            assert_eq!(account.judge(now, 10), Verdict::Passes);
        }
        assert_eq!(account.judge(now, 10), Verdict::Noted);
        assert_eq!(account.judge(now, 10), Verdict::Refused);
        // One more is due after a tenth of a second, and one note a second.
        let later = now + Duration::from_millis(100);
        assert_eq!(account.judge(later, 10), Verdict::Passes);
        assert_eq!(account.judge(later, 10), Verdict::Refused);
        let later = now + NOTES;
        for _ in 0..9 {
            assert_eq!(account.judge(later, 10), Verdict::Passes);
        }
        assert_eq!(account.judge(later, 10), Verdict::Noted);
    }

    #[test]
    fn the_sustained_rate_passes_for_ever_and_no_rate_is_no_limit() {
        let mut account = Account::new();
        for tenth in 0..2_000 {
            let now = Instant::from_millis(100 * tenth);
            assert_eq!(account.judge(now, 10), Verdict::Passes);
        }
        for _ in 0..2_000 {
            assert_eq!(account.judge(Instant::ZERO, 0), Verdict::Passes);
        }
    }
}
