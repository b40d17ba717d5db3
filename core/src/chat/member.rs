//! A member, lent as a session.

use core::fmt;

use super::backlog::Route;
use super::command::Command;
use super::flood::Verdict;
use super::room::{Hall, OPERATOR, Parts, Room};
use super::slot::{Phase, Place, Reading, State};
use super::{BURST, MAX_NICK};
use crate::printable::{Printable, printable};
use crate::session::{Events, Output, Session};
use crate::text::{Ended, MAX_TEXT, Progress, TooLong};
use crate::time::{Duration, Instant};

/// How long a line may take to come in whole.
const LINE_TIMEOUT: Duration = Duration::from_secs(10);

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
pub enum Heard<'a> {
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

impl fmt::Debug for Heard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Said { nick, text } => write!(f, "{nick}: {text}"),
            Self::Acted { nick, text } => write!(f, "* {nick} {text}"),
            Self::Renamed { old, new } => write!(f, "* {old} is now {new}"),
        }
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

/// What came of a line.
enum Done {
    Said,
    Acted,
    Renamed,
    Nothing,
}

impl<'r, 'a, const N: usize> Member<'r, 'a, N> {
    pub(super) fn new(room: &'r mut Room<'a, N>, index: u32) -> Self {
        Self { room, index }
    }

    /// Its nick.
    pub fn nick(&self) -> &str {
        self.place().map_or("", |place| place.nick.as_str())
    }

    fn place(&self) -> Option<&Place> {
        self.room.hall.place(self.index)
    }

    /// It is to say no more: it gets what has been said until now, and then the connection is closed.
    pub fn finish(&mut self) {
        self.end();
    }

    /// Whether it may say something now.
    fn check(&mut self, now: Instant) -> nb::Result<(), MemberError> {
        let hall = &mut self.room.hall;
        match hall.place(self.index).map(|place| place.state) {
            Some(State::Here) => {}
            Some(State::Dropped) => return Err(nb::Error::Other(MemberError::FellBehind)),
            _ => return Err(nb::Error::WouldBlock),
        }
        let has_room = hall.has_room(now);
        if let Some(place) = hall.place_mut(self.index) {
            place.blocked = !has_room;
        }
        if has_room { Ok(()) } else { Err(nb::Error::WouldBlock) }
    }

    /// It says no more, and reads what has been said until now.
    fn end(&mut self) {
        let end = self.room.hall.backlog.end();
        self.room.parts.free(&mut self.room.hall, self.index);
        if let Some(place) = self.room.hall.place_mut(self.index)
            && place.state == State::Here
        {
            place.state = State::Ending(end);
        }
    }

    /// What waits for it: where it stands, and to where that goes on.
    fn waiting(&self) -> Option<(Reading, u64)> {
        let place = self.place().filter(|place| place.reads())?;
        Some(place.reading.waiting(&self.room.hall.backlog, self.index, place.end()))
    }
}

