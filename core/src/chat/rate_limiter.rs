//! Flood control: so many lines a second, over a burst.

use super::config::DEFAULT_LINE_BURST;
use crate::time::{Duration, Instant};

/// The account of who says lines: so many a second, over a burst, by the generic cell rate algorithm.
/// One instant tells all.
///
/// A room refuses what is over it. A client that keeps to the same loses nothing, provided that it
/// holds some lines of the burst back: on the way, lines that left one by one may come to arrive
/// together.
///
/// ```
/// use barewire_core::chat::RateLimiter;
/// use barewire_core::time::{Duration, Instant};
///
/// let (mut pace, now) = (RateLimiter::new(), Instant::ZERO);
/// for _ in 0..3 {
///     assert!(pace.next_allowed(10, 3) <= now);
///     pace.record(now, 10);
/// }
/// assert_eq!(pace.next_allowed(10, 3), now + Duration::from_millis(100));
/// ```
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RateLimiter {
    /// When the lines said so far would all have been due at the sustained rate.
    due: Instant,
}

impl Default for RateLimiter {
    fn default() -> Self {
        Self::new()
    }
}

impl RateLimiter {
    /// The account of somebody who has said nothing.
    pub const fn new() -> Self {
        Self { due: Instant::ZERO }
    }

    /// When the next line may be said: `burst` of them at once, and `rate` a second in the long run.
    /// With a rate of 0, for no limit, that is always.
    pub fn next_allowed(&self, rate: u32, burst: u32) -> Instant {
        let Some(interval) = interval(rate) else { return Instant::ZERO };
        self.due - Duration::from_micros(interval.saturating_mul(burst.saturating_sub(1).into()))
    }

    /// A line is said at `now`.
    pub fn record(&mut self, now: Instant, rate: u32) {
        if let Some(interval) = interval(rate) {
            self.due = self.due.max(now) + Duration::from_micros(interval);
        }
    }
}

/// From one line to the next, in microseconds.
fn interval(rate: u32) -> Option<u64> {
    1_000_000_u32.checked_div(rate).map(u64::from)
}

/// A member's account.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineLimiter {
    pace: RateLimiter,
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

impl LineLimiter {
    pub(super) const fn new() -> Self {
        Self { pace: RateLimiter::new(), note: Instant::ZERO }
    }

    /// Judges a line said at `now`; `rate` lines a second, 0 for no limit.
    pub(super) fn judge(&mut self, now: Instant, rate: u32) -> Verdict {
        if self.pace.next_allowed(rate, DEFAULT_LINE_BURST) <= now {
            self.pace.record(now, rate);
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
        let (mut account, now) = (LineLimiter::new(), Instant::from_millis(5_000));
        for _ in 0..DEFAULT_LINE_BURST {
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
        let mut account = LineLimiter::new();
        for tenth in 0..2_000 {
            let now = Instant::from_millis(100 * tenth);
            assert_eq!(account.judge(now, 10), Verdict::Passes);
        }
        for _ in 0..2_000 {
            assert_eq!(account.judge(Instant::ZERO, 0), Verdict::Passes);
        }
    }

    #[test]
    fn who_keeps_the_pace_is_never_refused_though_lines_come_together_on_the_way() {
        use crate::chat::DEFAULT_LINE_RATE;
        const IN_HAND: u32 = 10;
        let (mut pace, mut account) = (RateLimiter::new(), LineLimiter::new());
        let mut now = Instant::from_millis(777);
        for number in 0..1_000 {
            now = now.max(pace.next_allowed(DEFAULT_LINE_RATE, DEFAULT_LINE_BURST - IN_HAND));
            pace.record(now, DEFAULT_LINE_RATE);
            // What is said within a second arrives at its end.
            let arrives = Instant::from_millis((now.as_micros() / 1_000_000 + 1) * 1_000);
            assert_eq!(account.judge(arrives, DEFAULT_LINE_RATE), Verdict::Passes, "line {number}");
        }
        // Ninety at once, and the rest at the rate.
        assert_eq!(now, Instant::from_millis(777 + 91_000));
    }
}
