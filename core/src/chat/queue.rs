//! Those who wait, in turn.

use super::member_id::NOBODY;
use super::member_slot::MemberSlot;
use super::wait::Resource;
use crate::time::{Duration, Instant};

/// The members that wait for something, in the order in which they began to.
#[derive(Debug)]
pub(super) struct Queue {
    resource: Resource,
    /// How many wait.
    count: u32,
    /// The room itself waits as well, and is in nobody's way.
    pub(super) has_room_waiting: bool,
    next_ticket: u32,
    /// Who was found to be the first, and its ticket: as long as it waits, nobody else need be looked at.
    first: u32,
    first_ticket: u32,
    /// When patience began.
    since: Instant,
}

impl Queue {
    pub(super) const fn new(resource: Resource) -> Self {
        let (count, next_ticket, first_ticket) = (0, 0, 0);
        Self {
            resource,
            count,
            has_room_waiting: false,
            next_ticket,
            first: NOBODY,
            first_ticket,
            since: Instant::ZERO,
        }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.count == 0 && !self.has_room_waiting
    }

    /// When the patience of those who wait is at its end. `None`: nobody waits, or it never ends.
    pub(super) fn patience_ends(&self, patience: Duration) -> Option<Instant> {
        if self.is_empty() { None } else { self.since.checked_add(patience) }
    }

    /// Whether patience has come to its end; then it begins anew.
    pub(super) fn loses_patience(&mut self, now: Instant, patience: Duration) -> bool {
        let is_over = self.patience_ends(patience).is_some_and(|end| end <= now);
        if is_over {
            self.since = now;
        }
        is_over
    }

    /// Patience begins.
    pub(super) const fn begin(&mut self, now: Instant) {
        self.since = now;
    }

    /// Somebody begins to wait. Gives its ticket.
    pub(super) const fn enter(&mut self) -> u32 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.count = self.count.saturating_add(1);
        ticket
    }

    /// Somebody waits no longer.
    pub(super) const fn leave(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    /// How many wait before the member `index`, or more if some behind the first have gone; all, if it
    /// does not wait.
    pub(super) fn before(&mut self, slots: &[MemberSlot], index: u32) -> u32 {
        let Some(own) = self.ticket(slots, index).filter(|_| self.count > 0) else {
            return self.count;
        };
        self.first(slots);
        own.wrapping_sub(self.first_ticket).min(self.count.saturating_sub(1))
    }

    /// Who is the first of those who wait, if anybody does.
    pub(super) fn first(&mut self, slots: &[MemberSlot]) -> u32 {
        if !self.is_first_known(slots) {
            let tickets = (0..NOBODY).zip(slots).filter_map(|(index, slot)| {
                slot.wait.ticket(self.resource).map(|ticket| (index, ticket))
            });
            // The oldest ticket is the farthest behind the next.
            let oldest = tickets.max_by_key(|(_, ticket)| self.next_ticket.wrapping_sub(*ticket));
            (self.first, self.first_ticket) = oldest.unwrap_or((NOBODY, 0));
        }
        self.first
    }

    fn is_first_known(&self, slots: &[MemberSlot]) -> bool {
        self.ticket(slots, self.first) == Some(self.first_ticket)
    }

    fn ticket(&self, slots: &[MemberSlot], index: u32) -> Option<u32> {
        slots.get(usize::try_from(index).ok()?)?.wait.ticket(self.resource)
    }
}
