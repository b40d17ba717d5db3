//! Who is in a room, and what the room itself says.

use core::num::NonZeroU32;

use super::config::RoomConfig;
use super::cursor::Cursor;
use super::delivery::Delivery;
use super::fragment::Fragment::{self, NickOf, Number, OldNick, Shown, Text};
use super::fragment::decimal;
use super::log::{Log, LogEntry, Route};
use super::member_id::{MemberId, NOBODY, OPERATOR};
use super::member_slot::{MemberSlot, SlotState};
use super::membership::{JoinError, LeaveReason};
use super::membership_notices::{GATHERED_FOR, MembershipNotices, Move};
use super::nick::{Nick, NickName, choose_nick};
use super::nick_error::NickError;
use super::notice::{NOTICE, Notice};
use super::opening::Opening;
use super::source::{Accounts, SourceSlot};
use super::welcome::Welcome;
use crate::source::Source;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// How long the nick of one who lost its connection, or fell behind, is kept for its source.
const NICK_KEPT: Duration = Duration::from_secs(60);

/// What stands around the nick in a notice that somebody has joined or left, and the whole notice of
/// several, are shorter than this, in bytes.
const AROUND_NICK: usize = 48;

/// A room but for the buffers of unfinished lines: so that a line can be borrowed from there while it
/// is said.
#[derive(Debug)]
pub(super) struct RoomState<'a> {
    pub(super) delivery: Delivery<'a>,
    pub(super) accounts: Accounts<'a>,
    pub(super) notices: MembershipNotices,
    /// The vacant slots, as a chain: the one that has been so for longest is taken first, lest a nick
    /// that is kept be lost early.
    vacant: Option<NonZeroU32>,
    last_vacant: u32,
    /// The number of the last guest, and whether the numbers have begun again.
    guests: u32,
    has_wrapped: bool,
    /// How many members there are, the operator left aside.
    pub(super) count: u32,
    /// The nick that was changed last.
    pub(super) old_nick: NickName,
}

impl<'a> RoomState<'a> {
    pub(super) fn new(
        slots: &'a mut [MemberSlot],
        sources: &'a mut [SourceSlot],
        entries: &'a mut [LogEntry],
        log: &'a mut [u8],
        config: RoomConfig,
    ) -> Self {
        // A chain of all slots but the operator's.
        let count = slots.len();
        let after =
            |index: u32| NonZeroU32::new(index + 1).filter(|next| (next.get() as usize) < count);
        let mut last_vacant = OPERATOR;
        for (index, slot) in (OPERATOR..NOBODY).zip(slots.iter_mut()) {
            last_vacant = index;
            slot.state = SlotState::Vacant { next: after(index), kept: Deadline::NEVER };
        }
        if let Some(slot) = slots.get_mut(OPERATOR as usize) {
            // It may say what it likes, and shares no account.
            slot.occupy(Nick::operator(config.nicks), Source(0), NOBODY, config.quiet);
            slot.opening = Opening::lines();
            slot.state = SlotState::Active;
        }
        Self {
            delivery: Delivery::new(config, slots, Log::new(log, entries)),
            accounts: Accounts::new(sources),
            notices: MembershipNotices::new(),
            vacant: after(OPERATOR),
            last_vacant,
            guests: 0,
            has_wrapped: false,
            count: 0,
            old_nick: NickName::new(),
        }
    }

    pub(super) fn get(&self, id: MemberId) -> Option<&MemberSlot> {
        let slot = self.delivery.slot(id.index)?;
        (slot.generation == id.generation && !slot.is_vacant()).then_some(slot)
    }

    /// A member without a name is a guest.
    pub(super) fn join(
        &mut self,
        now: Instant,
        source: Source,
        name: Option<&str>,
    ) -> Result<MemberId, JoinError> {
        self.delivery.clock = now;
        let index = self.vacant.ok_or(JoinError::RoomFull)?.get();
        let account = self.accounts.join(now, source, &self.delivery.config)?;
        let nick = match name {
            Some(name) => self.named(name),
            None => Some(self.guest()),
        };
        let Some(nick) = nick else {
            self.accounts.leave(account);
            return Err(JoinError::NoNick);
        };
        let welcome = if nick.is_given { Welcome::named() } else { Welcome::guest(self.guests) };
        let cursor = Cursor::new(welcome, self.delivery.history(), self.delivery.log.end());
        let quiet = self.delivery.config.quiet;
        let slot = self.delivery.slot_mut(index).ok_or(JoinError::RoomFull)?;
        let SlotState::Vacant { next, .. } = slot.state else { return Err(JoinError::RoomFull) };
        slot.occupy(nick, source, account, quiet);
        slot.state = SlotState::Active;
        slot.cursor = cursor;
        let generation = slot.generation;
        self.vacant = next;
        self.count = self.count.saturating_add(1);
        self.delivery.lower_low_water(cursor.low_water(), index);
        self.tell_move(index, Move::Joined, Notice::Joined(index));
        Ok(MemberId { index, generation })
    }

