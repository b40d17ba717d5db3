//! How long the harness waits.

use std::time::Duration;

/// How long anything is waited for before the test fails: far longer than any of it takes, and
/// short enough that a hang is reported rather than killed from outside.
pub const TIMEOUT: Duration = Duration::from_mins(1);
