//! Several chunks at once, where there are instructions for it.

use super::digest::Digest;

/// The digest of `bytes`, which are not empty and begin with the chunk of number `first`: of the whole
/// if it `is_root`, of a subtree if not. `None` where it is not worth the code.
///
/// A subtree of `n` chunks, or fewer if it is the last, must begin at a multiple of `n`.
#[cfg(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64"))]
pub(in crate::file) fn digest_at_once(first: u64, bytes: &[u8], is_root: bool) -> Option<Digest> {
    use blake3::Hasher;
    use blake3::hazmat::HasherExt as _;

    let mut hasher = Hasher::new();
    if is_root {
        return Some(hasher.update(bytes).finalize().into());
    }
    let offset = first.checked_mul(blake3::CHUNK_LEN as u64)?;
    // What is longer than the tree allows would make it panic.
    let longest = blake3::hazmat::max_subtree_len(offset).unwrap_or(u64::MAX);
    let fits = !bytes.is_empty() && bytes.len() as u64 <= longest;
    fits.then(|| hasher.set_input_offset(offset).update(bytes).finalize_non_root())
}

/// There are none.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")))]
pub(in crate::file) const fn digest_at_once(_: u64, _: &[u8], _: bool) -> Option<Digest> {
    None
}
