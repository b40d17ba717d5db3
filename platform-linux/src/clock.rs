//! The clock: where `barewire-core`'s [`Instant`]s come from.

use std::time;

use barewire_core::time::Instant;

/// A monotonic clock that starts at [`Instant::ZERO`] when it is made.
///
/// It reads `CLOCK_MONOTONIC` (`clock_gettime(2)`), which never steps back, and which the vDSO
/// answers without a system call. Copies share their origin, so their instants can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: time::Instant,
}

impl Clock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self { origin: time::Instant::now() }
    }

    /// The time since the clock was started.
    pub fn now(&self) -> Instant {
        Instant::from(self.origin.elapsed())
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::start()
    }
}

/// What an executor reads and waits by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum TimeSource {
    /// The system's.
    Real(Clock),
    /// A test's: it stands still while anything is ready, and jumps to the next deadline when
    /// nothing is.
    #[cfg(test)]
    Simulated(Instant),
}

impl TimeSource {
    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::Real(clock) => clock.now(),
            #[cfg(test)]
            Self::Simulated(now) => *now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_tell_the_same_time_and_it_never_goes_back() {
        let clock = Clock::start();
        let copy = clock;
        let first = clock.now();
        let second = copy.now();
        assert!(first <= second && second <= clock.now());
    }
}
