//! The part of the line that is on the screen.
//!
//! The line has one row, in which it is moved sideways: text that has one row has nothing that a
//! resized window could break differently, save while it is being resized.

use std::fmt::Write as _;

use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// To the start of the row, and nothing left of it or below.
const ERASE: &str = "\r\x1b[J";

/// What is on the screen: the row under which nothing is.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Where the cursor is, in columns from the left.
    cursor: Option<usize>,
    /// How many columns there were when it was drawn.
    columns: usize,
}

impl Row {
    /// Takes the row off the screen. `columns` is the width that the window has by now: one that
    /// became narrower has broken the row, and the cursor stands below its start.
    pub(crate) fn erase(&mut self, columns: usize, out: &mut String) {
        let Some(cursor) = self.cursor.take() else { return };
        let below = if columns < self.columns { cursor / columns.max(1) } else { 0 };
        if below > 0 {
            let _ = write!(out, "\x1b[{below}A");
        }
        out.push_str(ERASE);
    }

    /// Draws the row, where nothing is: a prompt, and the part of the line around its cursor that
    /// fits in `columns`.
    pub(crate) fn draw(
        &mut self,
        prompt: &str,
        (left, right): (&str, &str),
        columns: usize,
        out: &mut String,
    ) {
        // The last column stays free: a terminal may go on to the next row behind it.
        let free = columns.saturating_sub(1);
        let prompt = if prompt.width() + 16 > free { "> " } else { prompt };
        let prompt = if free < 8 { "" } else { prompt };
        let room = free - prompt.width().min(free);
        let part = fitting_end(left, room);
        let cursor = part.width();
        let rest = fitting_start(right, room.saturating_sub(cursor));
        let cursor = prompt.width() + cursor;
        let _ = write!(out, "\r{prompt}{part}{rest}\r");
        if cursor > 0 {
            let _ = write!(out, "\x1b[{cursor}C");
        }
        self.cursor = Some(cursor);
        self.columns = columns;
    }
}

/// The longest start of `text` that has at most so many columns.
fn fitting_start(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.grapheme_indices(true).find_map(|(at, part)| {
        used += part.width();
        (used > columns).then_some(at)
    });
    &text[..end.unwrap_or(text.len())]
}

/// The longest end of `text` that has at most so many columns.
fn fitting_end(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let start = text.grapheme_indices(true).rev().find_map(|(at, part)| {
        used += part.width();
        (used > columns).then_some(at + part.len())
    });
    &text[start.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(prompt: &str, line: (&str, &str), columns: usize) -> String {
        let mut out = String::new();
        Row::default().draw(prompt, line, columns, &mut out);
        out
    }

    #[test]
    fn a_line_that_fits_is_drawn_whole_with_the_cursor_in_it() {
        assert_eq!(drawn("> ", ("ab", "c"), 80), "\r> abc\r\x1b[4C");
        assert_eq!(drawn("> ", ("日本", ""), 80), "\r> 日本\r\x1b[6C");
        assert_eq!(drawn("", ("", ""), 80), "\r\r");
    }

    #[test]
    fn of_one_that_does_not_the_part_around_the_cursor_is() {
        assert_eq!(drawn("> ", ("abcdefghij", "kl"), 10), "\r> defghij\r\x1b[9C");
        assert_eq!(drawn("> ", ("ab", "cdefghijkl"), 10), "\r> abcdefg\r\x1b[4C");
        // A wide character is never cut in half.
        assert_eq!(drawn("> ", ("日本語日", ""), 10), "\r> 本語日\r\x1b[8C");
    }

    #[test]
    fn a_narrow_window_takes_the_prompt_and_then_everything_but_never_panics() {
        assert_eq!(drawn("a-long-nick> ", ("ab", ""), 24), "\r> ab\r\x1b[4C");
        for columns in 0..8 {
            assert!(!drawn("nick> ", ("日本語", "日本語"), columns).contains('>'));
        }
    }

    #[test]
    fn a_row_is_erased_where_it_stands_also_when_the_window_has_broken_it() {
        let mut row = Row::default();
        let mut out = String::new();
        row.erase(80, &mut out);
        assert_eq!(out, "", "nothing was drawn");
        row.draw("> ", (&"x".repeat(70), ""), 80, &mut String::new());
        row.erase(30, &mut out);
        assert_eq!(out, "\x1b[2A\r\x1b[J");
        out.clear();
        row.draw("> ", (&"x".repeat(20), ""), 30, &mut String::new());
        row.erase(80, &mut out);
        assert_eq!(out, "\r\x1b[J");
    }
}
