//! Where in a table something stands: nobody who does not know the key can tell what stands together.

use core::fmt;

/// What keys the tables of a [`Responder`](super::Responder): eight bytes that nobody else knows, new at each
/// start and from a source of randomness (`getrandom(2)`, a microcontroller's generator). Who knows them can
/// choose addresses that share a row, and so crowd one source out.
#[derive(Clone, Copy)]
pub struct HashKey([u32; 2]);

impl HashKey {
    /// These bytes as a key.
    pub const fn new(secret: [u8; 8]) -> Self {
        Self(halves(u64::from_le_bytes(secret)))
    }

    /// HalfSipHash-1-3 of three words (Aumasson and Bernstein, "`SipHash`: a fast short-input PRF", and its
    /// reference implementation). It is made for tables whose hashes nobody is shown, is what Linux takes
    /// for those on 32 bits (`hsiphash`), and needs 32-bit operations only; no crate offers it.
    pub(super) fn hash(self, words: [u32; 3]) -> u32 {
        /// The length of what is hashed, in the place that it has in the last word.
        const LENGTH: u32 = 12 << 24;

        let (Self([k0, k1]), [first, second, third]) = (self, words);
        let mut state = [k0, k1, k0 ^ 0x6c79_6765, k1 ^ 0x7465_6462];
        for word in [first, second, third, LENGTH] {
            state[3] ^= word;
            state = round(state);
            state[0] ^= word;
        }
        state[2] ^= 0xff;
        for _ in 0..3 {
            state = round(state);
        }
        state[1] ^ state[3]
    }
}

/// It keeps the secret.
impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(..)")
    }
}

/// The lower and the upper half.
#[expect(clippy::cast_possible_truncation, reason = "both halves are taken")]
pub(super) const fn halves(number: u64) -> [u32; 2] {
    [number as u32, (number >> 32) as u32]
}

const fn round([mut v0, mut v1, mut v2, mut v3]: [u32; 4]) -> [u32; 4] {
    v0 = v0.wrapping_add(v1);
    v1 = v1.rotate_left(5) ^ v0;
    v0 = v0.rotate_left(16);
    v2 = v2.wrapping_add(v3);
    v3 = v3.rotate_left(8) ^ v2;
    v0 = v0.wrapping_add(v3);
    v3 = v3.rotate_left(7) ^ v0;
    v2 = v2.wrapping_add(v1);
    v1 = v1.rotate_left(13) ^ v2;
    v2 = v2.rotate_left(16);
    [v0, v1, v2, v3]
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::format;

    const KEY: HashKey = HashKey::new([0, 1, 2, 3, 4, 5, 6, 7]);

    #[test]
    fn it_is_halfsiphash_1_3() {
        // Of the bytes 0 to 11, as in the tests of Linux (lib/tests/siphash_kunit.c, where a long has 32 bits).
        assert_eq!(KEY.hash([0x0302_0100, 0x0706_0504, 0x0b0a_0908]), 0x6b28_096c);
    }

    #[test]
    fn what_is_alike_is_spread() {
        for shift in [0, 8, 16, 24] {
            let mut rows = [0; 64];
            for host in 0..=255 {
                rows[KEY.hash([host << shift, 0xffff, 1]) as usize & 63] += 1;
            }
            assert!(rows.iter().all(|&count| count <= 16), "{rows:?}");
        }
    }

    #[test]
    fn another_key_is_another_order_and_none_is_shown() {
        let other = HashKey::new([0, 1, 2, 3, 4, 5, 6, 8]);
        assert_ne!(KEY.hash([1, 2, 3]), other.hash([1, 2, 3]));
        assert_eq!(format!("{KEY:?}"), "HashKey(..)");
    }
}
