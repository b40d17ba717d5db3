//! The limits of a handshake.

use crate::text::DEFAULT_QUIET;
use crate::time::Duration;

/// How long one handshake may take, from the opened connection to its end.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// The limits of one handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct HandshakeConfig {
    /// The quiet period that ends a text without a terminator; [`DEFAULT_QUIET`] by default.
    pub quiet: Duration,
    /// How long the whole handshake may take; [`DEFAULT_TIMEOUT`] by default.
    pub timeout: Duration,
}

impl Default for HandshakeConfig {
    fn default() -> Self {
        Self { quiet: DEFAULT_QUIET, timeout: DEFAULT_TIMEOUT }
    }
}
