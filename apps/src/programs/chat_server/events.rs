//! What is told of members, in the record and to a reader of JSON.

use std::fmt;

use barewire_core::chat::{LeaveReason, MemberEvent};

use super::state::House;
use crate::output::events::chat::ChatEvent;
use crate::output::printer::Printer;

/// Something that happened in the room.
#[derive(Clone, Copy)]
pub(super) enum Told<'a> {
    Joined(&'a str),
    Left(&'a str, LeaveReason),
    Heard(MemberEvent<'a>),
}

impl Told<'_> {
    /// Tells it. On the screen it appears as a line of the room, which the operator reads like every
    /// member; but a reader of JSON is told of joins and leaves as such.
    pub(super) fn tell(self, house: &House, output: &mut Printer) {
        if let Some(mut journal) = house.journal() {
            journal.add(self);
        }
        if let Some(record) = self.record()
            && output.is_json()
            && !output.is_quiet()
        {
            output.show(&record);
            house.told().push_back(self.to_string());
        }
    }
}

impl<'a> Told<'a> {
    /// What is no line of the room for a reader of JSON.
    fn record(self) -> Option<ChatEvent<'a>> {
        match self {
            Self::Joined(nick) => Some(ChatEvent::Joined { nick }),
            Self::Left(nick, why) => Some(ChatEvent::Left { nick, reason: why.reason() }),
            Self::Heard(_) => None,
        }
    }
}

/// As it stands in the record, and in the room.
impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.record()) {
            (Self::Heard(heard), _) => heard.fmt(f),
            (_, Some(record)) => record.fmt(f),
            (_, None) => Ok(()),
        }
    }
}
