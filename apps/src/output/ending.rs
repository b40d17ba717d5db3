//! The end of a server: one bounded time for all that is left to be written, to whomever.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::writable::{is_hurried, reader_timeout};

/// The time for all of it together, from the signal on, as documented for people.
const END_TIMEOUT: Duration = Duration::from_secs(5);

static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// The server stops: from now on the time runs.
pub(crate) fn begin() {
    deadline();
}

fn deadline() -> Instant {
    *DEADLINE.get_or_init(|| Instant::now() + END_TIMEOUT)
}

/// Whether to wait on for something that is being written: not for a reader who has stalled, not beyond
/// the time for all, and not once a second signal has come. To be asked again and again.
pub(crate) fn patience(is_stalled: impl Fn() -> bool) -> impl FnMut() -> bool {
    let timeout = Duration::from(reader_timeout());
    let mut next_look = Instant::now() + timeout;
    move || {
        let now = Instant::now();
        if is_hurried() || now >= deadline() {
            return false;
        }
        if now < next_look {
            return true;
        }
        next_look = now + timeout;
        !is_stalled()
    }
}