    /// A nick for somebody who is known by a name.
    #[inline(never)]
    fn named(&self, name: &str) -> Option<Nick> {
        let others = || self.delivery.slots.iter().filter(|slot| !slot.is_vacant());
        let mut number = 1;
        loop {
            let nick = with_number(name, number)?;
            let skeleton = choose_nick(&nick, self.delivery.config.nicks).ok()?;
            if !others().any(|slot| slot.nick.skeleton.is_like(skeleton)) {
                return Some(Nick { name: nick, skeleton, is_given: true });
            }
            number = number.saturating_add(1);
            // Those that are taken, so many at a time: to try each would be work for each member.
            loop {
                let mut taken = 0_u32;
                for slot in others() {
                    let place = number_behind(slot.nick.as_str(), name).checked_sub(number);
                    taken |= place.and_then(|place| 1_u32.checked_shl(place)).unwrap_or(0);
                }
                let before = taken.trailing_ones();
                number = number.saturating_add(before);
                if before < u32::BITS {
                    break;
                }
            }
        }
    }

    /// A nick for a new member.
    fn guest(&mut self) -> Nick {
        loop {
            let (number, wraps) = self.guests.overflowing_add(1);
            self.guests = number;
            self.has_wrapped |= wraps;
            let nick = Nick::guest(number, self.delivery.config.nicks);
            // Only when the numbers have begun again can one of them be here still.
            if !self.has_wrapped || !self.is_taken(&nick, NOBODY) {
                return nick;
            }
        }
    }

    /// Vacates a member's slot, and tells the others.
    pub(super) fn leave(&mut self, now: Instant, index: u32, why: LeaveReason) {
        self.delivery.clock = now;
        self.delivery.stop_waiting(index);
        if let Some(slot) = self.delivery.slot_mut(index) {
            slot.state = SlotState::Shutdown;
        }
        self.tell_move(index, Move::Left, Notice::Left(index, why));
        let kept = match why {
            LeaveReason::Lost | LeaveReason::FellBehind => {
                Deadline::after(self.delivery.clock, NICK_KEPT)
            }
            _ => Deadline::NEVER,
        };
        let Some(slot) = self.delivery.slot_mut(index) else { return };
        slot.state = SlotState::Vacant { next: None, kept };
        self.accounts.leave(slot.account);
        self.count = self.count.saturating_sub(1);
        let added = NonZeroU32::new(index);
        let last = self.delivery.slot_mut(self.last_vacant).filter(|_| self.vacant.is_some());
        match last.map(|slot| &mut slot.state) {
            Some(SlotState::Vacant { next, .. }) => *next = added,
            _ => self.vacant = added,
        }
        self.last_vacant = index;
        // Who has gone is in nobody's way.
        self.delivery.expect_room();
    }

    /// Tells all but `about` that it has come or gone; by itself, or later with others, if they come
    /// thick or there is no room.
    fn tell_move(&mut self, about: u32, what: Move, notice: Notice<'_>) {
        let now = self.delivery.clock;
        let nick = self.delivery.slot(about).map_or(0, |slot| slot.nick.as_str().len());
        let is_told = self.notices.may_tell(now)
            && self.delivery.make_room(nick.saturating_add(AROUND_NICK), 1);
        if is_told {
            self.notices.record(now);
            self.write(Route::notice(about), NOTICE, &notice.fragments());
        } else if self.notices.gather(now, what) {
            // Everybody is to learn when they are told.
            self.delivery.needs_poll = true;
        }
    }

    /// Tells how many have come and gone, if it is time. If there is no room, that is waited for as a
    /// line is.
    pub(super) fn tell_moves(&mut self, now: Instant) {
        if !self.notices.due.is_reached(now) {
            return;
        }
        let mut has_room = self.delivery.make_room(AROUND_NICK, 1);
        if !has_room {
            self.delivery.wait_for_notice(now, true);
            self.delivery.try_patience(now);
            has_room = self.delivery.make_room(AROUND_NICK, 1);
        }
        if !has_room {
            let patience = self.delivery.config.patience.min(GATHERED_FOR);
            self.notices.due = Deadline::after(now, patience);
            return;
        }
        self.delivery.wait_for_notice(now, false);
        let MembershipNotices { joined, left, .. } = self.notices;
        self.notices.clear(now);
        self.notice(Notice::Moved { joined, left });
    }

    /// Tells everybody something; there must be room for it.
    pub(super) fn notice(&mut self, notice: Notice<'_>) {
        self.write(Route::notice(NOBODY), NOTICE, &notice.fragments());
    }

    /// Tells one member something; there must be room for it.
    pub(super) fn note(&mut self, to: u32, notice: Notice<'_>) {
        self.write(Route::private(to), NOTICE, &notice.fragments());
    }

    /// Tells one member something as short as what stands around a nick, if there is room for it.
    pub(super) fn try_note(&mut self, to: u32, notice: Notice<'_>) {
        if self.delivery.make_room(AROUND_NICK, 1) {
            self.note(to, notice);
        }
    }

    /// Writes what a member says, after its name; there must be room for it.
    pub(super) fn say(&mut self, route: Route, start: &str, index: u32, by: &str, text: &[u8]) {
        self.write(route, start, &[NickOf(index), Text(by), Shown(text)]);
    }

