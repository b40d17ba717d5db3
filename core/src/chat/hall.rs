//! Who is in a room, and what was said there.

use core::fmt;

use super::backlog::{Backlog, Mark, NOBODY, Route};
use super::nick::Nick;
use super::reading::Reading;
use super::room::{Key, Leave, RoomFull};
use super::slot::{Place, State};
use super::{Config, NickError, PATIENCE};
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
pub(super) struct Hall<'a> {
    pub(super) config: Config,
    pub(super) members: &'a mut [Place],
    pub(super) backlog: Backlog<'a>,
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

impl<'a> Hall<'a> {
    pub(super) fn new(
        members: &'a mut [Place],
        bytes: &'a mut [u8],
        lines: &'a mut [Mark],
        longest: usize,
        config: Config,
    ) -> Self {
        let mut vacant = None;
        for (index, place) in members.iter_mut().enumerate().rev() {
            *place = Place::vacant();
            if index == OPERATOR as usize {
                place.state = State::Here;
                place.nick = Nick::server(config.likeness);
                place.progress = Progress::new(config.quiet);
            } else if index < NOBODY as usize {
                place.state = State::Vacant(vacant);
                vacant = u32::try_from(index).ok();
            }
        }
        Self {
            config,
            members,
            backlog: Backlog::new(bytes, lines),
            longest,
            vacant,
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

    pub(super) fn place(&self, index: u32) -> Option<&Place> {
        self.members.get(usize::try_from(index).ok()?)
    }

    pub(super) fn place_mut(&mut self, index: u32) -> Option<&mut Place> {
        self.members.get_mut(usize::try_from(index).ok()?)
    }

    pub(super) fn find(&self, key: Key) -> Option<&Place> {
        let place = self.place(key.index)?;
        (place.generation == key.generation && !place.is_vacant()).then_some(place)
    }

    pub(super) fn join(&mut self) -> Result<Key, RoomFull> {
        let index = self.vacant.ok_or(RoomFull)?;
        let nick = self.guest();
        let quiet = self.config.quiet;
        let place = self.place_mut(index).ok_or(RoomFull)?;
        let State::Vacant(vacant) = place.state else { return Err(RoomFull) };
        let generation = place.generation.wrapping_add(1);
        *place = Place { generation, nick, state: State::Shut, ..Place::vacant() };
        place.progress = Progress::new(quiet);
        self.vacant = vacant;
        self.count += 1;

        self.force_room();
        let (bytes, lines) = self.wanted();
        let history =
            self.backlog.history(self.config.history, bytes.saturating_add(GREETING), lines + 2);
        let welcome = self.backlog.end();
        self.write(Route::private(index), |members, out| {
            let nick = nick_of(members, index);
            write!(out, "* welcome to barewire chat, you are {nick} (/help)")
        });
        let reading = Reading::new(history, welcome, self.backlog.end());
        if let Some(place) = self.place_mut(index) {
            place.state = State::Here;
            place.reading = reading;
        }
        self.lower_floor(history, index);
        self.notice(index, |nick, out| write!(out, "* {nick} joined"));
        Ok(Key { index, generation })
    }

    /// A nick for a new member.
    fn guest(&mut self) -> Nick {
        loop {
            self.guests += 1;
            let nick = Nick::guest(self.guests, self.config.likeness);
            // Only when the numbers have begun again can one of them be here still.
            if u32::try_from(self.guests).is_ok() || !self.is_taken(&nick, NOBODY) {
                return nick;
            }
        }
    }

    /// Vacates a member's place, and tells the others.
    pub(super) fn leave(&mut self, index: u32, why: Leave) {
        self.set_blocked(index, false);
        if let Some(place) = self.place_mut(index) {
            place.state = State::Shut;
        }
        self.notice(index, |nick, out| match why.reason() {
            None => write!(out, "* {nick} left"),
            Some(reason) => write!(out, "* {nick} left ({reason})"),
        });
        let vacant = self.vacant;
        if let Some(place) = self.place_mut(index) {
            let generation = place.generation;
            *place = Place { generation, state: State::Vacant(vacant), ..Place::vacant() };
            self.vacant = Some(index);
            self.count = self.count.saturating_sub(1);
        }
    }

    /// Tells all but `about` something about it.
    pub(super) fn notice(
        &mut self,
        about: u32,
        line: impl Fn(&str, &mut dyn fmt::Write) -> fmt::Result,
    ) {
        self.force_room();
        let show = |members: &[Place], out: &mut dyn fmt::Write| line(nick_of(members, about), out);
        self.write(Route::notice(about), show);
    }

    /// Tells one member something.
    pub(super) fn note(&mut self, to: u32, line: fmt::Arguments<'_>) {
        self.force_room();
        self.write(Route::private(to), |_, out| write!(out, "* {line}"));
    }

    /// Writes a line; there must be room for it.
    pub(super) fn write(
        &mut self,
        route: Route,
        line: impl Fn(&[Place], &mut dyn fmt::Write) -> fmt::Result,
    ) {
        let members = &*self.members;
        self.backlog.write(route, |out| line(members, out));
        self.news = true;
    }

    /// Changes a member's nick, if it may have it; the old one is in `old` then.
    pub(super) fn rename(&mut self, index: u32, name: &str) -> Result<(), NickError> {
        if index == OPERATOR {
            return Err(NickError::Reserved);
        }
        let nick = Nick::choose(name, self.config.likeness)?;
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
        self.members.iter().enumerate().any(|(at, place)| {
            at != except as usize && !place.is_vacant() && place.nick.likeness == nick.likeness
        })
    }

    /// Whom a name means: by what it looks like, as nicks are compared.
    pub(super) fn who(&self, name: &str) -> Option<u32> {
        let likeness = (self.config.likeness)(name);
        let is_meant =
            |place: &Place| place.state == State::Here && place.nick.likeness == likeness;
        u32::try_from(self.members.iter().position(is_meant)?).ok()
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
        self.waiting.map(|since| since + PATIENCE)
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
        (bytes, self.backlog.lines() / RESERVE + 1)
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
        let stands = |place: &Place| place.reads() && place.reading.needs() <= self.floor;
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
        for (index, place) in (0..).zip(self.members.iter_mut()) {
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

    fn drop_those(&mut self, mut is_meant: impl FnMut(&mut Place) -> bool) {
        for index in (0..).take(self.members.len()) {
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

fn nick_of(members: &[Place], index: u32) -> &str {
    let place = usize::try_from(index).ok().and_then(|index| members.get(index));
    place.map_or("", |place| place.nick.as_str())
}
