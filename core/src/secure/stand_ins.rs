//! In the place of the primitives, for the proof that nothing else can panic: whatever they are given, they
//! may give anything.

use core::hint::black_box;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::secret::{LONG_NONCE, PUBLIC, Secret, TAG};

fn any<const N: usize>() -> [u8; N] {
    black_box([0; N])
}

pub(super) fn draw(random: &mut impl CryptoRng) -> Secret {
    let mut secret = Zeroizing::new([0; 32]);
    random.fill_bytes(&mut *secret);
    secret
}

pub(super) fn public(secret: &Secret) -> [u8; PUBLIC] {
    black_box(secret);
    any()
}

pub(super) fn shared(secret: &Secret, public: &[u8; PUBLIC]) -> Secret {
    black_box((secret, public));
    Zeroizing::new(any())
}

pub(super) fn hash(parts: &[&[u8]]) -> [u8; 32] {
    black_box(parts);
    any()
}

pub(super) fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> Secret {
    black_box((key, parts));
    Zeroizing::new(any())
}

pub(super) fn seal(
    key: &Secret,
    nonce: &[u8; 12],
    with: &[u8],
    buffer: &mut [u8],
) -> Option<[u8; TAG]> {
    black_box((key, nonce, with, buffer));
    black_box(Some(any()))
}

pub(super) fn open(
    key: &Secret,
    nonce: &[u8; 12],
    with: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> bool {
    black_box((key, nonce, with, buffer, tag));
    black_box(true)
}

pub(super) fn seal_long(
    key: &Secret,
    nonce: &[u8; LONG_NONCE],
    with: &[u8],
    buffer: &mut [u8],
) -> Option<[u8; TAG]> {
    black_box((key, nonce, with, buffer));
    black_box(Some(any()))
}

pub(super) fn open_long(
    key: &Secret,
    nonce: &[u8; LONG_NONCE],
    with: &[u8],
    buffer: &mut [u8],
    tag: &[u8; TAG],
) -> bool {
    black_box((key, nonce, with, buffer, tag));
    black_box(true)
}
