//! The limits of a connection.

use crate::text::DEFAULT_QUIET;
use crate::time::Duration;

/// How long a request, or the first byte of its answer, may be waited for.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// Over how long the rate of contents is averaged, and so how long they may make no progress.
pub const DEFAULT_STALL: Duration = Duration::from_secs(30);

/// How many bytes of contents a second there must be, on average over the stall. It is less than what the
/// smallest full TCP segment (536 bytes, RFC 9293 §3.7.1) in each [`DEFAULT_STALL`] makes, so that no link
/// is too slow on which anything goes through.
pub const DEFAULT_LEAST_RATE: u32 = 16;

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
    /// Over how long the rate of contents is averaged, and so how long they may make no progress;
    /// [`DEFAULT_STALL`] by default.
    pub stall: Duration,
    /// How many bytes a second must go through on average over each [`stall`](Self::stall), so that who
    /// takes or gives a byte now and then holds nothing; [`DEFAULT_LEAST_RATE`] by default. With 0 any
    /// progress will do.
    pub least_rate: u32,
}

impl TransferConfig {
    /// The limits by default.
    pub const fn new() -> Self {
        Self {
            quiet: DEFAULT_QUIET,
            timeout: DEFAULT_TIMEOUT,
            stall: DEFAULT_STALL,
            least_rate: DEFAULT_LEAST_RATE,
        }
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

    /// The same, with another [`least_rate`](Self::least_rate).
    #[must_use]
    pub const fn with_least_rate(mut self, least_rate: u32) -> Self {
        self.least_rate = least_rate;
        self
    }
}

impl Default for TransferConfig {
    fn default() -> Self {
        Self::new()
    }
}
