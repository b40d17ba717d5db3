//! The compression function (section 2.2 of the specification).

/// The words of a chaining value.
pub(super) type Words = [u32; 8];

/// Of a chunk's first block, and of a parent: the key of the default mode.
pub(super) const IV: Words = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

pub(super) const CHUNK_START: u32 = 1 << 0;
pub(super) const CHUNK_END: u32 = 1 << 1;
pub(super) const PARENT: u32 = 1 << 2;
pub(super) const ROOT: u32 = 1 << 3;

/// A block's bytes.
pub(super) const BLOCK: usize = 64;

const ROUNDS: usize = 7;

/// The first eight words of the output, for a `block` of which the first `length` bytes count.
pub(super) fn compress(
    value: &Words,
    block: &[u8; BLOCK],
    counter: u64,
    length: u32,
    flags: u32,
) -> Words {
    let [mut v0, mut v1, mut v2, mut v3, mut v4, mut v5, mut v6, mut v7] = *value;
    let [mut v8, mut v9, mut v10, mut v11, ..] = IV;
    #[expect(clippy::cast_possible_truncation, reason = "both halves of it")]
    let (mut v12, mut v13) = (counter as u32, (counter >> 32) as u32);
    let (mut v14, mut v15) = (length, flags);
    let mut message = words(block);
    for _ in 0..ROUNDS {
        let [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = message;
        quarter_round(&mut v0, &mut v4, &mut v8, &mut v12, m0, m1);
        quarter_round(&mut v1, &mut v5, &mut v9, &mut v13, m2, m3);
        quarter_round(&mut v2, &mut v6, &mut v10, &mut v14, m4, m5);
        quarter_round(&mut v3, &mut v7, &mut v11, &mut v15, m6, m7);
        quarter_round(&mut v0, &mut v5, &mut v10, &mut v15, m8, m9);
        quarter_round(&mut v1, &mut v6, &mut v11, &mut v12, m10, m11);
        quarter_round(&mut v2, &mut v7, &mut v8, &mut v13, m12, m13);
        quarter_round(&mut v3, &mut v4, &mut v9, &mut v14, m14, m15);
        message = [m2, m6, m3, m10, m7, m0, m4, m13, m1, m11, m12, m5, m9, m14, m15, m8];
    }
    [v0 ^ v8, v1 ^ v9, v2 ^ v10, v3 ^ v11, v4 ^ v12, v5 ^ v13, v6 ^ v14, v7 ^ v15]
}

#[expect(clippy::many_single_char_names, reason = "the specification's")]
fn quarter_round(a: &mut u32, b: &mut u32, c: &mut u32, d: &mut u32, x: u32, y: u32) {
    *a = a.wrapping_add(*b).wrapping_add(x);
    *d = (*d ^ *a).rotate_right(16);
    *c = c.wrapping_add(*d);
    *b = (*b ^ *c).rotate_right(12);
    *a = a.wrapping_add(*b).wrapping_add(y);
    *d = (*d ^ *a).rotate_right(8);
    *c = c.wrapping_add(*d);
    *b = (*b ^ *c).rotate_right(7);
}

fn words(block: &[u8; BLOCK]) -> [u32; 16] {
    let mut words = [0; 16];
    let (chunks, _) = block.as_chunks();
    for (word, bytes) in words.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}
