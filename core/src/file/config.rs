//! The limits of a connection.

use crate::text::DEFAULT_QUIET;
use crate::time::Duration;

/// How long a request, or the first byte of its answer, may be waited for.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long contents may make no progress.
pub const DEFAULT_STALL: Duration = Duration::from_secs(30);

/// The limits of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct TransferConfig {
    /// The quiet period that ends a plain name without a terminator; [`DEFAULT_QUIET`] by default.
    pub quiet: Duration,
    /// How long a server waits for a request to be complete, and a client for an answer to begin;
    /// [`DEFAULT_TIMEOUT`] by default.
    pub timeout: Duration,
    /// How long contents may make no progress; [`DEFAULT_STALL`] by default.
    pub stall: Duration,
}

impl TransferConfig {
    /// The limits by default.
    pub const fn new() -> Self {
        Self { quiet: DEFAULT_QUIET, timeout: DEFAULT_TIMEOUT, stall: DEFAULT_STALL }
    }

    /// The same, with another [`quiet`](Self::quiet).
    #[must_use]
    pub const fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// The same, with another [`timeout`](Self::timeout).
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, with another [`stall`](Self::stall).
    #[must_use]
    pub const fn with_stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }
}

impl Default for TransferConfig {
    fn default() -> Self {
        Self::new()
    }
}
