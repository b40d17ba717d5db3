//! Time as the machines see it: given by the caller, never read from a clock.
//!
//! Both types count whole microseconds in a `u64`, so a microcontroller computes with them in two
//! registers, and a clock that starts at zero lasts 584,000 years. Every operation saturates: time
//! arithmetic cannot panic and a deadline cannot wrap into the past.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// A point on the caller's monotonic clock, in microseconds since a moment of the caller's choice.
///
/// All instants given to one machine must come from the same clock and must not go backwards; a
/// step back is harmless, but the time that it repeats counts twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Instant {
    micros: u64,
}

impl Instant {
    /// The clock's origin.
    pub const ZERO: Self = Self::from_micros(0);

    /// The instant `micros` microseconds after the clock's origin.
    pub const fn from_micros(micros: u64) -> Self {
        Self { micros }
    }

    /// The instant `millis` milliseconds after the clock's origin.
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// Microseconds since the clock's origin.
    pub const fn as_micros(self) -> u64 {
        self.micros
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros.saturating_sub(earlier.micros))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self::from_micros(self.micros.saturating_add(span.micros))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, span: Duration) -> Self {
        Self::from_micros(self.micros.saturating_sub(span.micros))
    }
}

/// A span of time in whole microseconds.
///
/// The standard [`core::time::Duration`] converts into this type (rounded up, so that a wait is
/// never cut short) and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Duration {
    micros: u64,
}

impl Duration {
    /// No time.
    pub const ZERO: Self = Self::from_micros(0);
    /// The longest span: as a time-out it means "never".
    pub const MAX: Self = Self::from_micros(u64::MAX);

    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self { micros }
    }

    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self::from_micros(millis.saturating_mul(1_000))
    }

    /// A span of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self::from_micros(secs.saturating_mul(1_000_000))
    }

    /// The span in microseconds.
    pub const fn as_micros(self) -> u64 {
        self.micros
    }

    /// The span in whole milliseconds, rounded up: what a timer of that resolution must wait.
    pub const fn as_millis_ceil(self) -> u64 {
        self.micros.div_ceil(1_000)
    }

    /// Twice the span: the next step of an exponential backoff.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self::from_micros(self.micros.saturating_mul(2))
    }
}

impl Add for Duration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::from_micros(self.micros.saturating_add(other.micros))
    }
}

impl From<core::time::Duration> for Duration {
    fn from(span: core::time::Duration) -> Self {
        let fraction = u64::from(span.subsec_nanos().div_ceil(1_000));
        Self::from_secs(span.as_secs()) + Self::from_micros(fraction)
    }
}

impl From<Duration> for core::time::Duration {
    fn from(span: Duration) -> Self {
        Self::from_micros(span.micros)
    }
}

/// Seconds with as many decimals as say something: `10 s`, `0.2 s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SECOND: u64 = 1_000_000;
        let (seconds, mut fraction) = (self.micros / SECOND, self.micros % SECOND);
        write!(f, "{seconds}")?;
        if fraction > 0 {
            f.write_str(".")?;
        }
        while fraction > 0 {
            fraction *= 10;
            write!(f, "{}", fraction / SECOND)?;
            fraction %= SECOND;
        }
        f.write_str(" s")
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        let end = Instant::from_micros(u64::MAX);
        assert_eq!(end + Duration::from_secs(1), end);
        assert_eq!(Instant::ZERO - Duration::MAX, Instant::ZERO);
        assert_eq!(Instant::ZERO.since(end), Duration::ZERO);
        assert_eq!(Duration::MAX.doubled(), Duration::MAX);
        assert_eq!(Duration::from_secs(u64::MAX), Duration::MAX);
    }

    #[test]
    fn instants_and_spans_add_up() {
        let (start, span) = (Instant::from_millis(7), Duration::from_micros(1_500));
        assert_eq!((start + span).as_micros(), 8_500);
        assert_eq!((start - span).as_micros(), 5_500);
        assert_eq!((start + span).since(start).as_micros(), 1_500);
        let mut moved = start;
        moved += span;
        assert_eq!(moved, start + span);
        assert_eq!((span + Duration::from_millis(1)).as_micros(), 2_500);
        assert_eq!(core::time::Duration::from(span), core::time::Duration::from_micros(1_500));
    }

    #[test]
    fn rounding_never_cuts_a_wait_short() {
        assert_eq!(Duration::from_micros(1).as_millis_ceil(), 1);
        assert_eq!(Duration::from_micros(2_001).as_millis_ceil(), 3);
        assert_eq!(Duration::from_micros(1_000).as_millis_ceil(), 1);
        assert_eq!(Duration::from(core::time::Duration::from_nanos(1)), Duration::from_micros(1));
        assert_eq!(Duration::from(core::time::Duration::MAX), Duration::MAX);
    }

    #[test]
    fn spans_read_as_a_person_writes_them() {
        assert_eq!(Duration::from_secs(10).to_string(), "10 s");
        assert_eq!(Duration::from_millis(200).to_string(), "0.2 s");
        assert_eq!(Duration::from_micros(1_000_050).to_string(), "1.00005 s");
    }
}
