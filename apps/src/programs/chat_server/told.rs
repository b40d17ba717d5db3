//! What is told of members, in the record and to a reader of JSON.

use std::fmt;

use barewire_core::chat::{Heard, Leave};
use barewire_core::printable::Printable;

use super::floor::House;
use crate::output::{Output, Record};

/// Something that happened in the room.
#[derive(Clone, Copy)]
pub(super) enum Told<'a> {
    Joined(&'a str),
    Left(&'a str, Leave),
    Said(&'a str, Printable<'a>),
    Acted(&'a str, Printable<'a>),
    Renamed(&'a str, &'a str),
}

impl<'a> From<Heard<'a>> for Told<'a> {
    fn from(heard: Heard<'a>) -> Self {
        match heard {
            Heard::Said { nick, text } => Self::Said(nick, text),
            Heard::Acted { nick, text } => Self::Acted(nick, text),
            Heard::Renamed { old, new } => Self::Renamed(old, new),
        }
    }
}

impl Told<'_> {
    /// Tells it. On the screen it appears as a line of the room, which the operator reads like every
    /// member; but a reader of JSON is told of joins and leaves as such.
    pub(super) fn tell(self, house: &House, output: &mut Output) {
        if let Some(mut journal) = house.journal() {
            journal.add(self);
        }
        if !output.is_json() || output.is_quiet() {
            return;
        }
        match self {
            Self::Joined(nick) => output.show(Record::Joined { nick }),
            Self::Left(nick, why) => output.show(Record::Left { nick, reason: reason(why) }),
            Self::Said(..) | Self::Acted(..) | Self::Renamed(..) => return,
        }
        house.told().push_back(self.to_string());
    }
}

/// The reason why a member left, unless it was its own will.
fn reason(why: Leave) -> Option<&'static str> {
    match why {
        Leave::Quit => None,
        Leave::Lost => Some("connection lost"),
        Leave::FellBehind => Some("fell behind"),
        Leave::Stopped => Some("the server stops"),
    }
}

/// As it stands in the record.
impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Said(nick, text) => write!(f, "{nick}: {text}"),
            Self::Acted(nick, text) => write!(f, "* {nick} {text}"),
            Self::Renamed(old, new) => write!(f, "* {old} is now {new}"),
            Self::Joined(nick) => write!(f, "* {nick} joined"),
            Self::Left(nick, why) => match reason(why) {
                None => write!(f, "* {nick} left"),
                Some(reason) => write!(f, "* {nick} left ({reason})"),
            },
        }
    }
}
