//! The lines that were shown, as far as they are kept, and a look at those that have scrolled away.

use std::collections::VecDeque;

use super::columns::fitting_wording;
use super::styled_line::StyledLine;

/// So many lines are kept.
const KEPT: usize = 5000;

/// The last lines.
#[derive(Debug, Default)]
pub(super) struct ShownLines {
    lines: VecDeque<StyledLine>,
    /// How many of the last are not on the screen yet.
    unshown: usize,
}

impl ShownLines {
    /// Adds a line that is to be shown.
    pub(super) fn push(&mut self, line: StyledLine) {
        self.lines.push_back(line);
        self.unshown += 1;
        // What was not shown is not lost, however much it is.
        if self.lines.len() > KEPT.max(self.unshown) {
            self.lines.pop_front();
        }
    }

    pub(super) fn unshown(&self) -> usize {
        self.unshown
    }

    /// Writes the lines that are not on the screen yet, and takes them for shown.
    pub(super) fn show(&mut self, columns: usize, out: &mut String) {
        let shown = self.lines.len() - self.unshown;
        for row in self.lines.range(shown..).flat_map(|line| line.rows(columns)) {
            out.push_str(&row);
            out.push('\n');
        }
        self.unshown = 0;
        let excess = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..excess);
    }

    /// The rows of the lines on the screen and before, the last first.
    fn rows_backwards(&self, columns: usize) -> impl Iterator<Item = String> {
        let shown = self.lines.len() - self.unshown;
        self.lines.range(..shown).rev().flat_map(move |line| line.rows(columns).rev())
    }
}

/// A look at what has scrolled away, on a screen of its own: the other one, and what the terminal
/// itself keeps of it, stay as they are.
#[derive(Debug, Default)]
pub(super) struct LookBack {
    /// How many rows the last that is seen is above the last there is.
    above: usize,
}

/// Switches to the terminal's other screen, and back (`xterm` control sequences, mode 1049).
pub(super) const OTHER_SCREEN: &str = "\x1b[?1049h";
pub(super) const USUAL_SCREEN: &str = "\x1b[?1049l";

impl LookBack {
    /// Moves up by so many rows, as far as there are some.
    pub(super) fn up(
        &mut self,
        rows: usize,
        lines: &ShownLines,
        (columns, height): (usize, usize),
    ) {
        let wanted = self.above + rows;
        let page = height.saturating_sub(1);
        let there = lines.rows_backwards(columns).take(wanted + page).count();
        self.above = wanted.min(there.saturating_sub(page));
    }

    /// Moves down by so many rows. Tells whether there are that many.
    pub(super) fn down(&mut self, rows: usize) -> bool {
        let moved = self.above.checked_sub(rows);
        self.above = moved.unwrap_or(0);
        moved.is_some()
    }

    /// Draws it: the rows, and in the last one of the window what can be done.
    pub(super) fn draw(
        &self,
        lines: &ShownLines,
        (columns, height): (usize, usize),
        out: &mut String,
    ) {
        let page = height.saturating_sub(1);
        let mut rows: Vec<String> =
            lines.rows_backwards(columns).skip(self.above).take(page).collect();
        rows.resize(page, String::new());
        out.push_str("\x1b[H");
        for row in rows.iter().rev() {
            // Behind a row that is full it would erase the last of it.
            out.push_str("\x1b[K");
            out.push_str(row);
            out.push_str("\r\n");
        }
        let new = match lines.unshown {
            0 => String::new(),
            count => format!("{count} new, "),
        };
        let rows = if self.above == 1 { "row" } else { "rows" };
        let below = format!("{new}{} {rows} below", self.above);
        let status = [
            format!("-- {below}: Page Down, or Esc to return --"),
            format!("-- {below}: Esc --"),
            "-- Esc to return --".to_owned(),
        ];
        out.push_str(fitting_wording(&status, columns.saturating_sub(1)));
        out.push_str("\x1b[K");
    }
}

#[cfg(test)]
mod tests {
    use anstyle::Style;
    use avt::Terminal;

    use super::*;

    fn line(text: &str) -> StyledLine {
        let mut line = StyledLine::default();
        line.push(Style::new(), format_args!("{text}"));
        line
    }

    fn shown(count: usize) -> ShownLines {
        let mut lines = ShownLines::default();
        (0..count).for_each(|number| lines.push(line(&number.to_string())));
        lines.show(80, &mut String::new());
        lines
    }

    /// The first and the last row of a look in a window of six rows, and what is told below.
    fn looked_at(look_back: &LookBack, lines: &ShownLines) -> [String; 3] {
        looked_at_in(80, look_back, lines)
    }

    fn looked_at_in(columns: usize, look_back: &LookBack, lines: &ShownLines) -> [String; 3] {
        let mut out = String::new();
        look_back.draw(lines, (columns, 6), &mut out);
        let mut terminal = Terminal::new(columns, 6).unwrap();
        terminal.feed(&*out);
        let row = |row| terminal.screen().line(row).unwrap().text().trim_end().to_owned();
        [row(0), row(4), row(5)]
    }

    #[test]
    fn a_look_goes_up_to_the_first_row_and_down_to_the_last() {
        let mut lines = shown(20);
        let mut look_back = LookBack::default();
        look_back.up(4, &lines, (80, 6));
        let below = |rows: usize| format!("-- {rows} rows below: Page Down, or Esc to return --");
        assert_eq!(looked_at(&look_back, &lines), ["11", "15", &below(4)]);
        look_back.up(usize::MAX / 2, &lines, (80, 6));
        assert_eq!(looked_at(&look_back, &lines), ["0", "4", &below(15)]);
        assert!(look_back.down(14));
        lines.push(line("new"));
        let [first, last, told] = looked_at(&look_back, &lines);
        assert_eq!([first, last], ["14", "18"], "what comes meanwhile is not seen");
        assert!(told.starts_with("-- 1 new, 1 row below"), "{told}");
        assert!(!look_back.down(2), "there is nothing more");
    }

    #[test]
    fn the_way_back_is_told_in_narrow_windows_too() {
        let mut lines = shown(20);
        lines.push(line("new"));
        for (columns, told) in [
            (60, "-- 1 new, 0 rows below: Page Down, or Esc to return --"),
            (40, "-- 1 new, 0 rows below: Esc --"),
            (20, "-- Esc to return --"),
        ] {
            let [_, _, status] = looked_at_in(columns, &LookBack::default(), &lines);
            assert_eq!(status, told, "{columns} columns");
        }
    }

    #[test]
    fn what_is_shorter_than_the_window_stands_at_its_end() {
        let mut look_back = LookBack::default();
        let lines = shown(2);
        look_back.up(4, &lines, (80, 6));
        assert_eq!(looked_at(&look_back, &lines)[..2], ["", "1"]);
    }

    #[test]
    fn a_row_that_reaches_the_margin_is_seen_whole() {
        let mut lines = ShownLines::default();
        let full = "0123456789".repeat(8);
        lines.push(line(&full));
        lines.show(80, &mut String::new());
        let [_, last, _] = looked_at(&LookBack::default(), &lines);
        assert_eq!(last, full);
    }

    #[test]
    fn the_oldest_are_forgotten_but_none_that_was_not_shown() {
        let mut lines = ShownLines::default();
        (0..2 * KEPT).for_each(|number| lines.push(line(&number.to_string())));
        let mut out = String::new();
        lines.show(80, &mut out);
        assert_eq!(out.lines().count(), 2 * KEPT);
        assert_eq!((lines.lines.len(), lines.unshown()), (KEPT, 0));
    }
}
