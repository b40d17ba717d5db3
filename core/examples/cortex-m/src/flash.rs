//! The files that are served, in flash.

use barewire_cortex_m::files::File;

/// Sorted by name.
pub(crate) static FILES: [File; 3] = [
    File::new("README.md", include_bytes!("../README.md")),
    File::new("empty", b""),
    File::new("noise.bin", &NOISE),
];

/// So many bytes that they pass through the send buffer many times over.
static NOISE: [u8; 96 * 1024] = noise();

/// Bytes without a pattern that a shifted or repeated piece could hide in (xorshift, computed by the
/// compiler).
#[expect(clippy::large_stack_arrays, reason = "it is the compiler's stack")]
const fn noise() -> [u8; 96 * 1024] {
    let mut bytes = [0; 96 * 1024];
    let mut state = 0x2545_f491_u32;
    let mut at = 0;
    while at < bytes.len() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        bytes[at] = state.to_le_bytes()[3];
        at += 1;
    }
    bytes
}
