//! A line to show, and how it is broken into rows.
//!
//! Rows are broken here and not by the terminal, which would go on at the left edge: there a text
//! padded to the width of the window could draw what looks like a row of somebody else's. All rows
//! but the first are indented, so what stands at the left edge begins a line. (In a window of fewer than
//! four columns there is no room for that.)

use std::fmt::{self, Write as _};
use std::ops::Range;

use anstyle::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::columns::{columns_of, columns_of_cluster};

/// Under so many columns continuation rows start at the least, where the window is too narrow for
/// them to start under the text: those of a time of day, and a space.
const SMALL_INDENT: usize = 6;

/// A text without controls, and the look of its parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct StyledLine {
    text: String,
    /// From where on the text has which style.
    styles: Vec<(usize, Style)>,
    /// Under which place of the first row the others start.
    hang: usize,
}

impl StyledLine {
    /// Adds a part. What it shows must have no controls.
    pub(crate) fn push(&mut self, style: Style, part: fmt::Arguments<'_>) {
        self.styles.push((self.text.len(), style));
        // Writing to a string cannot fail.
        let _ = self.text.write_fmt(part);
    }

    /// The rows after the first start under what comes now.
    pub(crate) fn hang_here(&mut self) {
        self.hang = self.text.len();
    }

    #[cfg(test)]
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// How many columns the rows after the first leave free.
    fn indent(&self, columns: usize) -> usize {
        let hang = columns_of(&self.text[..self.hang]).max(1);
        if hang <= columns / 2 { hang } else { SMALL_INDENT.min(columns / 2) }
    }

    /// Which parts of the text have a row each, in a window of so many columns: as many words as fit,
    /// or if that would leave much of a row empty, as many characters.
    fn ranges(&self, columns: usize) -> Vec<Range<usize>> {
        let (mut rows, mut start, mut used, mut room) = (Vec::new(), 0, 0, columns);
        let mut gap: Option<Gap> = None;
        for (at, cluster) in self.text.grapheme_indices(true) {
            let (is_space, width) = (cluster == " ", columns_of_cluster(cluster));
            // Where nothing wraps, some terminals give the parts of the last column's to the one before.
            let free = usize::from(cluster.chars().nth(1).is_some());
            while used + width + free > room && at > start {
                let words = gap.take().filter(|gap| !is_space && gap.columns.start >= room / 2);
                let end = words.unwrap_or(Gap { bytes: at..at, columns: used..used });
                rows.push(start..end.bytes.start);
                start = end.bytes.end;
                used -= end.columns.end;
                room = columns - self.indent(columns);
            }
            if is_space && at == start && !rows.is_empty() {
                // No row but the first begins with spaces of the text.
                start += 1;
                continue;
            }
            // What stands before the text is not made of words.
            if is_space && at >= self.hang {
                let (from, from_column) = match gap {
                    Some(gap) if gap.bytes.end == at => (gap.bytes.start, gap.columns.start),
                    _ => (at, used),
                };
                gap = Some(Gap { bytes: from..at + 1, columns: from_column..used + width });
            }
            used += width;
        }
        rows.push(start..self.text.len());
        rows
    }

    /// The rows that the line has in a window of so many columns, as they are to be sent to a
    /// terminal, each without its end.
    pub(crate) fn rows(&self, columns: usize) -> impl DoubleEndedIterator<Item = String> {
        let indent = self.indent(columns);
        let ranges = self.ranges(columns.max(1)).into_iter().enumerate();
        ranges.map(move |(number, range)| {
            let mut row = " ".repeat(if number == 0 { 0 } else { indent });
            self.write(range, &mut row);
            row
        })
    }

    /// Writes a part of the text with its styles, none of which outlasts it.
    fn write(&self, range: Range<usize>, out: &mut String) {
        let ends = self.styles.iter().skip(1).map(|&(start, _)| start).chain([self.text.len()]);
        for (&(start, style), end) in self.styles.iter().zip(ends) {
            let (start, end) = (start.max(range.start), end.min(range.end));
            if start < end {
                let _ = write!(out, "{style}{}{style:#}", &self.text[start..end]);
            }
        }
    }
}

/// Spaces between two words: where they are in the text, and in which columns of a row.
#[derive(Debug)]
struct Gap {
    bytes: Range<usize>,
    columns: Range<usize>,
}

#[cfg(test)]
mod tests {
    use avt::Terminal;

    use super::super::columns::{NO_WRAP, WRAP};
    use super::*;

