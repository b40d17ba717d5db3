//! Flood control: so many lines a second, over a burst.

use crate::time::{Duration, Instant};

/// Limits how fast lines are said: so many a second, over a burst, by the generic cell rate algorithm
/// (ITU-T I.371), which is a token bucket kept in one instant.
///
/// A room refuses what is over it. A client that keeps to the same loses nothing, provided that no more than
/// four of its source talk, and that it holds some lines of the burst back: on the way, lines that left one
/// by one may come to arrive together.
///
/// ```
/// use barewire_core::chat::RateLimiter;
/// use barewire_core::time::{Duration, Instant};
///
/// let (mut limiter, now) = (RateLimiter::new(), Instant::ZERO);
/// for _ in 0..3 {
///     assert!(limiter.next_allowed(10, 3) <= now);
///     limiter.record(now, 10);
/// }
/// assert_eq!(limiter.next_allowed(10, 3), now + Duration::from_millis(100));
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
    /// Of somebody who has said nothing.
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
        self.record_many(now, rate, 1);
    }

    /// As many lines are said at `now`.
    pub(super) fn record_many(&mut self, now: Instant, rate: u32, count: u32) {
        if let Some(interval) = interval(rate) {
            self.due =
                self.due.max(now) + Duration::from_micros(interval.saturating_mul(count.into()));
        }
    }

    /// Whether at `now` it is as if nothing had ever been said.
    pub(super) fn is_idle(self, now: Instant) -> bool {
        self.due <= now
    }
}

/// From one line to the next, in microseconds.
fn interval(rate: u32) -> Option<u64> {
    1_000_000_u32.checked_div(rate).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::super::config::{DEFAULT_LINE_BURST as BURST, DEFAULT_LINE_RATE as RATE};
    use super::*;

    /// Whether a line passes at `now`; if so, it is recorded.
    fn passes(limiter: &mut RateLimiter, now: Instant, rate: u32) -> bool {
        let passes = limiter.next_allowed(rate, BURST) <= now;
        if passes {
            limiter.record(now, rate);
        }
        passes
    }

    #[test]
    fn a_paste_passes_and_a_flood_does_not() {
        let (mut member, now) = (RateLimiter::new(), Instant::from_millis(5_000));
        assert!((0..BURST).all(|_| passes(&mut member, now, 10)));
        assert!(!passes(&mut member, now, 10));
        // One more is due after a tenth of a second.
        let later = now + Duration::from_millis(100);
        assert!(passes(&mut member, later, 10) && !passes(&mut member, later, 10));
    }

    #[test]
    fn what_counts_as_several_is_waited_for_as_long() {
        let (mut member, now) = (RateLimiter::new(), Instant::from_millis(5_000));
        assert!(member.is_idle(now));
        member.record_many(now, 10, BURST + 4);
        let settled = now + Duration::from_millis(100 * u64::from(BURST + 4));
        assert!(!member.is_idle(settled - Duration::from_micros(1)) && member.is_idle(settled));
        assert_eq!(member.next_allowed(10, BURST), now + Duration::from_millis(500));
    }

    #[test]
    fn the_sustained_rate_passes_for_ever_and_no_rate_is_no_limit() {
        let mut member = RateLimiter::new();
        for tenth in 0..2_000 {
            assert!(passes(&mut member, Instant::from_millis(100 * tenth), 10));
        }
        assert!((0..2_000).all(|_| passes(&mut member, Instant::ZERO, 0)));
    }

    #[test]
    fn who_keeps_the_pace_is_never_refused_though_lines_come_together_on_the_way() {
        const IN_HAND: u32 = 10;
        let (mut limiter, mut member) = (RateLimiter::new(), RateLimiter::new());
        let mut now = Instant::from_millis(777);
        for number in 0..1_000 {
            now = now.max(limiter.next_allowed(RATE, BURST - IN_HAND));
            limiter.record(now, RATE);
            // What is said within a second arrives at its end.
            let arrives = Instant::from_millis((now.as_micros() / 1_000_000 + 1) * 1_000);
            assert!(passes(&mut member, arrives, RATE), "line {number}");
        }
        // Ninety at once, and the rest at the rate.
        assert_eq!(now, Instant::from_millis(777 + 91_000));
    }
}
