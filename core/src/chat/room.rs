//! The room: who is there, and what was said.

use core::fmt;

use super::backlog::{Backlog, Mark, Route};
use super::member::Member;
use super::nick::Nick;
use super::slot::{Part, Phase, Place, Reading, State};
use super::{Config, NickError, PATIENCE};
use crate::text::{MAX_TEXT, Progress};
use crate::time::Instant;

/// The operator's place.
pub(super) const OPERATOR: u32 = 0;

/// This share of the backlog is kept for notices and notes: what is said leaves it free.
const RESERVE: usize = 8;

/// The memory of a room, for a `static` or a `Box`: `MEMBERS` places, one of them the operator's;
/// `BYTES` of backlog, and `LINES` lines in it; and `PARTS` lines at a time that have begun to come
/// in and not ended. `N` is the longest line, at most [`MAX_TEXT`].
#[derive(Debug)]
pub struct Space<
    const MEMBERS: usize,
    const BYTES: usize,
    const LINES: usize,
    const PARTS: usize,
    const N: usize = MAX_TEXT,
> {
    members: [Place; MEMBERS],
    bytes: [u8; BYTES],
    lines: [Mark; LINES],
    parts: [Part<N>; PARTS],
}

impl<
    const MEMBERS: usize,
    const BYTES: usize,
    const LINES: usize,
    const PARTS: usize,
    const N: usize,
> Space<MEMBERS, BYTES, LINES, PARTS, N>
{
    /// Memory for a room.
    pub const fn new() -> Self {
        const {
            assert!(MEMBERS > 1, "a room has an operator and somebody else");
            assert!(BYTES >= least_backlog(N), "the backlog holds two lines and the notices");
            assert!(LINES >= 16 && PARTS > 1, "a room needs lines and parts");
        }
        Self {
            members: [const { Place::vacant() }; MEMBERS],
            bytes: [0; BYTES],
            lines: [Mark::NONE; LINES],
            parts: [const { Part::empty() }; PARTS],
        }
    }

    /// An empty room.
    pub fn room(&mut self, config: Config) -> Room<'_, N> {
        Room::new(&mut self.members, &mut self.bytes, &mut self.lines, &mut self.parts, config)
    }
}

impl<
    const MEMBERS: usize,
    const BYTES: usize,
    const LINES: usize,
    const PARTS: usize,
    const N: usize,
> Default for Space<MEMBERS, BYTES, LINES, PARTS, N>
{
    fn default() -> Self {
        Self::new()
    }
}

/// The longest line that a text of `longest` bytes can become: every byte shown by four, a nick and
/// what stands around it.
pub(super) const fn longest_line(longest: usize) -> usize {
    4 * longest + 128
}

/// The smallest backlog for lines of at most `longest` bytes.
pub const fn least_backlog(longest: usize) -> usize {
    2 * longest_line(longest) * RESERVE / (RESERVE - 1) + 1
}

/// Names a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Key {
    pub(super) index: u32,
    generation: u32,
}

/// Every place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RoomFull;

impl fmt::Display for RoomFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the room is full")
    }
}

impl core::error::Error for RoomFull {}

/// Why a member leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Leave {
    /// It wanted to.
    Quit,
    /// Its connection broke.
    Lost,
    /// It did not read what was said.
    FellBehind,
    /// The server stops.
    Stopped,
}

impl Leave {
    /// In brackets, unless it was its own will.
    const fn reason(self) -> &'static str {
        match self {
            Self::Quit => "",
            Self::Lost => " (connection lost)",
            Self::FellBehind => " (fell behind)",
            Self::Stopped => " (the server stops)",
        }
    }
}

/// A room, with its memory borrowed. The [module](super) states its rules.
///
/// Each member is driven as a [`Session`](crate::session::Session) that the room lends,
/// [`member`](Self::member). After each turn of a driver ask [`has_news`](Self::has_news): if there
/// are any, every member is to have a turn.
#[derive(Debug)]
pub struct Room<'a, const N: usize = MAX_TEXT> {
    pub(super) hall: Hall<'a>,
    pub(super) parts: Parts<'a, N>,
}

/// All but the buffers of unfinished lines: so that a line can be borrowed from there while it is
/// said. And so it is compiled once for every `N`.
#[derive(Debug)]
pub(super) struct Hall<'a> {
    pub(super) config: Config,
    pub(super) members: &'a mut [Place],
    pub(super) backlog: Backlog<'a>,
    longest: usize,
    vacant: Option<u32>,
    guests: u32,
    count: usize,
    /// No reader needs what stands before it.
    floor: u64,
    /// Since when a sender has waited for room.
    waiting: Option<Instant>,
    news: bool,
    /// The nick that was changed last.
    pub(super) old: Nick,
}

