//! The pause of a task that takes what comes, when the system has run out of something.

use std::io;

use barewire_core::time::{Duration, Instant};

pub(crate) const BACKOFF: Duration = Duration::from_millis(100);

/// Keeps a task from trying again at once what has just failed, and from telling it again and again.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    until: Option<Instant>,
    /// The reason has been told, and nothing has succeeded since.
    told: bool,
}

impl Backoff {
    /// Something failed: a pause begins. Gives `error` back if it is to be told.
    pub(crate) fn begin(&mut self, now: Instant, error: io::Error) -> Option<io::Error> {
        self.until = Some(now + BACKOFF);
        (!core::mem::replace(&mut self.told, true)).then_some(error)
    }

    /// Whether nothing is to be tried yet.
    pub(crate) fn lasts(&mut self, now: Instant) -> bool {
        self.until = self.until.filter(|&until| now < until);
        self.until.is_some()
    }

    /// When the pause is over, if there is one: a turn is wanted then.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    /// What had failed has succeeded.
    pub(crate) fn forget(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_told_once_until_something_succeeds() {
        let mut backoff = Backoff::default();
        let (start, end) = (Instant::ZERO, Instant::ZERO + BACKOFF);
        let error = || io::Error::from(io::ErrorKind::OutOfMemory);
        assert!(!backoff.lasts(start) && backoff.until().is_none());
        assert!(backoff.begin(start, error()).is_some());
        assert!(backoff.lasts(start) && backoff.until() == Some(end));
        assert!(!backoff.lasts(end) && backoff.until().is_none());
        assert!(backoff.begin(end, error()).is_none() && backoff.lasts(end));
        backoff.forget();
        assert!(!backoff.lasts(end));
        assert!(backoff.begin(end, error()).is_some());
    }
}
