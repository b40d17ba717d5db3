//! The compression function (section 2.2 of the specification).

/// Of a chunk's first block, and of a parent: the key of the default mode.
pub(super) const IV: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

pub(super) const CHUNK_START: u8 = 1 << 0;
pub(super) const CHUNK_END: u8 = 1 << 1;
pub(super) const PARENT: u8 = 1 << 2;
pub(super) const ROOT: u8 = 1 << 3;

/// A block's bytes.
pub(super) const BLOCK: usize = 64;

const ROUNDS: usize = 7;

type Row = [u32; 4];

/// The first eight words of the output: `length` bytes of `block` count.
pub(super) fn compress(
    value: &[u32; 8],
    block: &[u8; BLOCK],
    counter: u64,
    length: u8,
    flags: u8,
) -> [u32; 8] {
    let [v0, v1, v2, v3, v4, v5, v6, v7] = *value;
    let [i0, i1, i2, i3, ..] = IV;
    let (mut a, mut b) = ([v0, v1, v2, v3], [v4, v5, v6, v7]);
    let mut c = [i0, i1, i2, i3];
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the counter")]
    let mut d = [counter as u32, (counter >> 32) as u32, length.into(), flags.into()];
    let mut message = words(block);
    for _ in 0..ROUNDS {
        let [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15] = message;
        half_round(&mut a, &mut b, &mut c, &mut d, [m0, m2, m4, m6], 16, 12);
        half_round(&mut a, &mut b, &mut c, &mut d, [m1, m3, m5, m7], 8, 7);
        // The diagonals become the columns, and then the columns again.
        b.rotate_left(1);
        c.rotate_left(2);
        d.rotate_left(3);
        half_round(&mut a, &mut b, &mut c, &mut d, [m8, m10, m12, m14], 16, 12);
        half_round(&mut a, &mut b, &mut c, &mut d, [m9, m11, m13, m15], 8, 7);
        b.rotate_right(1);
        c.rotate_right(2);
        d.rotate_right(3);
        message = [m2, m6, m3, m10, m7, m0, m4, m13, m1, m11, m12, m5, m9, m14, m15, m8];
    }
    let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (xor(a, c), xor(b, d));
    [a0, a1, a2, a3, b0, b1, b2, b3]
}

/// Half of the quarter round, in four columns at once.
fn half_round(
    a: &mut Row,
    b: &mut Row,
    c: &mut Row,
    d: &mut Row,
    message: Row,
    first: u32,
    second: u32,
) {
    for ((((a, b), c), d), word) in a.iter_mut().zip(b).zip(c).zip(d).zip(message) {
        *a = a.wrapping_add(*b).wrapping_add(word);
        *d = (*d ^ *a).rotate_right(first);
        *c = c.wrapping_add(*d);
        *b = (*b ^ *c).rotate_right(second);
    }
}

fn xor(mut one: Row, other: Row) -> Row {
    for (word, with) in one.iter_mut().zip(other) {
        *word ^= with;
    }
    one
}

fn words(block: &[u8; BLOCK]) -> [u32; 16] {
    let mut words = [0; 16];
    let (chunks, _) = block.as_chunks();
    for (word, bytes) in words.iter_mut().zip(chunks) {
        *word = u32::from_le_bytes(*bytes);
    }
    words
}
