//! Those who wait, in turn.

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
    /// The ticket of the first of those who wait, as far as it was looked for.
    first: Option<u32>,
    /// When patience began.
    since: Instant,
}

impl Queue {
    pub(super) const fn new(resource: Resource) -> Self {
        let (count, next_ticket, first) = (0, 0, None);
        Self { resource, count, has_room_waiting: false, next_ticket, first, since: Instant::ZERO }
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

    /// Who has this ticket waits no longer.
    pub(super) fn leave(&mut self, ticket: u32) {
        self.count = self.count.saturating_sub(1);
        self.first.take_if(|first| *first == ticket);
    }

    /// How many wait before the member `index`, or more if some behind the first have gone; all, if it
    /// does not wait.
    pub(super) fn before(&mut self, slots: &[MemberSlot], index: u32) -> u32 {
        let slot = usize::try_from(index).ok().and_then(|index| slots.get(index));
        let Some(own) = slot.and_then(|slot| slot.wait.ticket(self.resource)) else {
            return self.count;
        };
        own.wrapping_sub(self.first(slots, own)).min(self.count.saturating_sub(1))
    }

    /// The ticket of the first of those who wait, of whom `own` is one.
    fn first(&mut self, slots: &[MemberSlot], own: u32) -> u32 {
        *self.first.get_or_insert_with(|| {
            let tickets = slots.iter().filter_map(|slot| slot.wait.ticket(self.resource));
            // The oldest ticket is the farthest behind the next.
            tickets.max_by_key(|ticket| self.next_ticket.wrapping_sub(*ticket)).unwrap_or(own)
        })
    }
}
