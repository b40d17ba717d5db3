//! Randomness that is none, so that each run is the same.

use std::convert::Infallible;

use barewire_core::secure::rand_core::utils::next_word_via_fill;
use barewire_core::secure::rand_core::{TryCryptoRng, TryRng};

/// Bytes without a pattern that matters, from a seed.
pub(super) struct Dice(pub(super) u64);

impl TryRng for Dice {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

impl TryCryptoRng for Dice {}