impl<'a, const N: usize> Room<'a, N> {
    /// An empty room, in memory that need not be empty: so many members as there are places (one of
    /// them the operator's), and so on; see [`Space`], which has it all in one piece. A backlog
    /// smaller than [`least_backlog`] takes no line.
    pub fn new(
        members: &'a mut [Place],
        bytes: &'a mut [u8],
        lines: &'a mut [Mark],
        parts: &'a mut [Part<N>],
        config: Config,
    ) -> Self {
        let mut vacant = None;
        for (index, place) in members.iter_mut().enumerate().skip(1).rev() {
            *place = Place::vacant();
            place.next_vacant = vacant;
            vacant = u32::try_from(index).ok();
        }
        if let Some(place) = members.first_mut() {
            *place = Place::vacant();
            place.state = State::Here;
            place.nick = Nick::server(config.likeness);
            place.progress = Progress::new(config.quiet);
        }
        let hall = Hall {
            config,
            members,
            backlog: Backlog::new(bytes, lines),
            longest: longest_line(N),
            vacant,
            guests: 0,
            count: 0,
            floor: 0,
            waiting: None,
            news: false,
            old: Nick::none(),
        };
        Self { hall, parts: Parts::new(parts) }
    }

    /// The operator, whose lines come from the server's own screen. It is never dropped: what it does
    /// not read in time is lost to it.
    pub fn operator(&self) -> Key {
        let generation = self.hall.place(OPERATOR).map_or(0, |place| place.generation);
        Key { index: OPERATOR, generation }
    }

    /// Lets somebody in.
    ///
    /// # Errors
    /// [`RoomFull`].
    pub fn join(&mut self) -> Result<Key, RoomFull> {
        self.hall.join()
    }

    /// The member as a session. `None`: it has left.
    pub fn member(&mut self, key: Key) -> Option<Member<'_, 'a, N>> {
        self.hall.find(key)?;
        Some(Member::new(self, key.index))
    }

    /// A member's nick. `None`: it has left.
    pub fn nick(&self, key: Key) -> Option<&str> {
        self.hall.find(key).map(|place| place.nick.as_str())
    }

    /// How many members there are, the operator left aside.
    pub const fn count(&self) -> usize {
        self.hall.count
    }

    /// Lets a member go, and tells the others. To be called once when its session is over, and when
    /// its connection is lost.
    pub fn leave(&mut self, key: Key, why: Leave) {
        if key.index != OPERATOR && self.hall.find(key).is_some() {
            self.parts.free(&mut self.hall, key.index);
            self.hall.leave(key.index, why);
        }
    }

    /// Whether something was said, or may go on, since this was asked last: then every member is to
    /// have a turn.
    pub fn has_news(&mut self) -> bool {
        core::mem::take(&mut self.hall.news)
    }
}

