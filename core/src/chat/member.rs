//! A member, lent as a session.

use core::fmt;

use super::Room;
use super::command::Command;
use super::cursor::Waiting;
use super::execute::Outcome;
use super::fragment::Fragment::{Number, Text};
use super::line_buffers::Parts;
use super::member_slot::{MemberSlot, State};
use super::room_state::OPERATOR;
use crate::printable::{Printable, printable};
use crate::session::{Events, Output, Session};
use crate::text::{Ended, MAX_TEXT, TextReaderError};
use crate::time::{Duration, Instant};

/// How long a line may take to come in whole.
const LINE_SECONDS: u32 = 10;
const LINE_TIMEOUT: Duration = Duration::from_secs(LINE_SECONDS as u64);

/// When a member is looked at again that waits for a buffer.
const RETRY: Duration = Duration::from_millis(50);

/// A member of a [`Room`], for one turn of a driver.
#[derive(Debug)]
pub struct Member<'r, 'a, const N: usize = MAX_TEXT> {
    room: &'r mut Room<'a, N>,
    index: u32,
}

/// What a member did. The others are told already; this is for the operator's records.
#[derive(Clone, Copy, PartialEq, Eq)]
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

/// As the others are told.
impl fmt::Display for MemberEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { nick, text } => write!(f, "{nick}: {text}"),
            Self::Acted { nick, text } => write!(f, "* {nick} {text}"),
            Self::Renamed { old, new } => write!(f, "* {old} is now {new}"),
        }
    }
}

impl fmt::Debug for MemberEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// How a membership fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum MemberError {
    /// The member did not read what was said, until there was no room for more.
    FellBehind,
}

impl fmt::Display for MemberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the member fell behind")
    }
}

impl core::error::Error for MemberError {}

impl<'r, 'a, const N: usize> Member<'r, 'a, N> {
    pub(super) fn new(room: &'r mut Room<'a, N>, index: u32) -> Self {
        Self { room, index }
    }

    /// Its nick.
    pub fn nick(&self) -> &str {
        self.place().map_or("", |place| place.nick.as_str())
    }

    fn place(&self) -> Option<&MemberSlot> {
        self.room.state.place(self.index)
    }

    fn state(&self) -> State {
        self.place().map_or(State::Shut, |place| place.state)
    }

    /// It is to say no more: it gets what has been said until now, and then its connection is closed.
    pub fn disconnect(&mut self) {
        self.end();
    }

    /// Whether it may say something now.
    fn check(&mut self, now: Instant) -> nb::Result<(), MemberError> {
        match self.state() {
            State::Here if self.room.state.has_room(self.index, now) => Ok(()),
            State::Dropped => Err(nb::Error::Other(MemberError::FellBehind)),
            _ => Err(nb::Error::WouldBlock),
        }
    }

    /// It says no more, and reads what has been said until now. The operator reads on.
    fn end(&mut self) {
        let Room { state, parts } = &mut *self.room;
        parts.free(state, self.index);
        state.set_blocked(self.index, false);
        let end = state.backlog.end();
        if let Some(place) = state.place_mut(self.index)
            && place.state == State::Here
        {
            place.progress.stop_skipping();
            place.retry = None;
            if self.index != OPERATOR {
                place.state = State::Ending(end);
            }
        }
    }

    /// What waits for it.
    fn waiting(&self) -> Waiting {
        let backlog = &self.room.state.backlog;
        self.place().filter(|place| place.reads()).map_or(Waiting::Nothing, |place| {
            let end = place.end();
            place.reading.advanced(backlog, self.index, end).waiting(backlog, self.index, end)
        })
    }

    /// Gives a buffer back that holds no unfinished line.
    fn settle(&mut self) {
        let Room { state, parts } = &mut *self.room;
        let Some(place) = state.place_mut(self.index) else { return };
        let Some(part) = place.part.and_then(|part| parts.get_mut(part)) else { return };
        place.progress.release(&mut part.buffer);
        if !place.progress.needs_buffer(&part.buffer) {
            parts.free(state, self.index);
        }
    }

