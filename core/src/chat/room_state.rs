//! Who is in a room, and what was said there.

use super::cursor::Cursor;
use super::fragment::Fragment::{self, NickOf, Number, OldNick, Shown, Text};
use super::fragment::{NOTICE, decimal};
use super::log::{Log, LogEntry, NOBODY, Route};
use super::member_slot::{MemberSlot, State};
use super::nick::Nick;
use super::room::{JoinError, LeaveReason, MemberId};
use super::{DEFAULT_PATIENCE, NickError, RoomConfig};
use crate::text::Progress;
use crate::time::Instant;

/// The operator's place.
pub(super) const OPERATOR: u32 = 0;

/// This share of the backlog is kept for notices and notes: what is said leaves it free.
pub(super) const RESERVE: usize = 8;

/// The welcome and the notice that somebody has joined are shorter than this together, in bytes.
const GREETING: usize = 128;

/// A room but for the buffers of unfinished lines: so that a line can be borrowed from there while it
/// is said. And so it is compiled once for every longest line.
#[derive(Debug)]
pub(super) struct RoomState<'a> {
    pub(super) config: RoomConfig,
    pub(super) members: &'a mut [MemberSlot],
    pub(super) backlog: Log<'a>,
    /// The longest line, in bytes.
    pub(super) longest: usize,
    vacant: Option<u32>,
    guests: u64,
    pub(super) count: usize,
    /// No reader needs what stands before it.
    floor: u64,
    /// Who was found at the floor: as long as it stands there, nobody else need be looked at.
    holder: u32,
    /// How many senders wait for room, and since when the first of them has.
    blocked: usize,
    waiting: Option<Instant>,
    pub(super) news: bool,
    /// The nick that was changed last.
    pub(super) old: Nick,
}

impl<'a> RoomState<'a> {
    pub(super) fn new(
        members: &'a mut [MemberSlot],
        bytes: &'a mut [u8],
        lines: &'a mut [LogEntry],
        longest: usize,
        config: RoomConfig,
    ) -> Self {
        // A chain of all places but the operator's.
        let count = members.len();
        let after = |index: u32| Some(index + 1).filter(|&next| (next as usize) < count);
        for (index, place) in (OPERATOR..NOBODY).zip(members.iter_mut()) {
            *place = MemberSlot::vacant();
            place.state = State::Vacant(after(index));
        }
        if let Some(place) = members.get_mut(OPERATOR as usize) {
            place.state = State::Here;
            place.nick = Nick::server(config.skeleton);
            place.progress = Progress::new(config.quiet);
        }
        Self {
            config,
            members,
            backlog: Log::new(bytes, lines),
            longest,
            vacant: after(OPERATOR),
            guests: 0,
            count: 0,
            floor: 0,
            holder: NOBODY,
            blocked: 0,
            waiting: None,
            news: false,
            old: Nick::none(),
        }
    }

    pub(super) fn place(&self, index: u32) -> Option<&MemberSlot> {
        self.members.get(usize::try_from(index).ok()?)
    }

    pub(super) fn place_mut(&mut self, index: u32) -> Option<&mut MemberSlot> {
        self.members.get_mut(usize::try_from(index).ok()?)
    }

    pub(super) fn find(&self, key: MemberId) -> Option<&MemberSlot> {
        let place = self.place(key.index)?;
        (place.generation == key.generation && !place.is_vacant()).then_some(place)
    }

    pub(super) fn join(&mut self) -> Result<MemberId, JoinError> {
        let index = self.vacant.ok_or(JoinError::RoomFull)?;
        let nick = self.guest();
        let quiet = self.config.quiet;
        let place = self.place_mut(index).ok_or(JoinError::RoomFull)?;
        let State::Vacant(vacant) = place.state else { return Err(JoinError::RoomFull) };
        let generation = place.generation.wrapping_add(1);
        *place = MemberSlot { generation, nick, state: State::Shut, ..MemberSlot::vacant() };
        place.progress = Progress::new(quiet);
        self.vacant = vacant;
        self.count = self.count.saturating_add(1);

        self.force_room();
        let (bytes, lines) = self.wanted();
        let history = self.backlog.history(
            self.config.history,
            bytes.saturating_add(GREETING),
            lines.saturating_add(2),
        );
        let welcome = self.backlog.end();
        let line = [Text("welcome to barewire chat, you are "), NickOf(index), Text(" (/help)")];
        self.write(Route::private(index), NOTICE, &line);
        let reading = Cursor::new(history, welcome, self.backlog.end());
        if let Some(place) = self.place_mut(index) {
            place.state = State::Here;
            place.reading = reading;
        }
        self.lower_floor(history, index);
        self.notice(index, &[NickOf(index), Text(" joined")]);
        Ok(MemberId { index, generation })
    }

