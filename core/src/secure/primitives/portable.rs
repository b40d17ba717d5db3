//! Small, and for every processor.

use core::marker::PhantomData;

use chacha20poly1305::aead::Nonce;
use chacha20poly1305::consts::{U16, U32};
use chacha20poly1305::{AeadInOut, KeyInit};

use super::cipher::Cipher;
use crate::secure::secret::{Secret, TAG};

/// One of those of the `chacha20poly1305` crate.
pub(super) struct Portable<C>(PhantomData<C>);

impl<C, const NONCE: usize> Cipher<NONCE> for Portable<C>
where
    C: KeyInit<KeySize = U32> + AeadInOut<TagSize = U16>,
    Nonce<C>: From<[u8; NONCE]>,
{
    fn seal(
        key: &Secret,
        nonce: &[u8; NONCE],
        with: &[u8],
        buffer: &mut [u8],
    ) -> Option<[u8; TAG]> {
        let cipher = C::new((&**key).into());
        Some(cipher.encrypt_inout_detached(&(*nonce).into(), with, buffer.into()).ok()?.into())
    }

    fn open(
        key: &Secret,
        nonce: &[u8; NONCE],
        with: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> bool {
        let cipher = C::new((&**key).into());
        cipher.decrypt_inout_detached(&(*nonce).into(), with, buffer.into(), &(*tag).into()).is_ok()
    }
}
