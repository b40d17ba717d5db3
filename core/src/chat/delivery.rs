//! Delivery of the log to the members, none of whom may hold up the others for long.

use super::config::RoomConfig;
use super::cursor::Unread;
use super::limits::{RESERVE, max_line_bytes};
use super::log::Log;
use super::member_id::{NOBODY, OPERATOR};
use super::member_slot::{MemberSlot, SlotState};
use super::queue::Queue;
use super::wait::{Resource, Wait};
use crate::time::Instant;
use crate::time::deadline::Deadline;

/// The log, and the members with their cursors into it.
#[derive(Debug)]
pub(super) struct Delivery<'a> {
    pub(super) config: RoomConfig,
    pub(super) slots: &'a mut [MemberSlot],
    pub(super) log: Log<'a>,
    /// The latest time that anybody told.
    pub(super) clock: Instant,
    /// No reader needs what stands before it.
    low_water: u64,
    /// Who was found there: as long as it stands there, nobody else need be looked at.
    slowest: u32,
    /// Those who wait for room, and for buffers.
    room_queue: Queue,
    pub(super) buffer_queue: Queue,
    /// Since patience with those who make no room began: who has had a turn since then is known by this
    /// number, and is to read up to this mark.
    period: u16,
    mark: u64,
    /// There is something to read, or somebody may go on.
    pub(super) needs_poll: bool,
}

