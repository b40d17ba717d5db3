//! The part of the line that is on the screen.
//!
//! The line has one row, in which it is moved sideways: text that has one row has nothing that a
//! resized window could break differently, save while it is being resized.

use std::fmt::Write as _;

use super::columns::{
    RESTORE_CURSOR, SAVE_CURSOR, columns_of, fitting_end, fitting_start, fitting_wording,
};

/// To the start of the row, and nothing left of it. (What erases below as well some terminals take for
/// the clearing of a screen, whose contents they keep with what has scrolled away.)
const ERASE: &str = "\r\x1b[K";

/// What is on the screen: the row under which nothing is.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Where the cursor is at most, in columns from the left.
    cursor: Option<usize>,
    /// How many columns it has at most.
    width: usize,
    /// How many columns there were when it was drawn.
    columns: usize,
}

impl Row {
    /// Whether a window of so many columns has broken the row, if its terminal breaks rows anew: then
    /// the cursor stands below its start, how far is for the terminal [to tell](Self::erase).
    pub(super) fn may_be_broken(&self, columns: usize) -> bool {
        columns < self.columns && self.cursor.is_some_and(|cursor| cursor >= columns)
    }

    /// Takes the row off the screen. `columns` is the width that the window has by now; `reported` the
    /// column, from 1 on, in which the terminal has the cursor, if that is known.
    pub(super) fn erase(&mut self, columns: usize, reported: Option<usize>, out: &mut String) {
        let is_broken = self.may_be_broken(columns);
        let Some(cursor) = self.cursor.take() else { return };
        let below = match reported.map(|column| column.saturating_sub(1)) {
            _ if !is_broken => 0,
            None => cursor / columns.max(1),
            // A terminal that breaks no rows anew has it at the edge, from where it went no further.
            Some(column) if column + 1 >= columns && (cursor + 1) % columns > 1 => 0,
            // Of the rows of the screen that of the cursor is the one nearest to where it would be.
            Some(column) => (cursor.saturating_sub(column) + columns / 2) / columns.max(1),
        };
        if below > 0 {
            let _ = write!(out, "\x1b[{below}A");
        }
        out.push_str(ERASE);
        if columns < self.columns && self.width >= columns {
            out.push_str(SAVE_CURSOR);
            for _ in 0..self.width / columns.max(1) {
                let _ = write!(out, "\x1b[B{ERASE}");
            }
            out.push_str(RESTORE_CURSOR);
        }
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
        let prompt = if columns_of(prompt) + 16 > free { "> " } else { prompt };
        let prompt = if free < 8 { "" } else { prompt };
        let room = free - columns_of(prompt).min(free);
        let part = fitting_end(left, room);
        let cursor = columns_of(part);
        let rest = fitting_start(right, room.saturating_sub(cursor));
        let _ = write!(out, "\r{prompt}{part}{SAVE_CURSOR}{rest}{RESTORE_CURSOR}");
        self.cursor = Some(columns_of(prompt) + cursor);
        self.width = columns_of(prompt) + cursor + columns_of(rest);
        self.columns = columns;
    }

    /// Draws a question in place of the line: the first of `wordings` that fits, or what fits of the
    /// last.
    pub(crate) fn draw_question(&mut self, wordings: &[String], columns: usize, out: &mut String) {
        let question = fitting_wording(wordings, columns.saturating_sub(1));
        let _ = write!(out, "\r{question}");
        self.width = columns_of(question);
        self.cursor = Some(self.width);
        self.columns = columns;
    }
}

#[cfg(test)]
mod tests {
    use avt::Terminal;

    use super::*;

    /// What a terminal shows in its first row, and the column of its cursor.
    fn shown(draw: impl FnOnce(&mut Row, &mut String), columns: usize) -> (String, usize) {
        let mut out = String::new();
        draw(&mut Row::default(), &mut out);
        let mut terminal = Terminal::new(columns.max(1), 3).unwrap();
        terminal.feed(&out);
        let (column, row) = terminal.cursor().position().unwrap();
        assert_eq!(row, 0, "{out:?}");
        (terminal.screen().line(0).unwrap().text().trim_end().to_owned(), column)
    }

    fn drawn(prompt: &str, line: (&str, &str), columns: usize) -> (String, usize) {
        shown(|row, out| row.draw(prompt, line, columns, out), columns)
    }

    fn row(text: &str, column: usize) -> (String, usize) {
        (text.to_owned(), column)
    }

