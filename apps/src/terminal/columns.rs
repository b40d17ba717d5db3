//! How many columns text takes on a terminal.
//!
//! Terminals differ about emoji of several characters, characters with variation selectors and
//! ligatures (Unicode Standard Annex 11 leaves that to them). So a text is given at least the columns
//! that any of them takes, and what it does take in the end decides nothing that can be seen: text
//! never runs over the right margin ([`NO_WRAP`]), and the terminal itself knows where the cursor was
//! ([`SAVE_CURSOR`]).

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr as _};

/// What is written past the right margin stays there (`DECAWM`, off), and on again.
pub(super) const NO_WRAP: &str = "\x1b[?7l";
pub(super) const WRAP: &str = "\x1b[?7h";

/// Has the terminal note where the cursor is, and put it there again (`DECSC`, `DECRC`).
pub(super) const SAVE_CURSOR: &str = "\x1b7";
pub(super) const RESTORE_CURSOR: &str = "\x1b8";

/// How many columns a text takes at most.
pub(super) fn columns_of(text: &str) -> usize {
    text.graphemes(true).map(columns_of_cluster).sum()
}

/// How many columns one character, as a person sees it, takes at most: as one, or each of its parts by
/// itself.
pub(super) fn columns_of_cluster(cluster: &str) -> usize {
    let parts = cluster.chars().filter_map(UnicodeWidthChar::width).sum();
    cluster.width().max(parts)
}

/// The longest start of `text` that takes at most so many columns.
pub(super) fn fitting_start(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.grapheme_indices(true).find_map(|(at, cluster)| {
        used += columns_of_cluster(cluster);
        (used > columns).then_some(at)
    });
    &text[..end.unwrap_or(text.len())]
}

/// The longest end of `text` that takes at most so many columns.
pub(super) fn fitting_end(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let start = text.grapheme_indices(true).rev().find_map(|(at, cluster)| {
        used += columns_of_cluster(cluster);
        (used > columns).then_some(at + cluster.len())
    });
    &text[start.unwrap_or(0)..]
}

/// The first of several wordings that takes at most so many columns, or what fits of the last.
pub(super) fn fitting_wording(wordings: &[String], columns: usize) -> &str {
    let fits = wordings.iter().find(|wording| columns_of(wording) <= columns);
    fits.or(wordings.last()).map_or("", |wording| fitting_start(wording, columns))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_given_what_any_terminal_takes_for_it() {
        for (text, columns) in [
            ("abc", 3),
            ("日本", 4),
            ("e\u{301}", 1),
            // A ligature here, two letters there.
            ("\u{644}\u{627}", 2),
            // A sign of one column, or an emoji of two.
            ("\u{2764}\u{fe0f}", 2),
            // One emoji, or two beside each other.
            ("👩\u{200d}🚀", 4),
        ] {
            assert_eq!(columns_of(text), columns, "{text}");
        }
    }

    #[test]
    fn what_fits_ends_between_two_characters() {
        assert_eq!(fitting_start("a日b", 2), "a");
        assert_eq!(fitting_end("a日b", 2), "b");
        assert_eq!(fitting_start("e\u{301}x", 1), "e\u{301}");
        assert_eq!((fitting_start("ab", 9), fitting_end("ab", 9)), ("ab", "ab"));
    }
}
