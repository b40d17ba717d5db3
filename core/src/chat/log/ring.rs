//! Slots that are used in turn.

/// A ring of slots. What goes into them is counted from the beginning of the room; 64 bits of that
/// last for ever.
#[derive(Debug)]
pub(super) struct Ring<'a, T> {
    pub(super) slots: &'a mut [T],
    /// How many have been used so far: the number of the next.
    next: u64,
    /// Where that one stands. Kept, since small processors take long to divide 64 bits.
    at: usize,
}

impl<'a, T> Ring<'a, T> {
    pub(super) fn new(slots: &'a mut [T]) -> Self {
        Self { slots, next: 0, at: 0 }
    }

    /// The number of the next.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// How many slots there are.
    pub(super) const fn size(&self) -> usize {
        self.slots.len()
    }

    /// Where `number` stands, as long as no later one has taken its slot; or where the next will.
    pub(super) fn slot(&self, number: u64) -> Option<usize> {
        let back = usize::try_from(self.next.checked_sub(number)?).ok()?;
        let before_wrap = self.at.saturating_add(self.slots.len());
        self.at.checked_sub(back).or_else(|| before_wrap.checked_sub(back))
    }

    /// The next `count` are used, at most as many as there are slots up to the wrap.
    pub(super) fn advance(&mut self, count: usize) {
        self.next = self.next.saturating_add(count as u64);
        let at = self.at.saturating_add(count);
        self.at = at.checked_sub(self.slots.len()).unwrap_or(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_where_a_division_would_put_them() {
        let mut slots = [0; 7];
        let mut ring = Ring::new(&mut slots);
        for step in [1, 3, 3, 2, 5, 1, 6, 4, 3] {
            ring.advance(step);
            for number in ring.next().saturating_sub(7)..=ring.next() {
                assert_eq!(ring.slot(number), usize::try_from(number % 7).ok());
            }
            assert_eq!(ring.slot(ring.next() + 1), None);
        }
        assert_eq!(ring.next(), 28);
    }
}
