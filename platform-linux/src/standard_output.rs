//! Whether the process was given a standard output.

use std::io;

use crate::sys::startup;

/// Whether there is a standard output to write to.
///
/// Where there was none when the process was started (`program >&-`), the standard library has put
/// `/dev/null` in its place before `main`, and what is written is lost without an error.
///
/// # Errors
/// One that says so, if there was none.
pub fn check() -> io::Result<()> {
    if startup::output_was_closed() { Err(io::Error::other("it is closed")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_has_a_standard_output() {
        check().unwrap();
    }
}
