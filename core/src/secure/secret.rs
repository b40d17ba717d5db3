//! What the primitives take and give.

use zeroize::Zeroizing;

/// A key, a chaining key or a shared secret: wiped when it is dropped.
pub(super) type Secret = Zeroizing<[u8; 32]>;

pub(super) const PUBLIC: usize = 32;
pub(super) const TAG: usize = 16;
/// The nonce of a datagram, which is random.
pub(super) const LONG_NONCE: usize = 24;
