//! Time as the machines see it: given by the caller, never read from a clock.
//!
//! Both types count whole microseconds in a `u64`, so a microcontroller computes with them in two
//! registers, and a clock that starts at zero lasts 584,000 years. Every operation saturates: time
//! arithmetic cannot panic and a deadline cannot wrap into the past.

pub(crate) mod deadline;

use core::fmt;
use core::ops::{Add, AddAssign, Div, Mul, Sub, SubAssign};

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
        Self::ZERO.saturating_add(Duration::from_millis(millis))
    }

    /// The instant `secs` seconds after the clock's origin.
    pub const fn from_secs(secs: u64) -> Self {
        Self::ZERO.saturating_add(Duration::from_secs(secs))
    }

    /// Microseconds since the clock's origin.
    pub const fn as_micros(self) -> u64 {
        self.micros
    }

    /// Whole milliseconds since the clock's origin, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.micros / 1_000
    }

    /// The time from `earlier` to `self`; zero if `earlier` is later.
    pub const fn duration_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.micros.saturating_sub(earlier.micros))
    }

    /// The time from `earlier` to `self`; `None` if `earlier` is later.
    pub const fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        match self.micros.checked_sub(earlier.micros) {
            Some(micros) => Some(Duration::from_micros(micros)),
            None => None,
        }
    }

    /// The instant when `span` has passed: a deadline. `None` if it never comes: it is not before
    /// the last instant that there is. So [`Duration::MAX`] as a time-out is always "never".
    pub const fn checked_add(self, span: Duration) -> Option<Self> {
        match self.micros.checked_add(span.micros) {
            Some(micros) if micros < u64::MAX => Some(Self { micros }),
            _ => None,
        }
    }

    /// The instant `span` before; `None` if that is before the clock's origin.
    pub const fn checked_sub(self, span: Duration) -> Option<Self> {
        match self.micros.checked_sub(span.micros) {
            Some(micros) => Some(Self { micros }),
            None => None,
        }
    }

    /// As `+`: the instant `span` later, or the last there is.
    #[must_use]
    pub const fn saturating_add(self, span: Duration) -> Self {
        Self { micros: self.micros.saturating_add(span.micros) }
    }

    /// As `-`: the instant `span` before, or the clock's origin.
    #[must_use]
    pub const fn saturating_sub(self, span: Duration) -> Self {
        Self { micros: self.micros.saturating_sub(span.micros) }
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        self.saturating_add(span)
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
        self.saturating_sub(span)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, span: Duration) {
        *self = *self - span;
    }
}

/// As [`Instant::duration_since`].
impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.duration_since(earlier)
    }
}

/// The instant at which so much has passed since the clock's origin, rounded down, so that what is
/// read from a finer clock never lies in its future:
///
/// ```
/// use barewire_core::time::Instant;
///
/// let start = std::time::Instant::now();
/// let now = || Instant::from(start.elapsed());
/// # assert!(now() < Instant::from_secs(60));
/// ```
impl From<core::time::Duration> for Instant {
    fn from(since_origin: core::time::Duration) -> Self {
        Self::from_secs(since_origin.as_secs())
            + Duration::from_micros(since_origin.subsec_micros().into())
    }
}

/// The time since the clock's origin.
impl From<Instant> for core::time::Duration {
    fn from(instant: Instant) -> Self {
        Self::from_micros(instant.micros)
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
    /// The longest span: as a time-out it means "never" ([`Instant::checked_add`]).
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

    /// Whether it is no time.
    pub const fn is_zero(self) -> bool {
        self.micros == 0
    }

    /// The span in microseconds.
    pub const fn as_micros(self) -> u64 {
        self.micros
    }

    /// The span in whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.micros / 1_000
    }

    /// The span in whole milliseconds, rounded up: what a timer of that resolution must wait.
    pub const fn as_millis_ceil(self) -> u64 {
        self.micros.div_ceil(1_000)
    }

    /// The span in whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.micros / 1_000_000
    }

    /// Both spans after each other; `None` if that is more than [`MAX`](Self::MAX).
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.micros.checked_add(other.micros) {
            Some(micros) => Some(Self { micros }),
            None => None,
        }
    }

    /// What is left of it without `other`; `None` if `other` is longer.
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        match self.micros.checked_sub(other.micros) {
            Some(micros) => Some(Self { micros }),
            None => None,
        }
    }

    /// As `+`: both spans after each other, or [`MAX`](Self::MAX).
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self { micros: self.micros.saturating_add(other.micros) }
    }

    /// As `-`: what is left of it without `other`, or no time.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self { micros: self.micros.saturating_sub(other.micros) }
    }

    /// As `*`: so many times the span, or [`MAX`](Self::MAX).
    #[must_use]
    pub const fn saturating_mul(self, factor: u32) -> Self {
        Self { micros: self.micros.saturating_mul(factor as u64) }
    }
}

impl Add for Duration {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        self.saturating_add(other)
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Duration {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self.saturating_sub(other)
    }
}

impl SubAssign for Duration {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

impl Mul<u32> for Duration {
    type Output = Self;

    fn mul(self, factor: u32) -> Self {
        self.saturating_mul(factor)
    }
}

/// Rounded down. A span that is divided by 0 is [`Duration::MAX`].
impl Div<u32> for Duration {
    type Output = Self;

    fn div(self, divisor: u32) -> Self {
        self.micros.checked_div(divisor.into()).map_or(Self::MAX, Self::from_micros)
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
mod tests;
