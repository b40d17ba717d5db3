//! Nicks that look alike in any script: the host's tables for the room, which has none.

use barewire_core::chat;
use unicode_security::confusable_detection;

/// What a name looks like, in all scripts (UTS #39 §4) and without case.
pub(super) fn confusable_skeleton(name: &str) -> u64 {
    let letters: String = confusable_detection::skeleton(&name.to_lowercase()).collect();
    chat::skeleton(&letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_alike_are_alike() {
        for (name, other) in [
            ("paypal", "раураӏ"),
            ("Anna", "ANNA"),
            ("Anna", "Αnna"),
            ("scope", "ѕсоре"),
            ("bill", "bi1l"),
            ("server", "ѕerver"),
        ] {
            assert_eq!(confusable_skeleton(name), confusable_skeleton(other), "{name} {other}");
        }
        assert_ne!(confusable_skeleton("anna"), confusable_skeleton("hanna"));
    }
}
