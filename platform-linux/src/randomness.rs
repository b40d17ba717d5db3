//! What nobody foresees.

use core::convert::Infallible;
use core::fmt;
use std::io;

use barewire_core::secure::rand_core::utils::next_word_via_fill;
use barewire_core::secure::rand_core::{TryCryptoRng, TryRng};
use nix::errno::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes from the system's source of randomness (`getrandom(2)`), fit for keys. Right after the machine has
/// started, it waits until there are some.
///
/// # Errors
/// Those of `getrandom(2)`, in words: a filter forbids it, say.
pub fn random_bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match getrandom(&mut *rest, GetRandomFlags::empty()) {
            Ok(count) => rest = &mut rest[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(refused(error)),
        }
    }
    Ok(())
}

/// In words: who reads "permission denied" thinks of a file.
fn refused(error: rustix::io::Errno) -> io::Error {
    let error = Errno::from_raw(error.raw_os_error());
    io::Error::other(format!(
        "the system gives no randomness: getrandom fails with {error:?} (does a filter of system calls refuse it?)"
    ))
}

/// The system's randomness, fit for keys and nonces, `AHEAD` bytes a system call: those that were drawn ahead are
/// wiped when they are given, or no longer wanted.
pub struct SystemRandom<const AHEAD: usize> {
    ahead: Zeroizing<[u8; AHEAD]>,
    /// How many of them are left, at the end.
    left: usize,
}

/// For the nonces of datagrams, a batch of them at once.
pub type NonceRandom = SystemRandom<{ 64 * 24 }>;

impl<const AHEAD: usize> SystemRandom<AHEAD> {
    /// A source from which nothing has been drawn.
    ///
    /// # Errors
    /// Those of [`random_bytes`].
    pub fn new() -> io::Result<Self> {
        let mut random = Self { ahead: Zeroizing::new([0; AHEAD]), left: 0 };
        random.draw()?;
        Ok(random)
    }

    fn draw(&mut self) -> io::Result<()> {
        fill(&mut *self.ahead)?;
        self.left = AHEAD;
        Ok(())
    }
}

impl<const AHEAD: usize> TryRng for SystemRandom<AHEAD> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        next_word_via_fill(self)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        next_word_via_fill(self)
    }

    /// # Panics
    /// If the system gives no randomness any more. Once it has, it does so for ever (`getrandom(2)`), unless
    /// this process forbids that to itself.
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for part in bytes.chunks_mut(AHEAD) {
            if self.left < part.len() {
                self.draw().expect("the system has given randomness before");
            }
            let start = AHEAD - self.left;
            let drawn = &mut self.ahead[start..start + part.len()];
            part.copy_from_slice(drawn);
            drawn.zeroize();
            self.left -= part.len();
        }
        Ok(())
    }
}

impl<const AHEAD: usize> TryCryptoRng for SystemRandom<AHEAD> {}

impl<const AHEAD: usize> fmt::Debug for SystemRandom<AHEAD> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SystemRandom(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use barewire_core::secure::rand_core::Rng as _;

    use super::*;

    #[test]
    fn no_two_are_alike() {
        assert_ne!(random_bytes::<32>().unwrap(), random_bytes::<32>().unwrap());
        assert_eq!(random_bytes::<0>().unwrap(), []);
    }

    #[test]
    fn nothing_is_given_twice_however_much_is_asked_for() {
        const AHEAD: usize = 48;
        let mut random = SystemRandom::<AHEAD>::new().unwrap();
        let mut seen = HashSet::new();
        for length in [16, 24, 100, AHEAD - 1, AHEAD, 3 * AHEAD + 17].repeat(5) {
            let mut bytes = vec![0; length];
            random.fill_bytes(&mut bytes);
            for part in bytes.chunks_exact(16) {
                assert!(seen.insert(part.to_vec()), "twice the same of {length}");
                assert_ne!(part, [0; 16]);
            }
        }
    }
}
