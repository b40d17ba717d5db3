//! The pause of a task that takes what comes, when the system has run out of something.

use std::io;

use barewire_core::time::{Duration, Instant};

pub(crate) const DURATION: Duration = Duration::from_millis(100);

/// Keeps a task from trying again at once what has just failed, and from telling it again and again.
#[derive(Debug, Default)]
pub(crate) struct ErrorPause {
    until: Option<Instant>,
    /// The reason has been told, and nothing has succeeded since.
    told: bool,
}

impl ErrorPause {
    /// Something failed: a pause begins. Gives `error` back if it is to be told.
    pub(crate) fn begin(&mut self, now: Instant, error: io::Error) -> Option<io::Error> {
        self.until = Some(now + DURATION);
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
        let mut pause = ErrorPause::default();
        let (start, end) = (Instant::ZERO, Instant::ZERO + DURATION);
        let error = || io::Error::from(io::ErrorKind::OutOfMemory);
        assert!(!pause.lasts(start) && pause.until().is_none());
        assert!(pause.begin(start, error()).is_some());
        assert!(pause.lasts(start) && pause.until() == Some(end));
        assert!(!pause.lasts(end) && pause.until().is_none());
        assert!(pause.begin(end, error()).is_none() && pause.lasts(end));
        pause.forget();
        assert!(!pause.lasts(end));
        assert!(pause.begin(end, error()).is_some());
    }
}
