//! Nicks in all scripts, by the tables of Unicode: which there may be, and which look alike (UTS #39).

use std::net::IpAddr;

use barewire_core::chat::{NickError, NickRules, Skeleton};
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;
use unicode_script::{Script, UnicodeScript as _};
use unicode_security::general_security_profile::IdentifierType;
use unicode_security::{
    GeneralSecurityProfile as _, RestrictionLevel, RestrictionLevelDetection as _,
    confusable_detection,
};
use unicode_width::UnicodeWidthChar as _;

use crate::programs::folding::{fold_case, folded, without_marks};

/// Names in everyday letters of one script, or of Latin with Han and its companions; compared without
/// case and marks. What reads as an address is not one: the operator bans addresses.
pub(super) const UNICODE: NickRules = NickRules { check, skeleton };

/// So many nonspacing marks stand on one letter at most (UTS #39 §5.4).
const MAX_MARKS: usize = 4;

fn check(name: &str) -> Result<(), NickError> {
    if name.starts_with(is_combining_mark) || !name.nfc().all(is_allowed) {
        return Err(NickError::Characters);
    }
    // As it is written, and without case, which makes a letter of a mark (U+0345).
    if has_odd_marks(name.nfd()) || has_odd_marks(fold_case(name.nfkd())) {
        return Err(NickError::Marks);
    }
    let name: String = name.nfkc().collect();
    if !name.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive) {
        return Err(NickError::Scripts);
    }
    // Here of an IPv4 address alone: a colon ends a nick.
    if name.parse::<IpAddr>().is_ok() {
        return Err(NickError::Reserved);
    }
    Ok(())
}

/// Whether a character is for everyday names (UTS #39 §3.1), or one of `-_.`. Other punctuation that
/// identifiers may have is not: a colon ends a nick. Letters that stand for several are for
/// typesetters, but in Thai and Lao, which are written with them.
fn is_allowed(c: char) -> bool {
    match c.identifier_type() {
        Some(IdentifierType::Recommended) => true,
        Some(IdentifierType::Not_NFKC) => matches!(c.script(), Script::Thai | Script::Lao),
        _ => matches!(c, '-' | '.'),
    }
}

/// Whether there are more marks on a letter than any language has, or the same twice in a row.
fn has_odd_marks(letters: impl Iterator<Item = char>) -> bool {
    let (mut count, mut before) = (0, None);
    for c in letters {
        count = if is_nonspacing(c) { count + 1 } else { 0 };
        if count > MAX_MARKS || (count > 1 && before == Some(c)) {
            return true;
        }
        before = Some(c);
    }
    false
}

/// Whether a mark stands on the letter before it, in no column of its own.
fn is_nonspacing(c: char) -> bool {
    is_combining_mark(c) && c.width() == Some(0)
}

/// What a name looks like (UTS #39 §4): after NFKC and case folding, and as it is shown.
fn skeleton(name: &str) -> Skeleton {
    let letters: String = without_marks(name.nfkd()).collect();
    let shown: String = without_marks(fold_case(prototypes(&letters))).collect();
    Skeleton::new(prototypes(&folded(name)), prototypes(&shown))
}

/// Letters that look the same everywhere, for those that look like them.
fn prototypes(letters: &str) -> impl Iterator<Item = char> {
    without_marks(confusable_detection::skeleton(letters))
}

#[cfg(test)]
mod tests;
