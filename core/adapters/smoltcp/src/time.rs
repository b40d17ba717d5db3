//! Times and spans of the core as smoltcp has them, and back.

use barewire_core::time::{Duration, Instant};

/// A time of the core for smoltcp, which counts as far as 292,000 years.
pub fn to_instant(at: Instant) -> smoltcp::time::Instant {
    smoltcp::time::Instant::from_micros(i64::try_from(at.as_micros()).unwrap_or(i64::MAX))
}

/// A time of smoltcp for the core. One before the clock's origin becomes that.
pub fn from_instant(at: smoltcp::time::Instant) -> Instant {
    Instant::from_micros(u64::try_from(at.total_micros()).unwrap_or(0))
}

/// A span of the core for smoltcp.
pub const fn to_duration(span: Duration) -> smoltcp::time::Duration {
    smoltcp::time::Duration::from_micros(span.as_micros())
}

/// A span of smoltcp for the core.
pub const fn from_duration(span: smoltcp::time::Duration) -> Duration {
    Duration::from_micros(span.total_micros())
}
