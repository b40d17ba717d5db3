//! What an owner is told of members.

use core::fmt;

use crate::printable::Printable;

/// What a member did. The others are told already; this is for the operator's records.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberEvent<'a> {
    /// It said something to all.
    Said {
        /// Its nick.
        nick: &'a str,
        /// What it said.
        text: Printable<'a>,
    },
    /// It did something (`/me`).
    Acted {
        /// Its nick.
        nick: &'a str,
        /// What it did.
        text: Printable<'a>,
    },
    /// It has another nick.
    Renamed {
        /// The nick before.
        old: &'a str,
        /// The nick now.
        new: &'a str,
    },
}

impl<'a> MemberEvent<'a> {
    /// Whose doing it is: its nick, which is the new one if it has changed.
    pub const fn nick(&self) -> &'a str {
        match *self {
            Self::Said { nick, .. }
            | Self::Acted { nick, .. }
            | Self::Renamed { new: nick, .. } => nick,
        }
    }

    /// What it said or did.
    pub const fn text(&self) -> Option<Printable<'a>> {
        match *self {
            Self::Said { text, .. } | Self::Acted { text, .. } => Some(text),
            Self::Renamed { .. } => None,
        }
    }
}

/// As the others are told.
impl fmt::Display for MemberEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { nick, text } => write!(f, "{nick}: {text}"),
            Self::Acted { nick, text } => write!(f, "{nick}: /me {text}"),
            Self::Renamed { old, new } => write!(f, "* {old} is now {new}"),
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for MemberEvent<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let (nick, action, text) = match self {
            Self::Said { nick, text } => (nick, "", text),
            Self::Acted { nick, text } => (nick, "/me ", text),
            Self::Renamed { old, new } => {
                return defmt::write!(f, "* {=str} is now {=str}", old, new);
            }
        };
        defmt::write!(f, "{=str}: {=str}{}", nick, action, text);
    }
}

impl fmt::Debug for MemberEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
