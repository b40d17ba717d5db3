//! Randomness by a function.

use core::convert::Infallible;
use core::fmt;

use rand_core::utils::next_word_via_fill;
use rand_core::{TryCryptoRng, TryRng};

/// Randomness by a function that fills a slice: that of a board's generator, say, or of a crate that was made
/// for another version of [`rand_core`].
///
/// The function fills all of the slice with chance that nobody can foresee. Where it cannot, it must not return:
/// what is said with secrets that can be foreseen can be read by everybody.
///
/// ```
/// use barewire_core::secure::{Key, RandomFn};
///
/// # fn fill_from_generator(bytes: &mut [u8]) {
/// #     std::io::Read::read_exact(&mut std::fs::File::open("/dev/urandom").unwrap(), bytes).unwrap();
/// # }
/// let mut random = RandomFn::new(|bytes| fill_from_generator(bytes));
/// let key = Key::generate(&mut random);
/// assert_ne!(key.as_bytes(), Key::generate(&mut random).as_bytes());
/// ```
#[derive(Clone, Copy)]
pub struct RandomFn<F> {
    fill: F,
}

impl<F: FnMut(&mut [u8])> RandomFn<F> {
    /// Whatever `fill` gives.
    pub const fn new(fill: F) -> Self {
        Self { fill }
    }
}

impl<F: FnMut(&mut [u8])> TryRng for RandomFn<F> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        (self.fill)(bytes);
        Ok(())
    }
}

impl<F: FnMut(&mut [u8])> TryCryptoRng for RandomFn<F> {}

impl<F> fmt::Debug for RandomFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RandomFn(…)")
    }
}
