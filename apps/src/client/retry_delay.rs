//! How long to wait before a server is tried again.

use barewire_core::time::Duration;

pub(crate) const MAX_RETRY_DELAY: Duration = Duration::from_secs(10);

/// The delay after `delay`.
pub(crate) fn next_retry_delay(delay: Duration) -> Duration {
    (delay * 2).min(MAX_RETRY_DELAY)
}
