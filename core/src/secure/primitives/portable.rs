//! Small, and for every processor.

use chacha20poly1305::{AeadInOut, ChaCha20Poly1305, KeyInit};

use super::record_cipher::RecordCipher;
use crate::secure::secret::{Secret, TAG};

/// The `chacha20poly1305` crate.
pub(super) struct Portable;

impl RecordCipher for Portable {
    fn seal(key: &Secret, nonce: &[u8; 12], with: &[u8], buffer: &mut [u8]) -> Option<[u8; TAG]> {
        let cipher = ChaCha20Poly1305::new((&**key).into());
        Some(cipher.encrypt_inout_detached(&(*nonce).into(), with, buffer.into()).ok()?.into())
    }

    fn open(
        key: &Secret,
        nonce: &[u8; 12],
        with: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> bool {
        let cipher = ChaCha20Poly1305::new((&**key).into());
        cipher.decrypt_inout_detached(&(*nonce).into(), with, buffer.into(), &(*tag).into()).is_ok()
    }
}
