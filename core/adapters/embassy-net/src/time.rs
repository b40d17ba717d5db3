//! The time that embassy goes by, and times and spans of the core as embassy-time has them, and back.

use core::future::pending;

use barewire_core::io::Timer;
use barewire_core::time::{Duration, Instant};

/// The time of embassy-time's driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock;

impl Timer for Clock {
    fn now(&self) -> Instant {
        from_instant(embassy_time::Instant::now())
    }

    async fn wait_until(&mut self, at: Instant) {
        match to_instant(at) {
            Some(at) => embassy_time::Timer::at(at).await,
            None => pending().await,
        }
    }
}

/// A time of the core for embassy-time; `None`: it is later than its ticks can tell.
pub fn to_instant(at: Instant) -> Option<embassy_time::Instant> {
    embassy_time::Instant::try_from_micros(at.as_micros())
}

/// A time of embassy-time for the core.
pub fn from_instant(at: embassy_time::Instant) -> Instant {
    Instant::from_micros(at.as_micros())
}

/// A span of the core for embassy-time; `None`: it is longer than its ticks can tell.
pub fn to_duration(span: Duration) -> Option<embassy_time::Duration> {
    embassy_time::Duration::try_from_micros(span.as_micros())
}

/// A span of embassy-time for the core.
pub fn from_duration(span: embassy_time::Duration) -> Duration {
    Duration::from_micros(span.as_micros())
}