    /// Takes input to the end of a line, or all: into the member's own buffer if it has one, else one
    /// that is free, or none if the line lies whole in the input. `None`: the input has to wait for a
    /// buffer.
    fn read<'i>(
        &mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> Option<nb::Result<Ended<'i>, TextReaderError>> {
        let Room { state, parts } = &mut *self.room;
        let place = state.place_mut(self.index)?;
        place.retry = None;
        if place.part.is_none() {
            place.part = parts.take(now);
        }
        let part = match place.part {
            Some(part) => parts.get_mut(part)?,
            None if input.contains(&b'\n') => parts.spare()?,
            None => {
                place.retry = Some(now + RETRY);
                return None;
            }
        };
        Some(place.progress.handle_input(&mut part.buffer, now, input))
    }

    /// Ends an unfinished line that has no terminator.
    fn finish(&mut self, now: Instant) -> nb::Result<Outcome, MemberError> {
        let Room { state, parts } = &mut *self.room;
        let place = state.place_mut(self.index).ok_or(nb::Error::WouldBlock)?;
        let part = place.part.and_then(|part| parts.get_mut(part)).ok_or(nb::Error::WouldBlock)?;
        let finished = place.progress.finish(&mut part.buffer).map(|()| Ended::InBuffer);
        self.take(now, finished)
    }

    /// Of an unfinished line: when it ends by quiet, and when it has taken too long.
    fn unfinished(&self) -> (Option<Instant>, Option<Instant>) {
        let Some(place) = self.place() else { return (None, None) };
        match place.part.and_then(|part| self.room.parts.get(part)) {
            Some(part) if place.progress.needs_buffer(&part.buffer) => {
                (place.progress.poll_deadline(&part.buffer), Some(part.since + LINE_TIMEOUT))
            }
            _ => (place.progress.poll_deadline(&[]), None),
        }
    }

    /// A line has taken too long: what is there of it, and the rest, is refused.
    fn refuse_late(&mut self, now: Instant) {
        let Room { state, parts } = &mut *self.room;
        if let Some(place) = state.place_mut(self.index)
            && let Some(part) = place.part.and_then(|part| parts.get_mut(part))
        {
            place.progress.give_up(&mut part.buffer);
            let (before, after) = ("your line took longer than ", " s: it was refused");
            let why = [Text(before), Number(LINE_SECONDS), Text(after)];
            state.refuse(self.index, now, &why);
        }
        self.settle();
    }

    /// Does what came of reading. `WouldBlock`: the line goes on.
    fn take(
        &mut self,
        now: Instant,
        read: nb::Result<Ended<'_>, TextReaderError>,
    ) -> nb::Result<Outcome, MemberError> {
        let Room { state, parts } = &mut *self.room;
        let ended = match read {
            Ok(ended) => ended,
            Err(nb::Error::WouldBlock) => return Err(nb::Error::WouldBlock),
            Err(nb::Error::Other(TextReaderError::TooLong)) => {
                let longest = u32::try_from(N).unwrap_or(u32::MAX);
                let (before, after) = ("a line has at most ", " bytes: yours was refused");
                let why = [Text(before), Number(longest), Text(after)];
                state.refuse(self.index, now, &why);
                return Ok(Outcome::Nothing);
            }
        };
        let part = state.place(self.index).and_then(|place| place.part);
        let done = state.execute(self.index, now, line(parts, part, ended));
        if done == Outcome::Quits {
            self.end();
        }
        Ok(done)
    }

    /// What to tell of a line that [`take`](Self::take) has executed.
    fn heard<'s>(
        &'s self,
        done: Outcome,
        ended: Ended<'s>,
    ) -> nb::Result<MemberEvent<'s>, MemberError> {
        let (state, parts) = (&self.room.state, &self.room.parts);
        let place = state.place(self.index).ok_or(nb::Error::WouldBlock)?;
        let (nick, line) = (place.nick.as_str(), line(parts, place.part, ended));
        match (done, Command::read(line)) {
            (Outcome::Said, Command::Say(text)) => {
                Ok(MemberEvent::Said { nick, text: printable(text) })
            }
            (Outcome::Acted, Command::Act(text)) => {
                Ok(MemberEvent::Acted { nick, text: printable(text) })
            }
            (Outcome::Renamed, _) => {
                Ok(MemberEvent::Renamed { old: state.old.as_str(), new: nick })
            }
            _ => Err(nb::Error::WouldBlock),
        }
    }
}

/// The line that has ended: in the input, or in the member's buffer.
fn line<'l, const N: usize>(
    parts: &'l Parts<'_, N>,
    part: Option<u16>,
    ended: Ended<'l>,
) -> &'l [u8] {
    match ended {
        Ended::InInput(line) => line,
        Ended::InBuffer => {
            part.and_then(|part| parts.get(part)).map_or(&[], |part| part.buffer.as_slice())
        }
    }
}

impl<'s, const N: usize> Events<'s> for Member<'_, '_, N> {
    type Event = MemberEvent<'s>;
}

