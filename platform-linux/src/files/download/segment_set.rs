//! Which segments of a file, by their numbers.

/// A bit for each segment up to the last that is in it.
#[derive(Clone, Debug, Default)]
pub(super) struct SegmentSet {
    words: Vec<u64>,
    count: u64,
    /// All before this one are in it.
    first_absent: u64,
}

const BITS: u64 = u64::BITS as u64;

impl SegmentSet {
    /// How many are in it.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.word(number / BITS) >> (number % BITS) & 1 == 1
    }

    pub(super) fn insert(&mut self, number: u64) {
        if !self.contains(number) {
            let at = index(number);
            if self.words.len() <= at {
                self.words.resize(at + 1, 0);
            }
            self.words[at] |= 1 << (number % BITS);
            self.count += 1;
            if number == self.first_absent {
                self.first_absent = self.next_absent(number);
            }
        }
    }

    pub(super) fn remove(&mut self, number: u64) {
        if self.contains(number) {
            self.words[index(number)] &= !(1 << (number % BITS));
            self.count -= 1;
            self.first_absent = self.first_absent.min(number);
        }
    }

    /// Takes all out from `number` on.
    pub(super) fn truncate(&mut self, number: u64) {
        if self.words.len() > index(number) {
            self.words.truncate(index(number) + 1);
            self.words[index(number)] &= (1 << (number % BITS)) - 1;
        }
        self.first_absent = self.first_absent.min(number);
        self.count = self.words.iter().map(|word| u64::from(word.count_ones())).sum();
    }

    /// The first that is not in it.
    pub(super) fn first_absent(&self) -> u64 {
        self.first_absent
    }

    /// The first from `number` on that is in it.
    pub(super) fn next(&self, number: u64) -> Option<u64> {
        self.find(number, |word| word)
    }

    /// The first from `number` on that is not.
    pub(super) fn next_absent(&self, number: u64) -> u64 {
        self.find(number, |word| !word).unwrap_or(number)
    }

    /// The number behind the last one.
    pub(super) fn end(&self) -> u64 {
        let last = self.words.iter().rposition(|word| *word != 0);
        last.map_or(0, |at| at as u64 * BITS + u64::from(self.words[at].ilog2()) + 1)
    }

    /// The first from `number` on whose bit is set in what is made of its word.
    fn find(&self, number: u64, make: impl Fn(u64) -> u64) -> Option<u64> {
        let from = number / BITS;
        let behind = (self.words.len() as u64).max(from);
        (from..=behind).find_map(|at| {
            let before = if at == from { (1 << (number % BITS)) - 1 } else { 0 };
            let word = make(self.word(at)) & !before;
            (word != 0).then(|| at * BITS + u64::from(word.trailing_zeros()))
        })
    }

    fn word(&self, at: u64) -> u64 {
        usize::try_from(at).ok().and_then(|at| self.words.get(at)).copied().unwrap_or(0)
    }
}

/// Where the bit of a segment is.
fn index(number: u64) -> usize {
    usize::try_from(number / BITS).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_is_a_set() {
        let mut state = 1_u64;
        let mut random = |most: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % most
        };
        let (mut set, mut model) = (SegmentSet::default(), BTreeSet::new());
        for _ in 0..5_000 {
            let number = random(300);
            match random(20) {
                0..12 => {
                    set.insert(number);
                    model.insert(number);
                }
                12..19 => {
                    set.remove(number);
                    model.remove(&number);
                }
                _ => {
                    set.truncate(number);
                    model.retain(|it| *it < number);
                }
            }
            assert_eq!(set.count(), model.len() as u64);
            assert_eq!(set.end(), model.last().map_or(0, |last| last + 1));
            let number = random(400);
            assert_eq!(set.contains(number), model.contains(&number));
            assert_eq!(set.next(number), model.range(number..).next().copied());
            let absent = (number..=400).find(|it| !model.contains(it)).unwrap();
            assert_eq!(set.next_absent(number), absent);
            let first = (0..=300).find(|it| !model.contains(it)).unwrap();
            assert_eq!(set.first_absent(), first);
        }
    }

    #[test]
    fn what_is_far_away_is_absent_and_costs_nothing() {
        let set = SegmentSet::default();
        let far = u64::MAX / 1024;
        assert!(!set.contains(far) && set.next(far).is_none());
        assert_eq!(set.next_absent(far), far);
    }
}
