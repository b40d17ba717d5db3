//! What tells no two nicks apart: how the same letters are written.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript as _};

/// A text without that: case, the marks over some scripts, and in which of several ways its letters are encoded.
pub(super) fn folded(text: &str) -> String {
    let letters = without_marks(text.nfkd());
    without_marks(fold_case(letters)).nfc().collect()
}

/// Case folding (Unicode 16, §3.13.3): capitals that have no small letter of their own, and small letters
/// that share a capital, are made the same as well.
pub(super) fn fold_case(letters: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let capitals = letters.flat_map(char::to_lowercase).flat_map(char::to_uppercase);
    capitals.flat_map(char::to_lowercase).nfkd()
}

/// Leaves out the marks over letters of scripts in which they tell no names apart: who reads quickly does
/// not see them.
pub(super) fn without_marks(letters: impl Iterator<Item = char>) -> impl Iterator<Item = char> {
    let mut distinguish = false;
    letters.filter(move |&c| {
        if is_combining_mark(c) {
            return distinguish;
        }
        let plain = [Script::Latin, Script::Greek, Script::Cyrillic, Script::Common];
        distinguish = !plain.contains(&c.script());
        true
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_in_another_way_is_the_same() {
        for (one, other) in [
            ("José", "JOSE\u{301}"),
            ("José", "jose"),
            ("민수", "\u{1106}\u{1175}\u{11ab}\u{1109}\u{116e}"),
            ("ΜΆΓΙΟΣ", "μάγιος"),
            ("Ｔｏｍ", "tom"),
            ("ẞ", "ss"),
            ("Й", "и"),
            ("が", "か\u{3099}"),
        ] {
            assert_eq!(folded(one), folded(other), "{one} and {other}");
        }
        for (one, other) in [("か", "が"), ("민수", "민숙"), ("l", "1"), ("кот", "kot")] {
            assert_ne!(folded(one), folded(other), "{one} and {other}");
        }
        assert_eq!(folded("안녕, Zoë!"), "안녕, zoe!");
    }
}
