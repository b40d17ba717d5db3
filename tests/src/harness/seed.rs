//! Random bytes that a failure tells how to get again.

use std::env;
use std::hash::{BuildHasher, RandomState};

/// Names a seed to use instead of a fresh one.
pub const SEED_VARIABLE: &str = "BAREWIRE_SEED";

/// A stream of random numbers: `SplitMix64`, by Steele, Lea and Flood,
/// "Fast Splittable Pseudorandom Number Generators" (2014).
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// Starts from a fresh seed, or from the one in the environment, and prints it, which a test
    /// shows when it fails.
    pub fn from_printed_seed() -> Self {
        let seed = match env::var(SEED_VARIABLE) {
            Ok(seed) => seed.parse().expect("a seed is a number"),
            Err(_) => RandomState::new().hash_one("seed"),
        };
        eprintln!("to repeat: {SEED_VARIABLE}={seed}");
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Up to `most` bytes, each of any value.
    pub fn bytes(&mut self, most: u16) -> Vec<u8> {
        let length = self.number() % (u64::from(most) + 1);
        (0..length).map(|_| self.number().to_le_bytes()[0]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Random;

    /// The first outputs for seed 0, as every implementation of the algorithm gives them.
    #[test]
    fn it_is_splitmix64() {
        let mut random = Random(0);
        let numbers = [random.number(), random.number(), random.number()];
        assert_eq!(numbers, [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4, 0x06c4_5d18_8009_454f]);
    }
}
