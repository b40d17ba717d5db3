//! How long a client waits, and how often it tries.

use crate::time::Duration;

/// How long the first try of an [`Exchange`](super::Exchange) waits for its reply.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an [`Exchange`](super::Exchange) waits, and how often it tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct ExchangeConfig {
    /// How long the first try waits for its reply; each further one waits twice as long as the
    /// one before. [`DEFAULT_TIMEOUT`] by default.
    pub timeout: Duration,
    /// How many tries follow the first; none by default.
    pub retries: u32,
}

impl ExchangeConfig {
    /// [`DEFAULT_TIMEOUT`], and one try.
    pub const fn new() -> Self {
        Self { timeout: DEFAULT_TIMEOUT, retries: 0 }
    }

    /// The same, with another [`timeout`](Self::timeout).
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same, with another [`retries`](Self::retries).
    #[must_use]
    pub const fn with_retries(mut self, retries: u32) -> Self {
        self.retries = retries;
        self
    }
}

impl Default for ExchangeConfig {
    fn default() -> Self {
        Self::new()
    }
}