    /// Writes a line; there must be room for it.
    fn write(&mut self, route: Route, start: &str, line: &[Fragment<'_>]) {
        let Delivery { log, slots, needs_poll, .. } = &mut self.delivery;
        *needs_poll = true;
        let begins_at = log.end();
        let Some(mut out) = log.begin(route) else { return };
        out.text(start);
        for fragment in line {
            match *fragment {
                Text(text) => out.text(text),
                Shown(bytes) => out.shown(bytes),
                Number(number) => out.text(&decimal(number)),
                NickOf(index) => {
                    let slot = usize::try_from(index).ok().and_then(|index| slots.get(index));
                    out.text(slot.map_or("", |slot| slot.nick.as_str()));
                }
                OldNick => out.text(&self.old_nick),
            }
        }
        out.finish();
        if let Some(slot) = self.delivery.slot_mut(route.by()) {
            slot.cursor.caused(begins_at);
        }
    }

    /// Changes a member's nick, if it may have it; the old one is in `old_nick` then.
    // A function of its own, lest the two nicks stand on the stack of every line.
    #[inline(never)]
    pub(super) fn rename(&mut self, index: u32, name: &str) -> Result<(), NickError> {
        if index == OPERATOR {
            return Err(NickError::Reserved);
        }
        if self.delivery.slot(index).is_some_and(|slot| slot.nick.is_given) {
            return Err(NickError::Given);
        }
        let nick = Nick::choose(name, self.delivery.config.nicks)?;
        if self.is_taken(&nick, index) {
            return Err(NickError::Taken);
        }
        if let Some(slot) = self.delivery.slot_mut(index) {
            self.old_nick = core::mem::replace(&mut slot.nick, nick).name;
        }
        Ok(())
    }

    /// Whether anybody but `except` has a nick like that, or it is kept for another source.
    fn is_taken(&self, nick: &Nick, except: u32) -> bool {
        let source = self.delivery.slot(except).map(|slot| slot.source);
        (0..NOBODY).zip(self.delivery.slots.iter()).any(|(at, slot)| {
            at != except
                && slot.nick.skeleton.is_like(nick.skeleton)
                && match slot.state {
                    SlotState::Vacant { kept, .. } => {
                        kept != Deadline::NEVER
                            && !kept.is_reached(self.delivery.clock)
                            && source != Some(slot.source)
                    }
                    _ => true,
                }
        })
    }

    /// Whom a name means, in whatever case it is written.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        let skeleton = (self.delivery.config.nicks.skeleton)(name);
        let is_meant = |slot: &MemberSlot| {
            slot.state == SlotState::Active && slot.nick.skeleton.means(skeleton)
        };
        let slots = (0..NOBODY).zip(self.delivery.slots.iter());
        slots.filter(|(_, slot)| is_meant(slot)).map(|(index, _)| index).next()
    }

    pub(super) fn id(&self, index: u32) -> Option<MemberId> {
        let slot = self.delivery.slot(index).filter(|slot| !slot.is_vacant())?;
        Some(MemberId { index, generation: slot.generation })
    }
}

/// A name, with its number behind it unless that is the first. `None`: it is too long.
fn with_number(name: &str, number: u32) -> Option<NickName> {
    let digits = decimal(number);
    let (dash, digits) = if number > 1 { ("-", digits.as_str()) } else { ("", "") };
    let mut bytes = heapless::Vec::new();
    for byte in [name, dash, digits].iter().flat_map(|part| part.bytes()) {
        bytes.push(byte).ok()?;
    }
    NickName::from_utf8(bytes).ok()
}

/// The number that [`with_number`] has put behind a name to make it this nick, if it has: 2 at least.
fn number_behind(nick: &str, name: &str) -> u32 {
    let Some([b'-', digits @ ..]) = nick.as_bytes().strip_prefix(name.as_bytes()) else { return 0 };
    let mut number = 0_u32;
    for digit in digits {
        let digit = u32::from(digit.wrapping_sub(b'0'));
        if digit > 9 || (digit | number) == 0 {
            return 0;
        }
        number = number.saturating_mul(10).saturating_add(digit);
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    extern crate std;
    use std::vec;

    /// After four thousand million guests.
    #[test]
    fn guests_are_numbered_anew_past_those_who_are_here() {
        let mut slots = [const { MemberSlot::vacant() }; 4];
        let mut sources = [const { SourceSlot::vacant() }; 1];
        let (mut entries, mut log) = ([LogEntry::EMPTY; 16], vec![0; 2_048]);
        let mut room =
            RoomState::new(&mut slots, &mut sources, &mut entries, &mut log, RoomConfig::new());
        let nick = |room: &RoomState<'_>, id| room.get(id).unwrap().nick.clone();
        let join = |room: &mut RoomState<'_>| room.join(Instant::ZERO, Source(1), None).unwrap();
        let first = join(&mut room);
        assert_eq!(nick(&room, first).as_str(), "guest1");
        room.guests = u32::MAX;
        for expected in ["guest0", "guest2"] {
            let next = join(&mut room);
            assert_eq!(nick(&room, next).as_str(), expected);
        }
    }
}
