//! What a member's line brings about.

use super::command::Command;
use super::delivery::Delivery;
use super::fragment::decimal;
use super::log::Route;
use super::member_id::OPERATOR;
use super::member_slot::SlotState;
use super::nick::is_long;
use super::notice::Notice;
use super::room_state::RoomState;
use crate::text::MAX_TEXT;
use crate::time::Instant;

/// What came of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Said,
    Renamed,
    Quits,
    Nothing,
}

impl RoomState<'_> {
    /// Does what a line asks for. There must be room for a line; it takes no more than one.
    pub(super) fn execute(&mut self, index: u32, now: Instant, line: &[u8]) -> Outcome {
        let command = Command::parse(line);
        if command == Command::Nothing {
            return Outcome::Nothing;
        }
        if !self.passes(index, now) {
            return Outcome::Nothing;
        }
        let before = self.delivery.log.end();
        let outcome = self.carry_out(index, command);
        self.charge(index, now, before);
        outcome
    }

    fn carry_out(&mut self, index: u32, command: Command<'_>) -> Outcome {
        match command {
            Command::Say(text) => {
                self.say(Route::said(index), "", index, ": ", text);
                return Outcome::Said;
            }
            Command::Act(text) => {
                self.say(Route::said(index), "", index, ": /me ", text);
                return Outcome::Said;
            }
            Command::Whisper { to, text } => self.whisper(index, to, text),
            Command::Nick(name) => return self.execute_nick(index, name),
            Command::Who => self.tell_who(index),
            Command::Quit if index == OPERATOR => self.note(index, Notice::OperatorStays),
            Command::Quit => return Outcome::Quits,
            Command::Help => self.note(index, Notice::Help),
            Command::Lacks(usage) => self.note(index, Notice::Usage(usage)),
            Command::Unknown => self.note(index, Notice::UnknownCommand),
            Command::Nothing => {}
        }
        Outcome::Nothing
    }

    fn whisper(&mut self, index: u32, to: &[u8], text: &[u8]) {
        let name = core::str::from_utf8(to).ok().filter(|name| !is_long(name));
        let Some(found) = name.and_then(|name| self.find(name)) else {
            // No nick is as long as what is not repeated here.
            self.note(index, Notice::Nobody(name.unwrap_or("that")));
            return;
        };
        self.say(Route::private(found), "(private) ", index, ": ", text);
    }

    fn execute_nick(&mut self, index: u32, name: &[u8]) -> Outcome {
        // What is not UTF-8 is refused as what no nick has.
        let name = core::str::from_utf8(name).unwrap_or(":");
        if self.delivery.slot(index).is_some_and(|slot| slot.nick.as_str() == name) {
            self.note(index, Notice::SameNick);
            return Outcome::Nothing;
        }
        if let Err(why) = self.rename(index, name) {
            self.note(index, Notice::NoNick(why));
            return Outcome::Nothing;
        }
        self.notice(Notice::Renamed(index));
        Outcome::Renamed
    }

    /// Who is here, as far as it fits in a line.
    fn tell_who(&mut self, index: u32) {
        // What is left for nicks, beside a count of those that do not fit.
        let room = self.delivery.max_line().saturating_sub(32).min(MAX_TEXT);
        let Delivery { log, slots, needs_poll, .. } = &mut self.delivery;
        *needs_poll = true;
        let Some(mut out) = log.begin(Route::private(index)) else { return };
        let (mut left, mut rest, mut before) = (room, 0_u32, "* here: ");
        for slot in slots.iter().filter(|slot| slot.state == SlotState::Active) {
            let nick = slot.nick.as_str();
            match left.checked_sub(nick.len().saturating_add(before.len())) {
                Some(less) if rest == 0 => {
                    left = less;
                    out.text(before);
                    out.text(nick);
                }
                _ => rest = rest.saturating_add(1),
            }
            before = ", ";
        }
        if rest > 0 {
            out.text(" and ");
            out.text(&decimal(rest));
            out.text(" more");
        }
        out.finish();
    }
}
