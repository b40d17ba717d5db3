//! One direction's key and the number of its next record (Noise specification, §5.1).

use zeroize::Zeroizing;

use super::primitives::{open, seal};
use super::secret::{Secret, TAG};

/// So many messages are sealed with one key. (The last number of all, which only changing the key uses,
/// is never that of a message: there would be none after it.)
const REKEY_AFTER: u64 = 1 << 16;

pub(super) struct CipherState {
    key: Secret,
    number: u64,
}

impl CipherState {
    pub(super) const fn new(key: Secret) -> Self {
        Self { key, number: 0 }
    }

    #[cfg(test)]
    pub(super) const fn at(key: Secret, number: u64) -> Self {
        Self { key, number }
    }

    /// Encrypts in place, and gives the tag. `None`: it did not, and nothing may be sent any more.
    pub(super) fn seal(&mut self, with: &[u8], buffer: &mut [u8]) -> Option<[u8; TAG]> {
        let next = self.number.checked_add(1)?;
        let tag = seal(&self.key, &nonce(self.number), with, buffer)?;
        self.advance(next)?;
        Some(tag)
    }

    /// Decrypts in place. `false`: it is not what the peer sealed as its next.
    pub(super) fn open(&mut self, with: &[u8], buffer: &mut [u8], tag: &[u8; TAG]) -> bool {
        let next = self.number.checked_add(1);
        next.is_some_and(|next| {
            open(&self.key, &nonce(self.number), with, buffer, tag) && self.advance(next).is_some()
        })
    }

    /// The number of the next message stays what it is when the key changes (§11.3).
    fn advance(&mut self, next: u64) -> Option<()> {
        self.number = next;
        if next.is_multiple_of(REKEY_AFTER) {
            let mut key = Zeroizing::new([0; 32]);
            seal(&self.key, &nonce(u64::MAX), &[], &mut *key)?;
            self.key = key;
        }
        Some(())
    }
}

/// 32 bits of zeros, and the number in little-endian (§12.3).
fn nonce(number: u64) -> [u8; 12] {
    let [nonce @ .., _, _, _, _] = (u128::from(number) << 32).to_le_bytes();
    nonce
}