impl<const N: usize> Session for Member<'_, '_, N> {
    type Error = MemberError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<MemberEvent<'s>, MemberError> {
        loop {
            self.settle();
            if matches!(self.state(), State::Ending(_) | State::Shut) {
                // It has said that it says no more.
                *input = &[];
            }
            if input.is_empty() {
                return Err(nb::Error::WouldBlock);
            }
            if let Some(place) = self.room.state.place_mut(self.index)
                && place.progress.is_skipping()
            {
                place.progress.skip_input(now, input);
                continue;
            }
            self.check(now)?;
            let read = self.read(now, input).ok_or(nb::Error::WouldBlock)?;
            let done = self.take(now, read)?;
            if let (Outcome::Said | Outcome::Acted | Outcome::Renamed, Ok(ended)) = (done, read) {
                return self.heard(done, ended);
            }
        }
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<MemberEvent<'_>, MemberError> {
        self.settle();
        if self.place().is_some_and(|place| place.part.is_some()) {
            self.check(now)?;
            match self.finish(now) {
                Ok(done @ (Outcome::Said | Outcome::Acted | Outcome::Renamed)) => {
                    return self.heard(done, Ended::InBuffer);
                }
                Err(nb::Error::Other(error)) => return Err(nb::Error::Other(error)),
                Ok(Outcome::Quits | Outcome::Nothing) | Err(nb::Error::WouldBlock) => {}
            }
        }
        self.end();
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<MemberEvent<'_>, MemberError> {
        self.settle();
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        let state = &mut self.room.state;
        if state.place(self.index).is_some_and(|place| place.blocked) {
            let is_over = state.patience_ends().is_some_and(|end| end <= now);
            if is_over && !state.has_room(self.index, now) {
                state.lose_patience();
            }
            state.set_blocked(self.index, false);
            // Bytes may have waited that go on with its line: they are offered before it ends.
            if let Some(place) = state.place_mut(self.index) {
                place.progress.restart_quiet(now);
            }
        }
        if self.state() == State::Dropped {
            return Err(nb::Error::Other(MemberError::FellBehind));
        }
        if let Some(place) = self.room.state.place_mut(self.index) {
            place.retry = None;
        }
        let (quiet, late) = self.unfinished();
        let is_over = quiet.is_some_and(|quiet| quiet <= now);
        // Unless silence had ended it before.
        if late.is_some_and(|late| late <= now && quiet.is_none_or(|quiet| late < quiet)) {
            self.check(now)?;
            self.refuse_late(now);
        }
        if is_over {
            if let Some(place) = self.room.state.place_mut(self.index)
                && place.progress.is_skipping()
            {
                place.progress.stop_skipping();
                return Err(nb::Error::WouldBlock);
            }
            self.check(now)?;
            let done = self.finish(now)?;
            return self.heard(done, Ended::InBuffer);
        }
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match (self.waiting(), self.state()) {
            (Waiting::Lines(start, stop), _) => {
                let (head, tail) = self.room.state.backlog.slices(start, stop);
                Output::Bytes { head, tail, more: false }
            }
            (Waiting::Note(head), _) => Output::Bytes { head, tail: &[], more: false },
            (Waiting::Nothing, State::Ending(_)) => Output::Shutdown,
            (Waiting::Nothing, State::Shut | State::Vacant(_)) => Output::Close,
            (Waiting::Nothing, State::Here | State::Dropped) => Output::Nothing,
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        let waiting = self.waiting();
        let state = &mut self.room.state;
        state.advance(self.index);
        let at = usize::try_from(self.index).unwrap_or(usize::MAX);
        let Some(place) = state.members.get_mut(at).filter(|place| place.reads()) else { return };
        if waiting == Waiting::Nothing
            && let State::Ending(_) = place.state
        {
            place.state = State::Shut;
        }
        if count > 0 {
            place.read_at = Some(now);
        }
        place.reading = place.reading.sent(&state.backlog, waiting, count);
        let needs = place.reading.needs();
        state.lower_floor(needs, self.index);
        state.read_on(self.index);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        let place = self.place()?;
        match place.state {
            // It is to be told.
            State::Dropped => return Some(Instant::ZERO),
            State::Here => {}
            State::Ending(_) | State::Shut | State::Vacant(_) => return None,
        }
        if place.blocked {
            return Some(self.room.state.patience_ends().unwrap_or(Instant::ZERO));
        }
        let (quiet, late) = self.unfinished();
        [place.retry, quiet, late].into_iter().flatten().min()
    }
}
