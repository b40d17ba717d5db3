//! Nicks that look alike, as far as that can be told without tables.

/// Reduces a name to its skeleton, of which this is a hash: equal for names that look alike (UTS #39
/// §4). A room takes no two nicks with the same.
///
/// It must tell digits apart, or guests would have the same nick. [`skeleton`] needs no tables. A
/// host that has room for them supplies one that knows the confusables of all scripts.
pub type SkeletonFn = fn(&str) -> u64;

/// A [`SkeletonFn`] without tables: case does not matter in European scripts (Latin as far as Latin
/// Extended-A, Greek, Cyrillic), nor do `0` and `o`, `1`, `i` and `l`, `5` and `s`, or `-`, `_` and `.`.
/// Beyond that, names are alike only if they are the same.
pub fn skeleton(name: &str) -> u64 {
    let mut hash = Fnv::default();
    for c in name.chars().map(lower) {
        hash.add(match c {
            '0' => 'o',
            '1' | 'i' | 'ı' => 'l',
            '5' | 'ſ' => 's',
            'ς' => 'σ',
            '-' | '.' => '_',
            other => other,
        });
    }
    hash.0
}

/// The lower case of a letter of the scripts that [`skeleton`] names. The library's own, which knows
/// all scripts, takes 11 KiB of tables.
fn lower(c: char) -> char {
    // Where capitals and small letters take turns, the capitals are the even ones or the odd ones.
    let code = u32::from(c);
    let distance = match c {
        'A'..='Z' | 'À'..='Ö' | 'Ø'..='Þ' | 'Α'..='Ρ' | 'Σ'..='Ϋ' | 'А'..='Я' => 32,
        'İ' => return 'i',
        'Ÿ' => return 'ÿ',
        'Ā'..='Ķ' | 'Ŋ'..='Ŷ' => 1 - code % 2,
        'Ĺ'..='Ň' | 'Ź'..='Ž' => code % 2,
        'Ά' => 38,
        'Έ'..='Ί' => 37,
        'Ό' => 64,
        'Ύ' | 'Ώ' => 63,
        'Ѐ'..='Џ' => 80,
        _ => 0,
    };
    char::from_u32(code.saturating_add(distance)).unwrap_or(c)
}

/// FNV-1a, 64 bits.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, c: char) {
        for byte in u32::from(c).to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against the library's tables.
    #[test]
    fn the_lower_case_of_european_scripts_is_that_of_unicode() {
        for c in ('\0'..='\u{17f}').chain('\u{370}'..='\u{3ce}').chain('\u{400}'..='\u{45f}') {
            let expected = match c {
                'İ' => 'i',
                // Archaic letters, and a sign.
                'Ͱ' | 'Ͳ' | 'Ͷ' | 'Ϳ' => c,
                _ => c.to_lowercase().next().unwrap(),
            };
            assert_eq!(lower(c), expected, "{c} {:x}", u32::from(c));
        }
        assert_eq!(lower('日'), '日');
    }

    #[test]
    fn what_looks_alike_is_alike() {
        assert_eq!(skeleton("Bill"), skeleton("bi1L"));
        assert_eq!(skeleton("o_o"), skeleton("0-0"));
        assert_eq!(skeleton("ſıς"), skeleton("SIΣ"));
        assert_ne!(skeleton("ab"), skeleton("ba"));
    }
}
