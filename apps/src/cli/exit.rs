//! How a program fails: what to say, and with which exit code.

use std::io;
use std::process::ExitCode;

use crate::output::system_error::describe;

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

    /// The same, said to be about an option.
    pub(crate) fn about(self, option: &str) -> Self {
        match self {
            Self::Conversation(message) => Self::Conversation(format!("{option}: {message}")),
            Self::Usage(message) => Self::Usage(format!("{option}: {message}")),
            other => other,
        }
    }

    pub(crate) fn unexpected_argument(argument: &str) -> Self {
        Self::Usage(format!("unexpected argument '{argument}'"))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage(message.into())
    }

    /// The system refused what every program needs: descriptors, memory, signals.
    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn system(error: io::Error) -> Self {
        Self::Conversation(format!("system error: {}", describe(&error)))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Conversation(_) | Self::Reported => ExitCode::FAILURE,
            Self::Usage(_) => ExitCode::from(2),
            Self::Signal(signal) => ExitCode::from(128_u8.saturating_add(*signal)),
        }
    }
}
