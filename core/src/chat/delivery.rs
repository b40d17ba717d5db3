//! Delivery of the log to the members, none of whom may hold up the others for long.

use super::config::RoomConfig;
use super::cursor::Unread;
use super::limits::{RESERVE, max_line_bytes};
use super::log::Log;
use super::member_id::{NOBODY, OPERATOR};
use super::member_slot::{MemberSlot, SlotState};
use crate::time::Instant;
use crate::time::deadline::Deadline;

/// The log, and the members with their cursors into it.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    pub(super) config: RoomConfig,
    pub(super) slots: &'a mut [MemberSlot],
    pub(super) log: Log<'a>,
    /// No reader needs what stands before it.
    low_water: u64,
    /// Who was found there: as long as it stands there, nobody else need be looked at.
    slowest: u32,
    /// How many senders wait for room, and since when the first of them has.
    blocked: u32,
    blocked_since: Option<Instant>,
    /// There is something to read, or somebody may go on.
    pub(super) needs_poll: bool,
}

impl<'a> Delivery<'a> {
    pub(super) const fn new(config: RoomConfig, slots: &'a mut [MemberSlot], log: Log<'a>) -> Self {
        Self {
            config,
            slots,
            log,
            low_water: 0,
            slowest: NOBODY,
            blocked: 0,
            blocked_since: None,
            needs_poll: false,
        }
    }

    pub(super) fn slot(&self, index: u32) -> Option<&MemberSlot> {
        self.slots.get(usize::try_from(index).ok()?)
    }

    pub(super) fn slot_mut(&mut self, index: u32) -> Option<&mut MemberSlot> {
        self.slots.get_mut(usize::try_from(index).ok()?)
    }

    pub(super) const fn max_line(&self) -> usize {
        max_line_bytes(self.config.max_text as usize)
    }

    /// Whether there is room for a line that a member says, and for notices besides. If not, its
    /// input waits from `now` on.
    pub(super) fn has_room(&mut self, index: u32, now: Instant) -> bool {
        let (bytes, lines) = self.wanted();
        let has_room = self.make_room(bytes, lines);
        self.set_blocked(index, !has_room);
        if has_room {
            self.blocked_since = None;
        } else {
            self.blocked_since.get_or_insert(now);
        }
        has_room
    }

    pub(super) fn set_blocked(&mut self, index: u32, blocked: bool) {
        let Some(slot) = self.slot_mut(index) else { return };
        let was_blocked = core::mem::replace(&mut slot.blocked, blocked);
        self.blocked =
            self.blocked.saturating_add(u32::from(blocked)).saturating_sub(u32::from(was_blocked));
        if self.blocked == 0 {
            self.blocked_since = None;
        }
    }

    /// When those who keep others waiting are dropped. `None`: nobody waits, or there may be room.
    pub(super) fn patience_ends(&self) -> Option<Instant> {
        self.blocked_since?.checked_add(self.config.patience)
    }

    /// When a sender that waits is to try again: at once, if there may be room.
    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        if self.blocked_since.is_none() { Some(Instant::ZERO) } else { self.patience_ends() }
    }

    /// Those who still have not made room are dropped, and with them those in the older half of the
    /// log who have read nothing in the meantime: else each of them would be waited for.
    pub(super) fn lose_patience(&mut self) {
        let since = self.blocked_since.take().unwrap_or(Instant::ZERO);
        self.drop_readers(self.wanted(), self.log.middle(), since);
    }

    /// What a line that is said must find free: the longest line, and what is kept for notices.
    pub(super) const fn wanted(&self) -> (usize, usize) {
        let bytes = (self.log.capacity() / RESERVE).saturating_add(self.max_line());
        (bytes, (self.log.lines() / RESERVE).saturating_add(1))
    }

    /// Makes room for a notice, at any price.
    pub(super) fn force_room(&mut self) {
        let (bytes, lines) = (self.max_line(), 1);
        if !self.make_room(bytes, lines) {
            self.drop_readers((bytes, lines), 0, Instant::ZERO);
        }
    }

    fn make_room(&mut self, bytes: usize, lines: usize) -> bool {
        if self.log.make_room(bytes, lines, self.low_water) {
            return true;
        }
        self.advance(self.slowest);
        let stands = |slot: &MemberSlot| slot.reads() && slot.cursor.low_water() <= self.low_water;
        if self.slot(self.slowest).is_some_and(stands) {
            return false;
        }
        self.find_low_water();
        self.log.make_room(bytes, lines, self.low_water)
    }

    /// Moves a reader past what it is not shown.
    pub(super) fn advance(&mut self, index: u32) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        if let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.reads()) {
            slot.cursor = slot.cursor.advanced(&self.log, index, slot.end());
        }
    }

    /// Looks for the first byte that any reader needs. Each is moved past what it is not shown.
    fn find_low_water(&mut self) {
        self.low_water = self.log.end();
        for (index, slot) in (0..NOBODY).zip(self.slots.iter_mut()) {
            if slot.reads() {
                slot.cursor = slot.cursor.advanced(&self.log, index, slot.end());
                let needs = slot.cursor.low_water();
                if needs < self.low_water {
                    (self.low_water, self.slowest) = (needs, index);
                }
            }
        }
    }

    /// A reader goes back to `needs`.
    pub(super) const fn lower_low_water(&mut self, needs: u64, index: u32) {
        if needs < self.low_water {
            (self.low_water, self.slowest) = (needs, index);
        }
    }

    /// Drops those who are in the way of so much room, and those before `middle` who have read nothing
    /// since then.
    fn drop_readers(&mut self, (bytes, lines): (usize, usize), middle: u64, since: Instant) {
        self.find_low_water();
        let first = self.log.first_kept(bytes, lines);
        for index in 0..NOBODY {
            let Some(slot) = self.slots.get_mut(index as usize) else { break };
            if !slot.reads() {
                continue;
            }
            let needs = slot.cursor.low_water();
            // A newcomer's time begins now.
            let has_stalled = needs < middle && *slot.read_at.get_or_insert(since) < since;
            if needs >= first && !has_stalled {
                continue;
            }
            if index == OPERATOR {
                slot.cursor = slot.cursor.overrun(&self.log);
            } else {
                slot.state = SlotState::Dropped;
                self.set_blocked(index, false);
            }
        }
        self.find_low_water();
        self.needs_poll = true;
        self.log.make_room(bytes, lines, self.low_water);
    }

    /// What waits for a member.
    pub(super) fn unread(&self, index: u32) -> Unread {
        self.slot(index).filter(|slot| slot.reads()).map_or(Unread::Nothing, |slot| {
            let end = slot.end();
            slot.cursor.advanced(&self.log, index, end).unread(&self.log, index, end)
        })
    }

    /// A member has taken `count` bytes of what waited for it; or, if nothing did and it says no more,
    /// its direction has been ended.
    pub(super) fn sent(&mut self, index: u32, now: Instant, count: usize) {
        let unread = self.unread(index);
        self.advance(index);
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.reads()) else { return };
        if let SlotState::Draining { deadline, .. } = &mut slot.state {
            if unread == Unread::Nothing {
                slot.state = SlotState::Shutdown;
            } else if count > 0 {
                *deadline = Deadline::after(now, self.config.end_timeout);
            }
        }
        if count > 0 {
            slot.read_at = Some(now);
        }
        slot.cursor = slot.cursor.sent(&self.log, unread, count);
        let needs = slot.cursor.low_water();
        self.lower_low_water(needs, index);
        // Somebody may have waited for that.
        self.needs_poll |= self.blocked > 0 && self.slowest == index;
    }
}
