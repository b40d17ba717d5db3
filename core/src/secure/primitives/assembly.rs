//! In assembly for `x86_64` and `aarch64`, where both halves go over the bytes at once.

use core::hint::black_box;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use super::cipher::Cipher;
use crate::secure::secret::{Secret, TAG};

/// The `ring` crate.
pub(super) struct Assembly;

impl Cipher<12> for Assembly {
    fn seal(key: &Secret, nonce: &[u8; 12], with: &[u8], buffer: &mut [u8]) -> Option<[u8; TAG]> {
        let (nonce, with) = (Nonce::assume_unique_for_key(*nonce), Aad::from(with));
        let tag = with_key(key, |key| key.seal_in_place_separate_tag(nonce, with, buffer).ok())??;
        tag.as_ref().try_into().ok()
    }

    fn open(
        key: &Secret,
        nonce: &[u8; 12],
        with: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> bool {
        let (nonce, with) = (Nonce::assume_unique_for_key(*nonce), Aad::from(with));
        let opened = with_key(key, |key| {
            key.open_in_place_separate_tag(nonce, with, (*tag).into(), buffer, 0..).is_ok()
        });
        opened == Some(true)
    }
}

/// `ring` wipes no key: so what it has of this one is overwritten when it is done.
fn with_key<T>(key: &Secret, act: impl FnOnce(&LessSafeKey) -> T) -> Option<T> {
    let mut made = made_of(key)?;
    let result = act(&made);
    made = made_of(&[0; 32])?;
    black_box(&made);
    Some(result)
}

fn made_of(key: &[u8; 32]) -> Option<LessSafeKey> {
    Some(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?))
}