    /// A nick for a new member.
    fn guest(&mut self) -> Nick {
        loop {
            self.guests = self.guests.saturating_add(1);
            // The last 32 bits of the number.
            let number = u32::try_from(self.guests & u64::from(u32::MAX)).unwrap_or_default();
            let nick = Nick::guest(number, self.config.skeleton);
            // Only when the numbers have begun again can one of them be here still.
            if u32::try_from(self.guests).is_ok() || !self.is_taken(&nick, NOBODY) {
                return nick;
            }
        }
    }

    /// Vacates a member's place, and tells the others.
    pub(super) fn leave(&mut self, index: u32, why: LeaveReason) {
        self.set_blocked(index, false);
        if let Some(place) = self.place_mut(index) {
            place.state = State::Shut;
        }
        match why.reason() {
            None => self.notice(index, &[NickOf(index), Text(" left")]),
            Some(reason) => {
                self.notice(index, &[NickOf(index), Text(" left ("), Text(reason), Text(")")]);
            }
        }
        let vacant = self.vacant;
        if let Some(place) = self.place_mut(index) {
            let generation = place.generation;
            *place =
                MemberSlot { generation, state: State::Vacant(vacant), ..MemberSlot::vacant() };
            self.vacant = Some(index);
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Tells all but `about` something about it.
    pub(super) fn notice(&mut self, about: u32, line: &[Fragment<'_>]) {
        self.force_room();
        self.write(Route::notice(about), NOTICE, line);
    }

    /// Tells one member something.
    pub(super) fn note(&mut self, to: u32, line: &[Fragment<'_>]) {
        self.force_room();
        self.write(Route::private(to), NOTICE, line);
    }

    /// Writes a line; there must be room for it.
    pub(super) fn write(&mut self, route: Route, start: &str, line: &[Fragment<'_>]) {
        self.news = true;
        let Some(mut out) = self.backlog.begin(route) else { return };
        out.text(start);
        for piece in line {
            match *piece {
                Text(text) => out.text(text),
                Shown(bytes) => out.shown(bytes),
                Number(number) => out.text(&decimal(number)),
                NickOf(index) => out.text(nick_of(self.members, index)),
                OldNick => out.text(self.old.as_str()),
            }
        }
        out.finish();
    }

    /// Changes a member's nick, if it may have it; the old one is in `old` then.
    pub(super) fn rename(&mut self, index: u32, name: &str) -> Result<(), NickError> {
        if index == OPERATOR {
            return Err(NickError::Reserved);
        }
        let nick = Nick::choose(name, self.config.skeleton)?;
        if self.is_taken(&nick, index) {
            return Err(NickError::Taken);
        }
        if let Some(place) = self.place_mut(index) {
            self.old = core::mem::replace(&mut place.nick, nick);
        }
        Ok(())
    }

    /// Whether anybody but `except` has a nick like that.
    fn is_taken(&self, nick: &Nick, except: u32) -> bool {
        (0..NOBODY).zip(self.members.iter()).any(|(at, place)| {
            at != except && !place.is_vacant() && place.nick.skeleton == nick.skeleton
        })
    }

    /// Whom a name means: by what it looks like, as nicks are compared.
    pub(super) fn who(&self, name: &str) -> Option<u32> {
        let skeleton = (self.config.skeleton)(name);
        let is_meant =
            |place: &MemberSlot| place.state == State::Here && place.nick.skeleton == skeleton;
        let (index, _) = (0..NOBODY).zip(self.members.iter()).find(|(_, place)| is_meant(place))?;
        Some(index)
    }

    /// Whether there is room for a line that a member says, and for notices besides. If not, its
    /// input waits from `now` on.
    pub(super) fn has_room(&mut self, index: u32, now: Instant) -> bool {
        let (bytes, lines) = self.wanted();
        let has_room = self.make_room(bytes, lines);
        self.set_blocked(index, !has_room);
        if has_room {
            self.waiting = None;
        } else {
            self.waiting.get_or_insert(now);
        }
        has_room
    }

    pub(super) fn set_blocked(&mut self, index: u32, blocked: bool) {
        let Some(place) = self.place_mut(index) else { return };
        let was_blocked = core::mem::replace(&mut place.blocked, blocked);
        self.blocked = self
            .blocked
            .saturating_add(usize::from(blocked))
            .saturating_sub(usize::from(was_blocked));
        if self.blocked == 0 {
            self.waiting = None;
        }
    }

    /// When those who keep others waiting are dropped. `None`: nobody waits, or there may be room.
    pub(super) fn patience_ends(&self) -> Option<Instant> {
        self.waiting.map(|since| since + DEFAULT_PATIENCE)
    }

    /// Those who still have not made room are dropped, and with them those in the older half of the
    /// backlog who have read nothing in the meantime: else each of them would be waited for.
    pub(super) fn lose_patience(&mut self) {
        let (bytes, lines) = self.wanted();
        self.find_floor();
        let (least, middle) = (self.backlog.least(bytes, lines), self.backlog.middle());
        let since = self.waiting.take().unwrap_or(Instant::ZERO);
        self.drop_those(|place| {
            let needs = place.reading.needs();
            // A newcomer's time begins now.
            let has_stalled = needs < middle && *place.read_at.get_or_insert(since) < since;
            needs < least || has_stalled
        });
        self.backlog.make_room(bytes, lines, self.floor);
    }

    /// What a line that is said must find free: the longest line, and what is kept for notices.
    fn wanted(&self) -> (usize, usize) {
        let bytes = (self.backlog.capacity() / RESERVE).saturating_add(self.longest);
        (bytes, (self.backlog.lines() / RESERVE).saturating_add(1))
    }

    /// Makes room for a notice, at any price.
    fn force_room(&mut self) {
        let (bytes, lines) = (self.longest, 1);
        if !self.make_room(bytes, lines) {
            self.find_floor();
            let least = self.backlog.least(bytes, lines);
            self.drop_those(|place| place.reading.needs() < least);
            self.backlog.make_room(bytes, lines, self.floor);
        }
    }

    fn make_room(&mut self, bytes: usize, lines: usize) -> bool {
        if self.backlog.make_room(bytes, lines, self.floor) {
            return true;
        }
        self.advance(self.holder);
        let stands = |place: &MemberSlot| place.reads() && place.reading.needs() <= self.floor;
        if self.place(self.holder).is_some_and(stands) {
            return false;
        }
        self.find_floor();
        self.backlog.make_room(bytes, lines, self.floor)
    }

    /// Moves a reader past what it is not shown.
    pub(super) fn advance(&mut self, index: u32) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(place) = self.members.get_mut(at).filter(|place| place.reads()) {
            place.reading = place.reading.advanced(&self.backlog, index, place.end());
        }
    }

    /// Looks for the first byte that any reader needs. Each is moved past what it is not shown.
    fn find_floor(&mut self) {
        self.floor = self.backlog.end();
        for (index, place) in (0..NOBODY).zip(self.members.iter_mut()) {
            if place.reads() {
                place.reading = place.reading.advanced(&self.backlog, index, place.end());
                let needs = place.reading.needs();
                if needs < self.floor {
                    (self.floor, self.holder) = (needs, index);
                }
            }
        }
    }

    /// A reader goes back to `needs`.
    pub(super) fn lower_floor(&mut self, needs: u64, index: u32) {
        if needs < self.floor {
            (self.floor, self.holder) = (needs, index);
        }
    }

    fn drop_those(&mut self, mut is_meant: impl FnMut(&mut MemberSlot) -> bool) {
        for index in 0..NOBODY {
            let Some(place) = self.members.get_mut(index as usize) else { break };
            if !place.reads() || !is_meant(place) {
                continue;
            }
            if index == OPERATOR {
                place.reading = place.reading.lost(&self.backlog);
            } else {
                place.state = State::Dropped;
                self.set_blocked(index, false);
            }
        }
        self.find_floor();
        self.news = true;
    }

    /// A member has read on, or reads no more: somebody may have waited for that.
    pub(super) fn read_on(&mut self, index: u32) {
        self.news |= self.blocked > 0 && self.holder == index;
    }
}

fn nick_of(members: &[MemberSlot], index: u32) -> &str {
    let place = usize::try_from(index).ok().and_then(|index| members.get(index));
    place.map_or("", |place| place.nick.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Space;

    /// After four thousand million guests.
    #[test]
    fn guests_are_numbered_anew_past_those_who_are_here() {
        let mut space = Space::<4, 2_048, 16, 2, 64>::new();
        let mut room = space.room(RoomConfig::new());
        let first = room.join().unwrap();
        assert_eq!(room.nick(first), Some("guest1"));
        room.state.guests = u64::from(u32::MAX);
        for expected in ["guest0", "guest2"] {
            let next = room.join().unwrap();
            assert_eq!(room.nick(next), Some(expected));
        }
    }
}
