//! The primitives, as the rest of the module needs them: only here is known whose they are.

#[cfg(feature = "ring")]
mod assembly;
mod cipher;
mod portable;
#[cfg(test)]
mod tests;

use blake2::{Blake2s256, Digest};
use chacha20poly1305::XChaCha20Poly1305;
use rand_core::CryptoRng;
use x25519_dalek::x25519;
use zeroize::Zeroizing;

use self::cipher::Cipher as _;
use self::portable::Portable;
use super::secret::{LONG_NONCE, PUBLIC, Secret, TAG};

#[cfg(feature = "ring")]
type Fastest = assembly::Assembly;
#[cfg(not(feature = "ring"))]
type Fastest = Portable<chacha20poly1305::ChaCha20Poly1305>;

/// The block of BLAKE2s, in which HMAC has its key (RFC 2104, RFC 7693).
const BLOCK: usize = 64;

/// A new secret of a handshake.
pub(super) fn draw(random: &mut impl CryptoRng) -> Secret {
    let mut secret = Zeroizing::new([0; 32]);
    random.fill_bytes(&mut *secret);
    secret
}

/// The public key of a secret: by tables.
#[cfg(not(target_os = "none"))]
pub(super) fn public(secret: &Secret) -> [u8; PUBLIC] {
    x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(**secret)).to_bytes()
}

/// The public key of a secret: on the same ladder as [`shared`], which is slower than tables, and takes no
/// flash besides.
#[cfg(target_os = "none")]
pub(super) fn public(secret: &Secret) -> [u8; PUBLIC] {
    *shared(secret, &x25519_dalek::X25519_BASEPOINT_BYTES)
}

/// X25519 (RFC 7748).
#[inline(never)]
pub(super) fn shared(secret: &Secret, public: &[u8; PUBLIC]) -> Secret {
    Zeroizing::new(x25519(**secret, *public))
}

/// BLAKE2s (RFC 7693) over the parts, one after another.
pub(super) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Blake2s256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// HMAC (RFC 2104) with BLAKE2s over the parts.
pub(super) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Secret {
    let mut inner = keyed(key, 0x36);
    for part in parts {
        inner.update(part);
    }
    let mut outer = keyed(key, 0x5c);
    outer.update(Zeroizing::new(<[u8; 32]>::from(inner.finalize())).as_slice());
    Zeroizing::new(outer.finalize().into())
}

fn keyed(key: &[u8; 32], pad: u8) -> Blake2s256 {
    let mut block = Zeroizing::new([pad; BLOCK]);
    for (place, byte) in block.iter_mut().zip(key) {
        *place ^= byte;
    }
    Blake2s256::new_with_prefix(block.as_slice())
}

/// Encrypts in place (RFC 8439), and gives the tag. `None`: it is too long, and remains as it is.
pub(super) fn seal(
    key: &Secret,
    nonce: &[u8; 12],
    with: &[u8],
    buffer: &mut [u8],
) -> Option<[u8; TAG]> {
    Fastest::seal(key, nonce, with, buffer)
}

/// Decrypts in place what was sealed so. If it was not, what is in the buffer is nothing to be used. The
/// comparison takes the same time whatever the tag.
pub(super) fn open(
    key: &Secret,
    nonce: &[u8; 12],
    with: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> bool {
    Fastest::open(key, nonce, with, buffer, tag)
}

/// As [`seal`], with a nonce that is long enough to be random (draft-irtf-cfrg-xchacha-03).
pub(super) fn seal_long(
    key: &Secret,
    nonce: &[u8; LONG_NONCE],
    with: &[u8],
    buffer: &mut [u8],
) -> Option<[u8; TAG]> {
    Portable::<XChaCha20Poly1305>::seal(key, nonce, with, buffer)
}

/// As [`open`], of what [`seal_long`] sealed; but if it was not, it remains as it is.
pub(super) fn open_long(
    key: &Secret,
    nonce: &[u8; LONG_NONCE],
    with: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> bool {
    Portable::<XChaCha20Poly1305>::open(key, nonce, with, buffer, tag)
}