    fn line(before: &str, text: &str) -> StyledLine {
        let mut line = StyledLine::default();
        line.push(Style::new(), format_args!("{before}"));
        line.hang_here();
        line.push(Style::new().bold(), format_args!("{text}"));
        line
    }

    fn rows(before: &str, text: &str, columns: usize) -> Vec<String> {
        let plain = |row: String| row.replace("\x1b[1m", "").replace("\x1b[0m", "");
        line(before, text).rows(columns).map(plain).collect()
    }

    #[test]
    fn a_line_is_broken_between_words_and_goes_on_under_its_text() {
        assert_eq!(rows("12:00 a: ", "one two", 80), ["12:00 a: one two"]);
        assert_eq!(
            rows("12:00 a: ", "one two three four", 20),
            ["12:00 a: one two", "         three four"]
        );
        assert_eq!(
            rows("12:00 a: ", "exactly  fits", 18),
            ["12:00 a: exactly", "         fits"],
            "no row ends or begins with the spaces between"
        );
    }

    #[test]
    fn a_word_that_would_leave_much_empty_is_broken() {
        assert_eq!(
            rows("12:00 a: ", "a-word-without-an-end", 20),
            ["12:00 a: a-word-with", "         out-an-end"]
        );
        assert_eq!(
            rows("12:00 a: ", "日本語日本語", 18),
            ["12:00 a: 日本語日", "         本語"],
            "and no character is"
        );
    }

    #[test]
    fn what_is_made_of_parts_does_not_stand_in_the_last_column() {
        let whole = |parts: &str, count: usize| parts.repeat(count);
        for (parts, columns) in [("e\u{301}", 1), ("\u{2764}\u{fe0f}", 2), ("กำ", 2)] {
            let [first, second] = [whole(parts, 12 / columns - 1), whole(parts, 1)];
            assert_eq!(
                rows("12:00 a: ", &whole(parts, 12 / columns), 21),
                [format!("12:00 a: {first}"), format!("         {second}")],
                "{parts}"
            );
            let all = format!("12:00 a: {}", whole(parts, 12 / columns));
            assert_eq!(rows("12:00 a: ", &whole(parts, 12 / columns), 22), [all], "{parts}");
        }
    }

    #[test]
    fn where_the_text_would_have_too_little_room_it_goes_on_further_left() {
        assert_eq!(rows("12:00 long-nick: ", "abcdef", 20), ["12:00 long-nick: abc", "      def"]);
        assert_eq!(rows("12:00 a: ", "bcd", 6), ["12:00 ", "   a: ", "   bcd"]);
    }

    #[test]
    fn styles_do_not_outlast_their_row() {
        let rows: Vec<String> = line("12:00 a: ", "one two").rows(13).collect();
        assert_eq!(rows, ["12:00 a: \x1b[1mone\x1b[0m", "      \x1b[1mtwo\x1b[0m"]);
    }

    /// Whatever is said, in a window of whatever width, on a terminal that thinks otherwise about the
    /// columns of some characters (the one here gives each mark and each part of an emoji its own).
    #[test]
    fn what_stands_at_the_left_edge_begins_a_line() {
        let pieces = [
            "x",
            "word",
            " ",
            "   ",
            "12:00 b: ",
            "日本",
            "e\u{301}\u{301}\u{301}",
            "\u{644}\u{627}",
            "\u{2764}\u{fe0f}",
            "👩\u{200d}🚀",
            "กำ",
            "\u{300}",
            "🇩🇪",
        ];
        let seed = 0x5eed;
        let mut random = fastrand::Rng::with_seed(seed);
        for round in 0..2000 {
            let text: String =
                (0..random.usize(..60)).map(|_| pieces[random.usize(..pieces.len())]).collect();
            let columns = random.usize(4..100);
            let mut terminal = Terminal::with_scrollback(columns, 5, None).unwrap();
            terminal.feed(NO_WRAP);
            for row in line("12:00 a: ", &text).rows(columns) {
                terminal.feed(&*row);
                terminal.feed("\r\n");
            }
            terminal.feed(WRAP);
            let rows: Vec<String> = terminal.screen().all_lines().map(avt::Line::text).collect();
            for (number, row) in rows.iter().enumerate() {
                assert_eq!(
                    !row.starts_with(' ') && !row.trim().is_empty(),
                    number == 0,
                    "seed {seed}, round {round}, {columns} columns, row {number} of {text:?}: {rows:#?}"
                );
            }
        }
    }
}