/// Does what a line asks for.
fn obey(hall: &mut Hall<'_>, index: u32, now: Instant, line: &[u8]) -> (Done, bool) {
    let command = Command::read(line);
    let rate = if index == OPERATOR { 0 } else { hall.config.rate };
    let verdict = match (command, hall.place_mut(index)) {
        (Command::Nothing, _) | (_, None) => return (Done::Nothing, false),
        (_, Some(place)) => place.account.judge(now, rate),
    };
    match verdict {
        Verdict::Passes => {}
        Verdict::Noted => {
            let told = format_args!(
                "too fast: your lines are refused ({rate} a second pass, {BURST} at once)"
            );
            hall.note(index, told);
            return (Done::Nothing, false);
        }
        Verdict::Refused => return (Done::Nothing, false),
    }
    let nick = |members: &[Place]| members.get(index as usize).map(|place| place.nick.clone());
    match command {
        Command::Say(text) => {
            let text = printable(text);
            hall.write(Route::said(index), |members, out| {
                let nick = nick(members);
                write!(out, "{}: {text}", nick.as_ref().map_or("", |nick| nick.as_str()))
            });
            return (Done::Said, false);
        }
        Command::Act(text) => {
            let text = printable(text);
            hall.write(Route::said(index), |members, out| {
                let nick = nick(members);
                write!(out, "* {} {text}", nick.as_ref().map_or("", |nick| nick.as_str()))
            });
            return (Done::Acted, false);
        }
        Command::Whisper { to, text } => whisper(hall, index, to, text),
        Command::Nick(name) => return (rename(hall, index, name), false),
        Command::Who => who(hall, index),
        Command::Quit if index == OPERATOR => {
            hall.note(index, format_args!("the operator stays: end the server instead"));
        }
        Command::Quit => return (Done::Nothing, true),
        Command::Help => {
            for line in HELP {
                hall.note(index, format_args!("{line}"));
            }
        }
        Command::Lacks(usage) => hall.note(index, format_args!("write it as: {usage}")),
        Command::Unknown => hall
            .note(index, format_args!("no such command; /help tells which there are, //x says /x")),
        Command::Nothing => {}
    }
    (Done::Nothing, false)
}

const HELP: [&str; 7] = [
    "/nick NAME      change your nick",
    "/who            who is here",
    "/msg NICK TEXT  tell one member only",
    "/me TEXT        tell what you do",
    "//TEXT          say a line that starts with a slash",
    "/help           this",
    "/quit           leave",
];

fn whisper(hall: &mut Hall<'_>, index: u32, to: &[u8], text: &[u8]) {
    let found = core::str::from_utf8(to).ok().and_then(|name| hall.who(name));
    let Some(found) = found else {
        let name = printable(to.get(..4 * MAX_NICK).unwrap_or(to));
        hall.note(index, format_args!("nobody here is called {name}; /who tells who is here"));
        return;
    };
    let text = printable(text);
    hall.write(Route::private(found), |members, out| {
        let nick = members.get(index as usize).map_or("", |place| place.nick.as_str());
        write!(out, "(private) {nick}: {text}")
    });
}

fn rename(hall: &mut Hall<'_>, index: u32, name: &[u8]) -> Done {
    let Ok(name) = core::str::from_utf8(name) else {
        hall.note(index, format_args!("a nick is UTF-8"));
        return Done::Nothing;
    };
    match hall.rename(index, name) {
        Ok(()) => {
            let old = hall.old.clone();
            hall.notice(u32::MAX >> 1, |_, out| write!(out, "* {} is now {name}", old.as_str()));
            Done::Renamed
        }
        Err(why) => {
            hall.note(index, format_args!("{why}"));
            Done::Nothing
        }
    }
}

/// Who is here, as far as it fits in a line.
fn who(hall: &mut Hall<'_>, index: u32) {
    hall.write(Route::private(index), |members, out| {
        let mut left = MAX_TEXT;
        let mut rest: usize = 0;
        for (number, place) in members.iter().filter(|place| place.reads()).enumerate() {
            let nick = place.nick.as_str();
            let before = if number == 0 { "* here: " } else { ", " };
            match left.checked_sub(nick.len() + before.len()) {
                Some(less) if rest == 0 => {
                    left = less;
                    write!(out, "{before}{nick}")?;
                }
                _ => rest += 1,
            }
        }
        if rest > 0 { write!(out, " and {rest} more") } else { Ok(()) }
    });
}

impl<const N: usize> Member<'_, '_, N> {
    /// Gives a buffer back that holds no unfinished line.
    fn settle(&mut self) {
        let Room { hall, parts } = &mut *self.room;
        let Some(place) = hall.place_mut(self.index) else { return };
        let Some(part) = place.part.and_then(|part| parts.get(part)) else { return };
        place.progress.release(&mut part.buffer);
        if !place.progress.has_begun(&part.buffer) {
            parts.free(hall, self.index);
        }
    }

