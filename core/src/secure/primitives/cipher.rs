//! Authenticated encryption under a nonce of so many bytes. That of records (RFC 8439) is there by two hands: the
//! same bytes, each at its own speed.

use crate::secure::secret::{Secret, TAG};

pub(super) trait Cipher<const NONCE: usize> {
    /// Encrypts in place, and gives the tag. `None`: it is too long.
    fn seal(key: &Secret, nonce: &[u8; NONCE], with: &[u8], buffer: &mut [u8])
    -> Option<[u8; TAG]>;

    /// Decrypts in place, and tells whether it was sealed so.
    fn open(
        key: &Secret,
        nonce: &[u8; NONCE],
        with: &[u8],
        buffer: &mut [u8],
        tag: &[u8; TAG],
    ) -> bool;
}