    #[test]
    fn a_line_that_fits_is_drawn_whole_with_the_cursor_in_it() {
        assert_eq!(drawn("> ", ("ab", "c"), 80), row("> abc", 4));
        assert_eq!(drawn("> ", ("日本", ""), 80), row("> 日本", 6));
        assert_eq!(drawn("", ("", ""), 80), row("", 0));
    }

    /// Whatever the terminal makes of it: the one here gives each of these its own columns.
    #[test]
    fn the_cursor_stands_where_the_terminal_has_the_end_of_what_is_left_of_it() {
        for left in
            ["e\u{301}", "\u{644}\u{627}\u{644}\u{627}", "\u{2764}\u{fe0f}", "👩\u{200d}🚀", "ก็"]
        {
            let (_, end) = drawn("> ", (left, ""), 80);
            assert_eq!(drawn("> ", (left, "right 日"), 80).1, end, "{left}");
        }
    }

    #[test]
    fn of_one_that_does_not_the_part_around_the_cursor_is() {
        assert_eq!(drawn("> ", ("abcdefghij", "kl"), 10), row("> defghij", 9));
        assert_eq!(drawn("> ", ("ab", "cdefghijkl"), 10), row("> abcdefg", 4));
        // A wide character is never cut in half.
        assert_eq!(drawn("> ", ("日本語日", ""), 10), row("> 本語日", 8));
    }

    #[test]
    fn a_narrow_window_takes_the_prompt_and_then_everything_but_never_panics() {
        assert_eq!(drawn("a-long-nick> ", ("ab", ""), 24), row("> ab", 4));
        for columns in 0..8 {
            assert!(!drawn("nick> ", ("日本語", "日本語"), columns).0.contains('>'));
        }
    }

    #[test]
    fn a_question_is_put_in_the_longest_wording_that_fits() {
        let wordings = ["Shall it be sent?", "Send it?"].map(str::to_owned);
        for (columns, expected) in
            [(80, "Shall it be sent?"), (18, "Shall it be sent?"), (17, "Send it?"), (6, "Send")]
        {
            let (text, _) = shown(|row, out| row.draw_question(&wordings, columns, out), columns);
            assert_eq!(text, expected, "{columns} columns");
        }
    }

    #[test]
    fn a_row_is_erased_where_it_stands_also_when_the_window_has_broken_it() {
        let erased = |cursor: usize, columns: usize, reported| {
            let (mut row, mut out) = (Row::default(), String::new());
            row.draw("", (&"x".repeat(cursor), ""), 80, &mut String::new());
            row.erase(columns, reported, &mut out);
            out.split_once(ERASE).unwrap().0.to_owned()
        };
        assert_eq!(erased(70, 80, None), "");
        assert_eq!(erased(70, 100, None), "");
        assert_eq!(erased(20, 30, None), "");
        assert_eq!(erased(70, 30, None), "\x1b[2A", "the likeliest");
        assert_eq!(erased(70, 30, Some(11)), "\x1b[2A");
        assert_eq!(erased(70, 30, Some(13)), "\x1b[2A", "by other widths");
        assert_eq!(erased(70, 30, Some(30)), "", "rows are not broken anew");
        assert_eq!(erased(60, 30, Some(1)), "\x1b[2A");
        assert_eq!(
            erased(60, 30, Some(30)),
            "\x1b[1A",
            "at the end of a row, or at the start of the next"
        );
        let mut out = String::new();
        Row::default().erase(80, None, &mut out);
        assert_eq!(out, "", "nothing was drawn");
    }

    #[test]
    fn nothing_is_left_of_a_row_that_the_window_has_broken_and_all_of_what_is_above() {
        for (left, right) in [(70, 0), (0, 70), (30, 40), (40, 30), (35, 35)] {
            for columns in 10..60 {
                let (mut row, mut out) = (Row::default(), String::new());
                row.draw("", (&"x".repeat(left), &"y".repeat(right)), 80, &mut out);
                let mut terminal = Terminal::with_scrollback(80, 12, None).unwrap();
                // Where the window is not full, some let rows at its top scroll away.
                terminal.feed("above\r\n".repeat(20));
                terminal.feed(&*out);
                terminal.resize(columns, 12);
                let reported = terminal.cursor().position().unwrap().0 + 1;
                out.clear();
                row.erase(columns, Some(reported.min(columns)), &mut out);
                row.draw("", ("line", ""), columns, &mut out);
                terminal.feed(&*out);
                let rows = terminal.screen().text().split_off(19).join("\n");
                let prompt = if columns < 17 { "> " } else { "" };
                let expected = format!("above\n{prompt}line");
                assert_eq!(rows.trim_end(), expected, "{left}, {right} in {columns} columns");
            }
        }
    }
}
