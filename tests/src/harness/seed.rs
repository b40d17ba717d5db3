//! Random bytes that a failure tells how to get again.

use std::env;

/// Names a seed to use instead of a fresh one.
pub const SEED_VARIABLE: &str = "BAREWIRE_SEED";

/// A stream of random numbers.
#[derive(Debug)]
pub struct Random(fastrand::Rng);

impl Random {
    /// Starts from a fresh seed, or from the one in the environment, and prints it, which a test
    /// shows when it fails.
    pub fn from_printed_seed() -> Self {
        let seed = match env::var(SEED_VARIABLE) {
            Ok(seed) => seed.parse().expect("a seed is a number"),
            Err(_) => fastrand::u64(..),
        };
        eprintln!("to repeat: {SEED_VARIABLE}={seed}");
        Self(fastrand::Rng::with_seed(seed))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    /// Up to `most` bytes, each of any value.
    pub fn bytes(&mut self, most: u16) -> Vec<u8> {
        let mut bytes = vec![0; usize::from(self.0.u16(..=most))];
        self.0.fill(&mut bytes);
        bytes
    }
}
