//! The limits of a handshake.

use crate::text::DEFAULT_QUIET;
use crate::time::Duration;

/// How long one handshake may take, from the opened connection to its end.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The limits of one handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct HandshakeConfig {
    /// The quiet period that ends a text without a terminator; [`DEFAULT_QUIET`] by default.
    pub quiet: Duration,
    /// How long the whole handshake may take; [`DEFAULT_TIMEOUT`] by default.
    pub timeout: Duration,
}

impl HandshakeConfig {
    /// The limits by default.
    pub const fn new() -> Self {
        Self { quiet: DEFAULT_QUIET, timeout: DEFAULT_TIMEOUT }
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
}

impl Default for HandshakeConfig {
    fn default() -> Self {
        Self::new()
    }
}