impl<'a> Delivery<'a> {
    pub(super) const fn new(config: RoomConfig, slots: &'a mut [MemberSlot], log: Log<'a>) -> Self {
        Self {
            config,
            slots,
            log,
            clock: Instant::ZERO,
            low_water: 0,
            slowest: NOBODY,
            room_queue: Queue::new(Resource::Room),
            buffer_queue: Queue::new(Resource::Buffer),
            period: 0,
            mark: 0,
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
        max_line_bytes(self.config.max_text)
    }

    /// A member has a turn, and can read what it is shown.
    pub(super) fn begin_turn(&mut self, index: u32) {
        let period = self.period;
        let Some(slot) = self.slot_mut(index) else { return };
        slot.seen_in = period;
        if let Wait::Room { is_offered: false, .. } = slot.wait {
            let now_fits = self.fits(index);
            if let Some(slot) = self.slot_mut(index)
                && let Wait::Room { fits, .. } = &mut slot.wait
            {
                *fits = now_fits;
            }
        }
    }

    /// Whether there is room for a line that a member says, for a line of each that waits before it, and
    /// for notices besides.
    fn fits(&mut self, index: u32) -> bool {
        let before = self.room_queue.before(self.slots, index);
        let (bytes, lines) = self.wanted(before.saturating_add(1));
        self.make_room(bytes, lines)
    }

    /// Whether a member may say a line. If not, its input waits from `now` on.
    pub(super) fn has_room(&mut self, index: u32, now: Instant) -> bool {
        let waits = |slot: &MemberSlot| slot.wait.ticket(Resource::Room).is_some();
        if self.fits(index) {
            if self.slot(index).is_some_and(waits) {
                self.stop_waiting(index);
            }
            return true;
        }
        if !self.slot(index).is_some_and(waits) {
            self.stop_waiting(index);
            let ticket = self.enter_room_queue(now);
            if let Some(slot) = self.slot_mut(index) {
                slot.wait = Wait::Room { ticket, is_offered: false, fits: false };
                slot.pause(now, true);
            }
        }
        false
    }

    /// Somebody begins to wait for room. If all have read what they were to read since that happened
    /// before, patience begins anew. Else it goes on, even if nobody waited meanwhile: who lets one line
    /// through shortly before its end would always have it begin anew.
    fn enter_room_queue(&mut self, now: Instant) -> u32 {
        self.ask_for_room(now);
        self.room_queue.enter()
    }

    fn ask_for_room(&mut self, now: Instant) {
        if self.low_water >= self.mark {
            self.room_queue.begin(now);
            self.begin_period();
        }
    }

    /// The room itself has something to tell, and waits for room from `now` on, or no more.
    pub(super) fn wait_for_notice(&mut self, now: Instant, waits: bool) {
        let has_waited = core::mem::replace(&mut self.room_queue.has_room_waiting, waits);
        if waits && !has_waited {
            self.ask_for_room(now);
        }
    }

    /// A member waits no longer.
    pub(super) fn stop_waiting(&mut self, index: u32) {
        let now = self.clock;
        let Some(slot) = self.slot_mut(index) else { return };
        match core::mem::replace(&mut slot.wait, Wait::Nothing) {
            Wait::Nothing => {}
            Wait::Buffer { ticket } => {
                self.buffer_queue.leave(ticket);
                self.needs_poll |= !self.buffer_queue.is_empty();
            }
            Wait::Room { ticket, .. } => {
                slot.pause(now, false);
                self.room_queue.leave(ticket);
                self.expect_room();
            }
        }
    }

    /// There may be room for those who wait, if there are any.
    pub(super) const fn expect_room(&mut self) {
        self.needs_poll |= !self.room_queue.is_empty();
    }

    /// When those who wait for room lose patience.
    pub(super) fn patience_ends(&self) -> Option<Instant> {
        self.room_queue.patience_ends(self.config.patience)
    }

    /// What a line that is said must find free for `count` of the longest, and what is kept for notices.
    const fn wanted(&self, count: u32) -> (usize, usize) {
        let count = count as usize;
        let bytes = self.max_line().saturating_mul(count);
        let reserve = (self.log.capacity() / RESERVE, self.log.lines() / RESERVE);
        (bytes.saturating_add(reserve.0), count.saturating_add(reserve.1))
    }

    /// Where the history of a new member begins, that leaves room for a line, and stands where nobody is
    /// to make room who was here before.
    pub(super) fn history(&self) -> u64 {
        let (bytes, lines) = self.wanted(1);
        let earliest = self.log.first_kept(bytes, lines).max(self.log.middle()).max(self.mark);
        self.log.history(self.config.history, earliest)
    }

    /// Makes so much room, if no reader stands in the way.
    pub(super) fn make_room(&mut self, bytes: usize, lines: usize) -> bool {
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
    fn advance(&mut self, index: u32) {
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

    /// Patience with those who make no room begins: from now on, each is to have a turn, and in time to
    /// read what stands before the mark. So much more than a line is free then that nobody can hold the
    /// room to a line at a time.
    fn begin_period(&mut self) {
        self.period = self.period.wrapping_add(1);
        let (line, lines) = self.wanted(1);
        let bytes = line.saturating_add(self.log.capacity() / RESERVE).max(self.log.capacity() / 2);
        let lines = lines.saturating_add(self.log.lines() / RESERVE).max(self.log.lines() / 2);
        self.mark = self.log.first_kept(bytes, lines);
        self.needs_poll = true;
    }

    /// If patience is at its end, drops those who had a turn since it began and stand before the mark
    /// still. Who has had none is waited for once more.
    pub(super) fn try_patience(&mut self, now: Instant) {
        if !self.room_queue.loses_patience(now, self.config.patience) {
            return;
        }
        self.find_low_water();
        for index in 0..NOBODY {
            let Some(slot) = self.slots.get_mut(index as usize) else { break };
            if !slot.reads() || slot.cursor.low_water() >= self.mark {
                continue;
            }
            if index == OPERATOR {
                slot.cursor = slot.cursor.overrun(&self.log);
            } else if slot.seen_in == self.period {
                slot.state = SlotState::Dropped;
                self.stop_waiting(index);
            }
        }
        self.find_low_water();
        self.begin_period();
        self.expect_room();
    }

    /// What waits for a member, and whether more is certain to follow that.
    pub(super) fn unread(&self, index: u32) -> (Unread<'_>, bool) {
        let Some(slot) = self.slot(index).filter(|slot| slot.reads()) else {
            return (Unread::Nothing, false);
        };
        let (log, nick, end) = (&self.log, slot.nick.as_str(), slot.end());
        let lent = slot.cursor.unread(log, index, nick, end);
        let more = match lent {
            Unread::Nothing => false,
            Unread::Lines(_, stop) if stop >= log.end() => false,
            Unread::Lines(..) | Unread::Text(..) => {
                slot.cursor.has_more(log, index, nick, end, lent)
            }
        };
        (lent, more)
    }

    /// A member has taken `count` bytes of what waited for it; or, if nothing did and it says no more,
    /// its direction has been ended.
    pub(super) fn sent(&mut self, index: u32, now: Instant, count: usize) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.reads()) else { return };
        let cursor = slot.cursor;
        let waited = cursor.unread(&self.log, index, slot.nick.as_str(), slot.end());
        let most = waited.len();
        if let SlotState::Draining { deadline, .. } = &mut slot.state {
            if most == 0 {
                slot.state = SlotState::Shutdown;
            } else if count > 0 {
                *deadline = Deadline::after(now, self.config.end_timeout);
            }
        }
        slot.cursor = cursor.sent(&self.log, slot.nick.as_str(), waited, count.min(most));
        let needs = slot.cursor.low_water();
        self.lower_low_water(needs, index);
        // Somebody may have waited for that.
        if self.slowest == index {
            self.expect_room();
        }
    }
}
