//! Chance, from a seed.

use std::ops::RangeInclusive;

use barewire_core::time::Duration;

/// A stream of random choices: the same for the same seed.
#[derive(Clone, Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// The choices that `seed` stands for.
    pub fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// Choices of their own, so that one more choice here moves none there.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self(self.0.fork())
    }

    /// A count in `range`.
    pub fn count(&mut self, range: RangeInclusive<usize>) -> usize {
        self.0.usize(range)
    }

    /// A span of time in `range`.
    pub fn span(&mut self, range: RangeInclusive<Duration>) -> Duration {
        Duration::from_micros(self.0.u64(range.start().as_micros()..=range.end().as_micros()))
    }

    /// True in `percent` of a hundred cases.
    pub fn chance(&mut self, percent: u8) -> bool {
        self.0.u8(0..100) < percent
    }

    /// One of `choices`.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.0.usize(..choices.len())]
    }
}
