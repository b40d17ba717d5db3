//! What a nick looks like.

use core::iter;

/// What a name looks like: hashes of its skeleton (UTS #39 §4), once of the name in small letters and
/// once of the name as it is shown. Both are needed where names are compared without case: the
/// Cyrillic `ТОМ` looks like `TOM`, while its small letters `том` look like no Latin ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skeleton {
    folded: u32,
    shown: u32,
}

impl Skeleton {
    /// The skeleton of a name, of which the owner's tables have made letters that look the same
    /// everywhere: of the name without case (`folded`), and of the name as it is shown, whose case is
    /// taken away after that (`shown`). What looks alike in ASCII, [`skeleton`] says which, is
    /// made the same here.
    pub fn new(
        folded: impl IntoIterator<Item = char>,
        shown: impl IntoIterator<Item = char>,
    ) -> Self {
        Self { folded: hash(folded), shown: hash(shown) }
    }

    /// The skeleton that no name has.
    pub(super) const NONE: Self = Self { folded: 0, shown: 0 };

    /// Whether one name can be taken for the other, in whatever case each is written.
    pub const fn is_like(self, other: Self) -> bool {
        self.folded == other.folded
            || self.shown == other.shown
            || self.folded == other.shown
            || self.shown == other.folded
    }

    /// Whether one name means the other, in whatever case it is written. Of names that are not
    /// [like](Self::is_like) each other, at most one is meant.
    pub const fn means(self, other: Self) -> bool {
        self.folded == other.folded
    }
}

/// The skeleton of a name, as far as that can be told without tables: case does not matter in ASCII,
/// nor do `0` and `o`, `1`, `i` and `l`, `5` and `s`, `m` and `rn`, or `-`, `_` and `.`.
pub fn skeleton(name: &str) -> Skeleton {
    let folded = hash(name.chars());
    Skeleton { folded, shown: folded }
}

/// FNV-1a, 32 bits, of what the letters look like. Names that have the same by chance cannot be had at the
/// same time, which nobody minds.
fn hash(name: impl IntoIterator<Item = char>) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    for c in name {
        let (c, twice) = match c.to_ascii_lowercase() {
            '0' => ('o', None),
            '1' | 'i' => ('l', None),
            '5' => ('s', None),
            'm' => ('r', Some('n')),
            '-' | '.' => ('_', None),
            other => (other, None),
        };
        for c in iter::once(c).chain(twice) {
            for byte in u32::from(c).to_le_bytes() {
                hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
            }
        }
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_alike_is_alike() {
        for (name, other) in
            [("Bill", "bi1L"), ("o_o", "0-0"), ("SOS", "5o5"), ("modern", "rnodem")]
        {
            assert!(skeleton(name).is_like(skeleton(other)), "{name} {other}");
            assert!(skeleton(name).means(skeleton(other)), "{name} {other}");
        }
        assert!(!skeleton("ab").is_like(skeleton("ba")));
    }

    /// Three names, of which the one in the middle looks like both of the others.
    #[test]
    fn capitals_look_like_what_small_letters_do_not() {
        let latin = Skeleton::new("tom".chars(), "tom".chars());
        let capitals = Skeleton::new("том".chars(), "tom".chars());
        let cyrillic = Skeleton::new("том".chars(), "том".chars());
        assert!(latin.is_like(capitals) && capitals.is_like(latin));
        assert!(cyrillic.is_like(capitals) && capitals.is_like(cyrillic));
        assert!(!latin.is_like(cyrillic));
        assert!(capitals.means(cyrillic) && !capitals.means(latin));
    }
}
