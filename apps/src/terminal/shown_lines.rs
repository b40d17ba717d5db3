//! The lines that were shown, as far as they are kept, and a look at those that have scrolled away.

use std::collections::VecDeque;

use super::columns::fitting_start;
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
            out.push_str(row);
            out.push_str("\x1b[K\r\n");
        }
        let new = match lines.unshown {
            0 => String::new(),
            count => format!("{count} new, "),
        };
        let status = format!("-- {new}{} rows below: Page Down, or Esc to return --", self.above);
        out.push_str(fitting_start(&status, columns.saturating_sub(1)));
        out.push_str("\x1b[K");
    }
}
