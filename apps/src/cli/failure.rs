//! How a program fails: what to say, and with which exit code.

use std::fmt;
use std::io;
use std::process::ExitCode;

use nix::errno::Errno;

/// Why a program ends with an exit code other than 0.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The conversation failed, for the reason given: exit code 1.
    Conversation(String),
    /// The conversation failed, and all was said already: exit code 1.
    Reported,
    /// The program was called wrongly: exit code 2.
    Usage(String),
    /// A signal ended a client: exit code 128 and the signal's number.
    Signal(u8),
}

impl Failure {
    /// What to tell the user, unless all was said already.
    pub(crate) fn message(&self) -> Option<&str> {
        match self {
            Self::Conversation(message) | Self::Usage(message) => Some(message),
            Self::Reported | Self::Signal(_) => None,
        }
    }

    /// The program was called wrongly.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// The system refused what every program needs: descriptors, memory, signals.
    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn system(error: io::Error) -> Self {
        Self::Conversation(format!("the system does not let this program run: {}", words(&error)))
    }

    /// The exit code.
    pub(crate) fn code(&self) -> ExitCode {
        match self {
            Self::Conversation(_) | Self::Reported => ExitCode::FAILURE,
            Self::Usage(_) => ExitCode::from(2),
            Self::Signal(signal) => ExitCode::from(128_u8.saturating_add(*signal)),
        }
    }
}

/// Says a system's error in the system's words; with `-v`, also
/// with its number.
pub(crate) fn words(error: &io::Error) -> impl fmt::Display {
    let Some(errno) = error.raw_os_error().map(Errno::from_raw) else {
        return error.to_string();
    };
    let mut words = errno.desc().to_owned();
    // "Address already in use", but not "I/O error".
    if words.chars().nth(1).is_some_and(char::is_lowercase) {
        words[..1].make_ascii_lowercase();
    }
    if log::log_enabled!(log::Level::Debug) {
        format!("{words} (os error {})", errno as i32)
    } else {
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_said_in_the_systems_words() {
        let say = |errno: Errno| words(&io::Error::from(errno)).to_string();
        assert_eq!(say(Errno::EADDRINUSE), "address already in use");
        assert_eq!(say(Errno::EIO), "I/O error");
        assert_eq!(words(&io::Error::other("no such thing")).to_string(), "no such thing");
    }
}
