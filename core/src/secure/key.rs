//! The key that both sides have.

use core::fmt;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

/// How many bytes a key has.
pub const KEY_LENGTH: usize = 32;

/// The key that both sides have: whoever has it is trusted with all that is said under it.
///
/// It is wiped when it is dropped, and `Debug` does not show it.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; KEY_LENGTH]>,
}

impl Key {
    /// The key of these bytes, which must be random: 256 bits of chance, no passphrase.
    pub fn new(bytes: [u8; KEY_LENGTH]) -> Self {
        Self { bytes: Zeroizing::new(bytes) }
    }

    /// A new key.
    pub fn generate(random: &mut impl CryptoRng) -> Self {
        let mut key = Self::new([0; KEY_LENGTH]);
        random.fill_bytes(&mut *key.bytes);
        key
    }

    /// The bytes, to be kept where nobody else reads them.
    pub fn as_bytes(&self) -> &[u8; KEY_LENGTH] {
        &self.bytes
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}
