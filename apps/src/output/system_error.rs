//! The system's errors in words.

use std::fmt;
use std::io;

use nix::errno::Errno;

/// In the system's words; with `-v`, also with the number.
pub(crate) fn describe(error: &io::Error) -> impl fmt::Display {
    let Some(errno) = error.raw_os_error().map(Errno::from_raw) else {
        return error.to_string();
    };
    let mut text = errno.desc().to_owned();
    // "Address already in use", but not "I/O error".
    if text.chars().nth(1).is_some_and(char::is_lowercase) {
        text[..1].make_ascii_lowercase();
    }
    if log::log_enabled!(log::Level::Debug) {
        format!("{text} (os error {})", errno as i32)
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_said_in_the_systems_words() {
        let describe_errno = |errno: Errno| describe(&io::Error::from(errno)).to_string();
        assert_eq!(describe_errno(Errno::EADDRINUSE), "address already in use");
        assert_eq!(describe_errno(Errno::EIO), "I/O error");
        assert_eq!(describe(&io::Error::other("no such thing")).to_string(), "no such thing");
    }
}