    /// Takes a step in reading a line: in the member's own buffer if it has one, else in one that is
    /// free, or in none if the line lies `whole` in the input. `None`: the input has to wait for a
    /// buffer.
    fn read<'i>(
        &mut self,
        now: Instant,
        whole: bool,
        step: impl FnOnce(&mut Progress, &mut heapless::VecView<u8>) -> nb::Result<Ended<'i>, TooLong>,
    ) -> Option<nb::Result<Ended<'i>, TooLong>> {
        let Room { hall, parts } = &mut *self.room;
        let place = hall.place_mut(self.index)?;
        place.retry = None;
        if place.part.is_none() {
            place.part = parts.take(now);
        }
        let part = match place.part {
            Some(part) => parts.get(part)?,
            None if whole => parts.spare()?,
            None => {
                place.retry = Some(now + RETRY);
                return None;
            }
        };
        Some(step(&mut place.progress, &mut part.buffer))
    }

    /// Of an unfinished line: when it ends by quiet, and when it has taken too long.
    fn unfinished(&self) -> Option<(Option<Instant>, Instant)> {
        let place = self.place()?;
        let part = self.room.parts.part(place.part?)?;
        place
            .progress
            .has_begun(&part.buffer)
            .then(|| (place.progress.poll_deadline(&part.buffer), part.since + LINE_TIMEOUT))
    }

    /// A line has taken too long: what is there of it, and the rest, is refused.
    fn refuse_late(&mut self, now: Instant) {
        let Room { hall, parts } = &mut *self.room;
        if let Some(place) = hall.place_mut(self.index)
            && let Some(part) = place.part.and_then(|part| parts.get(part))
        {
            place.progress.give_up(&mut part.buffer);
            part.since = now;
            hall.note(
                self.index,
                format_args!("your line took longer than {LINE_TIMEOUT}: it was refused"),
            );
        }
    }

    /// Does what came of reading; tells whether there is something to tell. If not, the reading goes
    /// on.
    fn take(
        &mut self,
        now: Instant,
        read: nb::Result<Ended<'_>, TooLong>,
    ) -> nb::Result<Done, MemberError> {
        let index = self.index;
        let Room { hall, parts } = &mut *self.room;
        let ended = match read {
            Ok(ended) => ended,
            Err(nb::Error::WouldBlock) => return Err(nb::Error::WouldBlock),
            Err(nb::Error::Other(TooLong)) => {
                hall.note(index, format_args!("a line has at most {N} bytes: yours was refused"));
                return Ok(Done::Nothing);
            }
        };
        let part = hall.place(index).and_then(|place| place.part);
        let (done, quits) = obey(hall, index, now, line(parts, part, ended));
        if quits {
            self.end();
        }
        Ok(done)
    }

    /// What to tell, after [`take`](Self::take) has done it.
    fn heard<'s>(&'s self, done: &Done, ended: Ended<'s>) -> nb::Result<Heard<'s>, MemberError> {
        let (hall, parts) = (&self.room.hall, &self.room.parts);
        let place = hall.place(self.index).ok_or(nb::Error::WouldBlock)?;
        let (nick, line) = (place.nick.as_str(), line(parts, place.part, ended));
        match (done, Command::read(line)) {
            (Done::Said, Command::Say(text)) => Ok(Heard::Said { nick, text: printable(text) }),
            (Done::Acted, Command::Act(text)) => Ok(Heard::Acted { nick, text: printable(text) }),
            (Done::Renamed, _) => Ok(Heard::Renamed { old: hall.old.as_str(), new: nick }),
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
            part.and_then(|part| parts.part(part)).map_or(&[], |part| part.buffer.as_slice())
        }
    }
}

impl<'s, const N: usize> Events<'s> for Member<'_, '_, N> {
    type Event = Heard<'s>;
}

