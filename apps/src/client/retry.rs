//! How long to wait before a server is tried again.

use barewire_core::time::Duration;

pub(crate) const FIRST_DELAY: Duration = Duration::from_millis(500);
pub(crate) const MAX_DELAY: Duration = Duration::from_secs(10);

/// The delay after `delay`.
pub(crate) fn next_delay(delay: Duration) -> Duration {
    (delay * 2).min(MAX_DELAY)
}
