//! What comes in from a member, line by line.

use super::Member;
use crate::chat::begun_lines;
use crate::chat::command::Command;
use crate::chat::execute::Outcome;
use crate::chat::line::action;
use crate::chat::member_event::MemberEvent;
use crate::chat::membership::MemberError;
use crate::chat::notice::Notice;
use crate::printable::printable;
use crate::text::{Ended, TextReaderError};
use crate::time::Instant;

impl Member<'_, '_> {
    /// Takes input to the end of a line, or all: into the member's own buffer if it has one, else one
    /// that is free, or none if the line lies whole in the input. `None`: the input has to wait for a
    /// buffer.
    pub(super) fn read<'i>(
        &mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> Option<nb::Result<Ended<'i>, TextReaderError>> {
        let buffer = match begun_lines::acquire(self.room, self.buffers, self.index, now) {
            Some(buffer) => self.buffers.get_mut(buffer)?,
            None if input.contains(&b'\n') => {
                begun_lines::stop_waiting(self.room, self.index);
                &mut []
            }
            None => {
                begun_lines::wait(self.room, self.index, now);
                return None;
            }
        };
        let longest = self.room.delivery.config.max_text.into();
        let slot = self.room.delivery.slot_mut(self.index)?;
        Some(slot.progress.handle_input(buffer, longest, now, input))
    }

    /// Ends an unfinished line that has no terminator.
    pub(super) fn finish(&mut self, now: Instant) -> nb::Result<Outcome, MemberError> {
        if let Some(slot) = self.slot_mut() {
            slot.opening.end();
        }
        if self.turn_away(now) {
            return Ok(Outcome::Nothing);
        }
        let slot = self.room.delivery.slot_mut(self.index).ok_or(nb::Error::WouldBlock)?;
        let buffer = slot.buffer().and_then(|buffer| self.buffers.get_mut(buffer));
        let finished = slot.progress.finish(buffer.ok_or(nb::Error::WouldBlock)?);
        self.take(now, finished.map(|()| Ended::InBuffer))
    }

    /// Whether it speaks another protocol: then it is told so, and says no more.
    pub(super) fn turn_away(&mut self, now: Instant) -> bool {
        let is_foreign = self.is_foreign();
        if is_foreign {
            self.room.note(self.index, Notice::NoChat);
            self.end(now);
        }
        is_foreign
    }

    /// Does what came of reading. `WouldBlock`: the line goes on.
    pub(super) fn take(
        &mut self,
        now: Instant,
        read: nb::Result<Ended<'_>, TextReaderError>,
    ) -> nb::Result<Outcome, MemberError> {
        let outcome = match read {
            Ok(ended) => {
                let slot = self.slot();
                let line =
                    slot.map_or(&[][..], |slot| begun_lines::text(self.buffers, slot, ended));
                self.room.execute(self.index, now, line)
            }
            Err(nb::Error::WouldBlock) => return Err(nb::Error::WouldBlock),
            Err(nb::Error::Other(TextReaderError::TooLong)) => {
                let longest = self.room.delivery.config.max_text.into();
                self.room.refuse(self.index, now, Notice::TooLong(longest));
                Outcome::Nothing
            }
        };
        if outcome == Outcome::Quits {
            self.end(now);
        }
        Ok(outcome)
    }

    /// What to tell of a line that [`take`](Self::take) has executed.
    pub(super) fn event<'s>(
        &'s self,
        outcome: Outcome,
        ended: Ended<'s>,
    ) -> nb::Result<MemberEvent<'s>, MemberError> {
        let slot = self.slot().ok_or(nb::Error::WouldBlock)?;
        let nick = slot.nick.as_str();
        match (outcome, Command::parse(begun_lines::text(self.buffers, slot, ended))) {
            (Outcome::Said, Command::Say(text)) => Ok(match action(text) {
                Some(text) => MemberEvent::Acted { nick, text: printable(text) },
                None => MemberEvent::Said { nick, text: printable(text) },
            }),
            (Outcome::Said, Command::Act(text)) => {
                Ok(MemberEvent::Acted { nick, text: printable(text) })
            }
            (Outcome::Renamed, _) => {
                Ok(MemberEvent::Renamed { old: &self.room.old_nick, new: nick })
            }
            _ => Err(nb::Error::WouldBlock),
        }
    }
}
