//! The deadlines of an executor's tasks: a binary heap that knows where each task's entry is.
//!
//! A deadline is moved in nearly every turn. In an ordered set of the standard library that costs five
//! times as much as here, and every idle task 30 bytes more.

use barewire_core::time::Instant;

/// The position of a key without a deadline.
const ABSENT: u32 = u32::MAX;

/// At most one deadline a key, the earliest first. A key is allocated for once.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    /// A binary min-heap of deadlines and their keys.
    heap: Vec<(Instant, u32)>,
    /// Where in `heap` each key's entry is.
    positions: Vec<u32>,
}

impl Deadlines {
    /// The earliest deadline.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|(at, _)| *at)
    }

    /// Gives `key` the deadline `at` in place of the one it had; `None` takes it away.
    pub(super) fn set(&mut self, key: u32, at: Option<Instant>) {
        match (self.position(key), at) {
            (None, None) => {}
            (Some(position), None) => self.remove(position),
            (Some(position), Some(at)) => self.sift(position, (at, key)),
            (None, Some(at)) => {
                let known = self.positions.len().max(key as usize + 1);
                self.positions.resize(known, ABSENT);
                self.heap.push((at, key));
                self.sift(self.heap.len() - 1, (at, key));
            }
        }
    }

    /// Takes away a deadline that is due at `now`, the earliest first, and says whose it was.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<u32> {
        let (_, key) = *self.heap.first().filter(|(at, _)| *at <= now)?;
        self.remove(0);
        Some(key)
    }

    fn position(&self, key: u32) -> Option<usize> {
        let position = *self.positions.get(key as usize)?;
        (position != ABSENT).then_some(position as usize)
    }

    fn remove(&mut self, position: usize) {
        let (_, key) = self.heap.swap_remove(position);
        self.positions[key as usize] = ABSENT;
        if let Some(&moved) = self.heap.get(position) {
            self.sift(position, moved);
        }
    }

    /// Puts an entry where it belongs, from a `position` that is free for it: up or down.
    fn sift(&mut self, mut position: usize, entry: (Instant, u32)) {
        while position > 0 && entry.0 < self.heap[(position - 1) / 2].0 {
            let parent = (position - 1) / 2;
            self.put(position, self.heap[parent]);
            position = parent;
        }
        loop {
            let (left, right) = (2 * position + 1, 2 * position + 2);
            let is_right = right < self.heap.len() && self.heap[right].0 < self.heap[left].0;
            let child = if is_right { right } else { left };
            if child >= self.heap.len() || entry.0 <= self.heap[child].0 {
                break;
            }
            self.put(position, self.heap[child]);
            position = child;
        }
        self.put(position, entry);
    }

    fn put(&mut self, position: usize, entry: (Instant, u32)) {
        self.heap[position] = entry;
        // A heap of tasks is far smaller than its `u32` keys can count.
        self.positions[entry.1 as usize] = u32::try_from(position).unwrap_or(ABSENT);
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
