//! The system's errors in words.

use std::io;

use nix::errno::Errno;

/// What the number in an error means (`errno(3)`), in the same words whatever the C library and the
/// language; `None` if it has no number.
pub fn description(error: &io::Error) -> Option<&'static str> {
    error.raw_os_error().map(|number| Errno::from_raw(number).desc())
}
