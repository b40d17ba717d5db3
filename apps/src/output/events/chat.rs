//! What is told of a chat.

use std::fmt;

use anstyle::{AnsiColor, Style};
use barewire_core::printable::Printable;
use serde::{Serialize, Serializer};

use crate::output::as_shown;

const NICK: Style = AnsiColor::Cyan.on_default();

/// What somebody said.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Said<'a> {
    /// Absent for a line that names nobody.
    pub(crate) nick: Option<&'a str>,
    #[serde(serialize_with = "as_shown")]
    pub(crate) text: Printable<'a>,
    /// For one member only.
    pub(crate) private: bool,
}

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nick, text, private } = self;
        if *private {
            f.write_str("(private) ")?;
        }
        if let Some(nick) = nick {
            write!(f, "{NICK}{nick}{NICK:#}: ")?;
        }
        text.fmt(f)
    }
}

/// A notice: `* TEXT`.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Notice<T> {
    #[serde(serialize_with = "in_words", bound(serialize = "T: fmt::Display"))]
    pub(crate) text: T,
}

impl<T: fmt::Display> fmt::Display for Notice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "* {}", self.text)
    }
}

fn in_words<T: fmt::Display, S: Serializer>(text: &T, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}
