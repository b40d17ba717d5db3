//! Virtual time: what happens when.

use std::collections::BTreeMap;

use barewire_core::time::Instant;

/// What is going to happen, in the order of time. Time passes only from one event to the next.
#[derive(Debug)]
pub struct Schedule<E> {
    now: Instant,
    /// The number tells events of one instant apart: they happen in the order of their entry.
    events: BTreeMap<(Instant, u64), E>,
    entered: u64,
}

impl<E> Schedule<E> {
    /// Nothing is going to happen yet, and it is `now`.
    pub const fn new(now: Instant) -> Self {
        Self { now, events: BTreeMap::new(), entered: 0 }
    }

    /// The time of the latest event.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Enters an event. What is entered for the past, a deadline missed, say, happens now.
    pub fn enter(&mut self, at: Instant, event: E) {
        self.events.insert((at.max(self.now), self.entered), event);
        self.entered += 1;
    }

    /// Lets time pass until the next event, and takes it out.
    pub fn advance(&mut self) -> Option<E> {
        let ((at, _), event) = self.events.pop_first()?;
        self.now = at;
        Some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_the_order_of_time_and_of_entry() {
        let at = Instant::from_millis;
        let mut schedule = Schedule::new(at(5));
        for (millis, event) in [(9, "last"), (7, "first"), (7, "second"), (1, "at once")] {
            schedule.enter(at(millis), event);
        }
        let mut happened = Vec::new();
        while let Some(event) = schedule.advance() {
            happened.push((schedule.now(), event));
        }
        let expected = [(5, "at once"), (7, "first"), (7, "second"), (9, "last")];
        assert_eq!(happened, expected.map(|(millis, event)| (at(millis), event)));
    }
}
