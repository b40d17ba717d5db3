//! Flood control: so many lines a second, over a burst.

use crate::time::{Duration, Instant};

/// Limits how fast lines are said: so many a second, over a burst, by the generic cell rate algorithm
/// (ITU-T I.371), which is a token bucket kept in one instant.
///
/// A room refuses what is over it. A client that keeps to the same loses nothing, provided that it
/// holds some lines of the burst back: on the way, lines that left one by one may come to arrive
/// together.
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
        if let Some(interval) = interval(rate) {
            self.due = self.due.max(now) + Duration::from_micros(interval);
        }
    }
}

/// From one line to the next, in microseconds.
fn interval(rate: u32) -> Option<u64> {
    1_000_000_u32.checked_div(rate).map(u64::from)
}

/// Holds a member to its rate, and tells it so now and then.
#[derive(Clone, Copy, Debug)]
pub(super) struct LineLimiter {
    limiter: RateLimiter,
    /// When the next note about refused lines may be sent.
    next_note: Instant,
}

/// What becomes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Pass,
    /// It is refused, and the member is to be told.
    RefuseAloud,
    Refuse,
}

/// How long a member is not told again.
const NOTE_INTERVAL: Duration = Duration::from_secs(1);

impl LineLimiter {
    pub(super) const fn new() -> Self {
        Self { limiter: RateLimiter::new(), next_note: Instant::ZERO }
    }

    pub(super) fn check(&mut self, now: Instant, rate: u32, burst: u32) -> Decision {
        if self.limiter.next_allowed(rate, burst) <= now {
            self.limiter.record(now, rate);
            return Decision::Pass;
        }
        if now < self.next_note {
            return Decision::Refuse;
        }
        self.next_note = now + NOTE_INTERVAL;
        Decision::RefuseAloud
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::{DEFAULT_LINE_BURST as BURST, DEFAULT_LINE_RATE as RATE};
    use super::*;

    #[test]
    fn a_paste_passes_and_a_flood_does_not() {
        let (mut member, now) = (LineLimiter::new(), Instant::from_millis(5_000));
        for _ in 0..BURST {
            assert_eq!(member.check(now, 10, BURST), Decision::Pass);
        }
        assert_eq!(member.check(now, 10, BURST), Decision::RefuseAloud);
        assert_eq!(member.check(now, 10, BURST), Decision::Refuse);
        // One more is due after a tenth of a second, and one note a second.
        let later = now + Duration::from_millis(100);
        assert_eq!(member.check(later, 10, BURST), Decision::Pass);
        assert_eq!(member.check(later, 10, BURST), Decision::Refuse);
        let later = now + NOTE_INTERVAL;
        for _ in 0..9 {
            assert_eq!(member.check(later, 10, BURST), Decision::Pass);
        }
        assert_eq!(member.check(later, 10, BURST), Decision::RefuseAloud);
    }

    #[test]
    fn the_sustained_rate_passes_for_ever_and_no_rate_is_no_limit() {
        let mut member = LineLimiter::new();
        for tenth in 0..2_000 {
            let now = Instant::from_millis(100 * tenth);
            assert_eq!(member.check(now, 10, BURST), Decision::Pass);
        }
        for _ in 0..2_000 {
            assert_eq!(member.check(Instant::ZERO, 0, BURST), Decision::Pass);
        }
    }

    #[test]
    fn who_keeps_the_pace_is_never_refused_though_lines_come_together_on_the_way() {
        const IN_HAND: u32 = 10;
        let (mut limiter, mut member) = (RateLimiter::new(), LineLimiter::new());
        let mut now = Instant::from_millis(777);
        for number in 0..1_000 {
            now = now.max(limiter.next_allowed(RATE, BURST - IN_HAND));
            limiter.record(now, RATE);
            // What is said within a second arrives at its end.
            let arrives = Instant::from_millis((now.as_micros() / 1_000_000 + 1) * 1_000);
            assert_eq!(member.check(arrives, RATE, BURST), Decision::Pass, "line {number}");
        }
        // Ninety at once, and the rest at the rate.
        assert_eq!(now, Instant::from_millis(777 + 91_000));
    }
}
