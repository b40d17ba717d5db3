//! What is told of a chat.

use std::fmt;

use anstyle::{AnsiColor, Style};
use barewire_core::chat::{Kind, Line};
use barewire_core::printable::Printable;
use serde::Serialize;

use crate::output::peer_text::serialize_text;

const NICK: Style = AnsiColor::Cyan.on_default();

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum ChatEvent<'a> {
    /// Somebody said something.
    Line {
        /// Absent for a line that names nobody.
        nick: Option<&'a str>,
        #[serde(flatten, serialize_with = "serialize_text")]
        text: Printable<'a>,
        /// For one member only.
        private: bool,
        /// It is done rather than said: `/me TEXT`.
        #[serde(skip_serializing_if = "core::ops::Not::not")]
        action: bool,
    },
    /// The server said something: `* TEXT`.
    Notice {
        #[serde(flatten, serialize_with = "serialize_text")]
        text: Printable<'a>,
    },
    Joined {
        nick: &'a str,
    },
    Left {
        nick: &'a str,
        /// If it was not its own will.
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
}

impl<'a> From<Line<'a>> for ChatEvent<'a> {
    fn from(line: Line<'a>) -> Self {
        let action = matches!(line.kind, Kind::Acted { .. });
        let (nick, text, private) = match line.kind {
            Kind::Notice(text) => return Self::Notice { text },
            Kind::Said { nick, text } | Kind::Acted { nick, text } => (Some(nick), text, false),
            Kind::Private { nick, text } => (Some(nick), text, true),
            _ => (None, line.printable(), false),
        };
        Self::Line { nick, text, private, action }
    }
}

/// As it is on the wire: what a member causes starts with its name, so that no line looks like another's.
impl fmt::Display for ChatEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { nick, text, private, action } => {
                if *private {
                    f.write_str("(private) ")?;
                }
                if let Some(nick) = nick {
                    write!(f, "{NICK}{nick}{NICK:#}: ")?;
                }
                if *action {
                    f.write_str("/me ")?;
                }
                text.fmt(f)
            }
            Self::Notice { text } => write!(f, "* {text}"),
            Self::Joined { nick } => write!(f, "* {nick} joined"),
            Self::Left { nick, reason: None } => write!(f, "* {nick} left"),
            Self::Left { nick, reason: Some(reason) } => write!(f, "* {nick} left ({reason})"),
        }
    }
}
