//! The deadlines of an executor's tasks: a binary heap that knows where each task's entry is.

use barewire_core::time::Instant;

/// Marks a key without a deadline in [`Deadlines::places`].
const NOWHERE: u32 = u32::MAX;

/// At most one deadline a key, the earliest first.
///
/// Setting, moving and removing one takes O(log n) steps, leaves no stale entry behind, and
/// allocates only when a key is used for the first time.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// A binary min-heap.
    heap: Vec<Entry>,
    /// Where in `heap` each key's entry is.
    places: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: Instant,
    key: u32,
}

impl Deadlines {
    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|entry| entry.at)
    }

    /// Gives `key` the deadline `at` in place of the one it had; `None` takes it away.
    pub(super) fn set(&mut self, key: u32, at: Option<Instant>) {
        let place = self.place(key);
        match (at, place) {
            (None, None) => {}
            (None, Some(place)) => self.remove(place),
            (Some(at), Some(place)) if self.heap[place].at == at => {}
            (Some(at), Some(place)) => {
                self.heap[place].at = at;
                let place = self.rise(place);
                self.sink(place);
            }
            (Some(at), None) => {
                let slot = key as usize;
                if slot >= self.places.len() {
                    self.places.resize(slot + 1, NOWHERE);
                }
                self.heap.push(Entry { at, key });
                let last = self.heap.len() - 1;
                self.settle(last);
                self.rise(last);
            }
        }
    }

    /// Takes away a deadline that is due at `now`, the earliest first, and says whose it was.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        let Entry { at, key } = *self.heap.first()?;
        if at > now {
            return None;
        }
        self.remove(0);
        Some(key)
    }

    fn place(&self, key: u32) -> Option<usize> {
        self.places
            .get(key as usize)
            .filter(|&&place| place != NOWHERE)
            .map(|&place| place as usize)
    }

    fn remove(&mut self, place: usize) {
        let removed = self.heap.swap_remove(place);
        self.places[removed.key as usize] = NOWHERE;
        if place < self.heap.len() {
            self.settle(place);
            let place = self.rise(place);
            self.sink(place);
        }
    }

    /// Moves the entry at `place` up to where it belongs.
    fn rise(&mut self, mut place: usize) -> usize {
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.heap[parent].at <= self.heap[place].at {
                break;
            }
            self.swap(place, parent);
            place = parent;
        }
        place
    }

    /// Moves the entry at `place` down to where it belongs.
    fn sink(&mut self, mut place: usize) {
        loop {
            let left = 2 * place + 1;
            let right = left + 1;
            let mut least = place;
            for child in [left, right] {
                if child < self.heap.len() && self.heap[child].at < self.heap[least].at {
                    least = child;
                }
            }
            if least == place {
                return;
            }
            self.swap(place, least);
            place = least;
        }
    }

    fn swap(&mut self, one: usize, other: usize) {
        self.heap.swap(one, other);
        self.settle(one);
        self.settle(other);
    }

    /// Notes that the entry at `place` is there.
    fn settle(&mut self, place: usize) {
        let key = self.heap[place].key;
        // A heap of tasks is far smaller than its `u32` keys can count.
        self.places[key as usize] = u32::try_from(place).unwrap_or(NOWHERE);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::testing::Random;

    #[test]
    fn agrees_with_a_sorted_map_under_random_changes() {
        let mut random = Random::seeded();
        let mut deadlines = Deadlines::default();
        let mut model = BTreeMap::new();
        for _ in 0..20_000 {
            let key = random.below(100);
            match random.below(4) {
                0 => {
                    deadlines.set(key, None);
                    model.remove(&key);
                }
                1 => {
                    let now = Instant::from_micros(random.below(1_000).into());
                    let due = deadlines.pop_due(now);
                    let earliest = model.values().min().copied().filter(|&at| at <= now);
                    assert_eq!(due.and_then(|key| model.remove(&key)), earliest);
                }
                _ => {
                    let at = Instant::from_micros(random.below(1_000).into());
                    deadlines.set(key, Some(at));
                    model.insert(key, at);
                }
            }
            assert_eq!(deadlines.next(), model.values().min().copied());
            assert_eq!(deadlines.heap.len(), model.len());
        }
    }
}
