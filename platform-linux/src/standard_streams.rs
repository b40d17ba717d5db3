//! Whether the process was given its standard streams.
//!
//! Where there was none when the process was started (`program >&-`), the standard library has put
//! `/dev/null` in its place before `main`: what is written is lost without an error, and what is read is at
//! its end. (Nobody can be told that there is no standard error.)

use std::io;

use nix::libc::{STDIN_FILENO, STDOUT_FILENO};
use nix::unistd::write;

use crate::sys::startup;

/// Whether there is a standard input to read.
///
/// # Errors
/// One that says so, if there was none.
pub fn check_input() -> io::Result<()> {
    check(STDIN_FILENO)
}

/// Whether there is a standard output to write to.
///
/// # Errors
/// One that says so, if there was none.
pub fn check_output() -> io::Result<()> {
    check(STDOUT_FILENO)
}

/// Writes some of `bytes` to standard output, past what the standard library collects for it, and tells
/// how many.
///
/// # Errors
/// Those of [`check_output`] and of `write(2)`: [`WouldBlock`](io::ErrorKind::WouldBlock) among them, where
/// whoever opened it has made it non-blocking.
pub fn write_output(bytes: &[u8]) -> io::Result<usize> {
    check_output()?;
    Ok(write(io::stdout(), bytes)?)
}

fn check(fd: i32) -> io::Result<()> {
    if startup::was_closed(fd) { Err(io::Error::other("it is closed")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_a_standard_output() {
        check_output().unwrap();
    }
}