impl<const N: usize> Session for Member<'_, '_, N> {
    type Error = MemberError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Heard<'s>, MemberError> {
        loop {
            self.settle();
            if self
                .place()
                .is_some_and(|place| matches!(place.state, State::Ending(_) | State::Shut))
            {
                // It has said that it says no more.
                *input = &[];
            }
            if input.is_empty() {
                return Err(nb::Error::WouldBlock);
            }
            self.check(now)?;
            let whole = input.contains(&b'\n');
            let read =
                self.read(now, whole, |progress, buffer| progress.handle_input(buffer, now, input));
            let read = read.ok_or(nb::Error::WouldBlock)?;
            match (self.take(now, read)?, read) {
                (Done::Nothing, _) | (_, Err(_)) => {}
                (done, Ok(ended)) => return self.heard(&done, ended),
            }
        }
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Heard<'_>, MemberError> {
        self.settle();
        let has_part = self.place().is_some_and(|place| place.part.is_some());
        if has_part {
            self.check(now)?;
            let read = self.read(now, false, |progress, buffer| {
                progress.finish(buffer).map(|()| Ended::InBuffer)
            });
            if let Some(read) = read
                && let Ok(done @ (Done::Said | Done::Acted | Done::Renamed)) = self.take(now, read)
            {
                return self.heard(&done, Ended::InBuffer);
            }
        }
        self.end();
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Heard<'_>, MemberError> {
        self.settle();
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        if self.place().is_some_and(|place| place.blocked)
            && self.room.hall.patience_ends().is_some_and(|end| end <= now)
            && !self.room.hall.has_room(now)
        {
            self.room.hall.lose_patience();
        }
        if let Some(place) = self.room.hall.place_mut(self.index) {
            place.blocked = false;
            place.retry = None;
        }
        if self.place().is_some_and(|place| place.state == State::Dropped) {
            return Err(nb::Error::Other(MemberError::FellBehind));
        }
        match self.unfinished() {
            Some((_, late)) if late <= now => {
                self.refuse_late(now);
                Err(nb::Error::WouldBlock)
            }
            Some((Some(quiet), _)) if quiet <= now => {
                self.check(now)?;
                let read = self.read(now, false, |progress, buffer| {
                    progress.finish(buffer).map(|()| Ended::InBuffer)
                });
                let done = self.take(now, read.ok_or(nb::Error::WouldBlock)?)?;
                self.heard(&done, Ended::InBuffer)
            }
            _ => Err(nb::Error::WouldBlock),
        }
    }

    fn poll_transmit(&self) -> Output<'_> {
        let Some(place) = self.place() else { return Output::Close };
        match (place.state, self.waiting()) {
            (_, Some((reading, end))) if reading.cursor < end => {
                let (head, tail) = self.room.hall.backlog.slices(reading.cursor, end);
                Output::Bytes { head, tail, more: false }
            }
            (State::Ending(_), _) => Output::Shut,
            (State::Shut, _) => Output::Close,
            _ => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        let Some((mut reading, end)) = self.waiting() else { return };
        let hall = &mut self.room.hall;
        let Some(place) = hall.place_mut(self.index) else { return };
        if reading.cursor < end {
            reading.cursor = reading.cursor.saturating_add(count as u64).min(end);
        } else if let State::Ending(_) = place.state {
            place.state = State::Shut;
        }
        place.reading = reading;
        hall.read_on();
    }

    fn poll_deadline(&self) -> Option<Instant> {
        let place = self.place()?;
        match place.state {
            // To be told.
            State::Dropped => return Some(Instant::ZERO),
            State::Here => {}
            State::Ending(_) | State::Shut | State::Vacant => return None,
        }
        if place.blocked {
            return Some(self.room.hall.patience_ends().unwrap_or(Instant::ZERO));
        }
        let unfinished =
            self.unfinished().map(|(quiet, late)| quiet.map_or(late, |quiet| quiet.min(late)));
        match (place.retry, unfinished) {
            (Some(retry), Some(unfinished)) => Some(retry.min(unfinished)),
            (retry, unfinished) => retry.or(unfinished),
        }
    }
}