impl Hall<'_> {
    pub(super) fn place(&self, index: u32) -> Option<&Place> {
        self.members.get(usize::try_from(index).ok()?)
    }

    pub(super) fn place_mut(&mut self, index: u32) -> Option<&mut Place> {
        self.members.get_mut(usize::try_from(index).ok()?)
    }

    fn find(&self, key: Key) -> Option<&Place> {
        let place = self.place(key.index)?;
        (place.generation == key.generation && place.state != State::Vacant).then_some(place)
    }

    fn join(&mut self) -> Result<Key, RoomFull> {
        let index = self.vacant.ok_or(RoomFull)?;
        let config = self.config;
        self.guests = self.guests.wrapping_add(1);
        let nick = Nick::guest(self.guests, config.likeness);
        let place = self.place_mut(index).ok_or(RoomFull)?;
        let (generation, vacant) = (place.generation.wrapping_add(1), place.next_vacant);
        *place = Place { generation, ..Place::vacant() };
        place.progress = Progress::new(config.quiet);
        place.nick = nick;
        self.vacant = vacant;
        self.count += 1;
        self.force_room();
        let history = self.backlog.history(config.history);
        let welcome = self.backlog.end();
        self.write(Route::private(index), |members, out| {
            let nick = nick_of(members, index);
            write!(out, "* welcome to barewire chat, you are {nick} (/help)")
        });
        let after = self.backlog.end();
        if let Some(place) = self.place_mut(index) {
            place.state = State::Here;
            let phase = Phase::Welcome { history, welcome, after };
            place.reading = Reading { cursor: welcome, phase };
        }
        self.floor = self.floor.min(history);
        self.notice(index, |nick, out| write!(out, "* {nick} joined"));
        Ok(Key { index, generation })
    }

    fn leave(&mut self, index: u32, why: Leave) {
        self.notice(index, |nick, out| write!(out, "* {nick} left{}", why.reason()));
        let vacant = self.vacant;
        if let Some(place) = self.place_mut(index) {
            let generation = place.generation;
            *place = Place { generation, next_vacant: vacant, ..Place::vacant() };
            self.vacant = Some(index);
            self.count = self.count.saturating_sub(1);
            self.news = true;
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
        let is_other = |(at, place): (usize, &Place)| {
            at != index as usize
                && place.state != State::Vacant
                && place.nick.likeness == nick.likeness
        };
        if self.members.iter().enumerate().any(is_other) {
            return Err(NickError::Taken);
        }
        if let Some(place) = self.place_mut(index) {
            self.old = core::mem::replace(&mut place.nick, nick);
        }
        Ok(())
    }

    /// Whom a name means: by what it looks like, as nicks are compared.
    pub(super) fn who(&self, name: &str) -> Option<u32> {
        let likeness = (self.config.likeness)(name);
        let is_meant = |place: &Place| place.reads() && place.nick.likeness == likeness;
        u32::try_from(self.members.iter().position(is_meant)?).ok()
    }

    /// Whether there is room for a line that a member says, and for notices besides. If not, its
    /// input is to wait from `now` on.
    pub(super) fn has_room(&mut self, now: Instant) -> bool {
        let (bytes, lines) = self.wanted();
        let has_room = self.make_room(bytes, lines);
        if has_room {
            self.waiting = None;
        } else {
            self.waiting.get_or_insert(now);
        }
        has_room
    }

    /// When those who keep others waiting are dropped.
    pub(super) fn patience_ends(&self) -> Option<Instant> {
        self.waiting.map(|since| since + PATIENCE)
    }

    /// Those who still have not made room are dropped.
    pub(super) fn lose_patience(&mut self) {
        let (bytes, lines) = self.wanted();
        self.drop_slowest(bytes, lines);
        self.waiting = None;
        self.news = true;
    }

    /// What a line that is said must leave free, beside itself.
    fn wanted(&self) -> (usize, usize) {
        let bytes = (self.backlog.capacity() / RESERVE).saturating_add(self.longest);
        (bytes, self.backlog.lines() / RESERVE + 1)
    }

    /// Makes room for a notice, at any price.
    fn force_room(&mut self) {
        let (bytes, lines) = (self.longest, 1);
        if !self.make_room(bytes, lines) {
            self.drop_slowest(bytes, lines);
        }
    }

    fn make_room(&mut self, bytes: usize, lines: usize) -> bool {
        if self.backlog.make_room(bytes, lines, self.floor) {
            return true;
        }
        self.floor = self.slowest();
        self.backlog.make_room(bytes, lines, self.floor)
    }

    /// The first byte that any reader needs. Each is moved past what it is not shown.
    fn slowest(&mut self) -> u64 {
        let mut slowest = self.backlog.end();
        for (index, place) in self.members.iter_mut().enumerate() {
            if place.reads() {
                let index = u32::try_from(index).unwrap_or(u32::MAX);
                let (reading, _) = place.reading.waiting(&self.backlog, index, place.end());
                place.reading = reading;
                slowest = slowest.min(reading.needs());
            }
        }
        slowest
    }

    fn drop_slowest(&mut self, bytes: usize, lines: usize) {
        let least = self.backlog.least(bytes, lines);
        for (index, place) in self.members.iter_mut().enumerate() {
            if place.reads() && place.reading.needs() < least {
                if index == OPERATOR as usize {
                    place.reading = Reading { cursor: least, phase: Phase::Live };
                } else {
                    place.state = State::Dropped;
                }
            }
        }
        self.floor = self.slowest();
        self.backlog.make_room(bytes, lines, self.floor);
        self.news = true;
    }

    /// A member has read on: somebody may have waited for that.
    pub(super) fn read_on(&mut self) {
        self.news |= self.waiting.is_some();
    }
}

fn nick_of(members: &[Place], index: u32) -> &str {
    let place = usize::try_from(index).ok().and_then(|index| members.get(index));
    place.map_or("", |place| place.nick.as_str())
}

/// The buffers of lines that have begun to come in.
#[derive(Debug)]
pub(super) struct Parts<'a, const N: usize> {
    all: &'a mut [Part<N>],
    free: Option<u16>,
}

impl<'a, const N: usize> Parts<'a, N> {
    fn new(all: &'a mut [Part<N>]) -> Self {
        let mut free = None;
        // The first is the spare one.
        for (index, part) in all.iter_mut().enumerate().skip(1).rev() {
            let Ok(index) = u16::try_from(index) else { continue };
            *part = Part::empty();
            part.next_free = free;
            free = Some(index);
        }
        Self { all, free }
    }

    pub(super) fn get(&mut self, index: u16) -> Option<&mut Part<N>> {
        self.all.get_mut(usize::from(index))
    }

    pub(super) fn part(&self, index: u16) -> Option<&Part<N>> {
        self.all.get(usize::from(index))
    }

    /// A buffer for a line that needs none, since it lies whole in the input.
    pub(super) fn spare(&mut self) -> Option<&mut Part<N>> {
        self.all.first_mut()
    }

    /// Gives a member a buffer, if one is free.
    pub(super) fn take(&mut self, now: Instant) -> Option<u16> {
        let index = self.free?;
        let part = self.get(index)?;
        part.since = now;
        let next = part.next_free;
        self.free = next;
        Some(index)
    }

    /// Takes the member's buffer back.
    pub(super) fn free(&mut self, hall: &mut Hall<'_>, member: u32) {
        let Some(index) = hall.place_mut(member).and_then(|place| place.part.take()) else {
            return;
        };
        let free = self.free;
        if let Some(part) = self.get(index) {
            part.buffer.clear();
            part.next_free = free;
            self.free = Some(index);
        }
    }
}
