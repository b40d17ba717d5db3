//! What the files hold: noise that can be made again, so that every byte received can be checked.

use std::io::{self, Write};

/// Large files are written in pieces of so many bytes.
const PIECE: usize = 1 << 20;

/// How many small files there are.
pub(super) const SMALL_FILES: usize = 1_000;

/// Bytes in a small file.
pub(super) const SMALL_SIZE: usize = 1_024;

/// The noise of `seed`, `size` bytes of it.
pub(super) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut noise = vec![0; size];
    fastrand::Rng::with_seed(seed).fill(&mut noise);
    noise
}

/// Writes `size` bytes. Every mebibyte is another, and yet the noise is made only once.
pub(super) fn write_large(output: &mut impl Write, size: u64) -> io::Result<()> {
    let mut piece = noise(0, PIECE);
    let mut written = 0;
    while written < size {
        piece[..8].copy_from_slice(&written.to_be_bytes());
        let rest = usize::try_from(size - written).unwrap_or(PIECE).min(PIECE);
        output.write_all(&piece[..rest])?;
        written += rest as u64;
    }
    Ok(())
}

/// The name of a small file.
pub(super) fn small_name(index: usize) -> String {
    format!("{index:04}")
}

/// The contents of all small files.
pub(super) fn small() -> Vec<Vec<u8>> {
    (0..SMALL_FILES).map(|index| noise(index as u64, SMALL_SIZE)).collect()
}
