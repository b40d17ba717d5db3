//! Randomness that is none, so that each run is the same.

use barewire_core::secure::RandomFn;
use barewire_core::secure::rand_core::CryptoRng;

/// Bytes without a pattern that matters, from a seed.
pub(super) fn dice(mut seed: u64) -> impl CryptoRng {
    RandomFn::new(move |bytes| {
        for byte in bytes {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = seed.to_be_bytes()[0];
        }
    })
}
