//! The lines that were entered before.

use std::collections::VecDeque;
use std::mem;

/// So many lines are remembered.
const REMEMBERED: usize = 500;

/// The lines, and which of them is shown.
#[derive(Debug, Default)]
pub(super) struct History {
    lines: VecDeque<String>,
    /// Which line is shown, counted from the last; 0 is the new line.
    back: usize,
    /// The new line, while another is shown.
    draft: String,
}

impl History {
    /// Adds a line, the newest; the next that is shown is a new one.
    pub(super) fn push(&mut self, line: &str) {
        self.leave();
        if !line.is_empty() && self.lines.back().is_none_or(|last| last != line) {
            self.lines.push_back(line.to_owned());
            if self.lines.len() > REMEMBERED {
                self.lines.pop_front();
            }
        }
    }

    /// The line before the one that is shown, which takes its place in `text`. Tells whether there is
    /// one.
    pub(super) fn show_older(&mut self, text: &mut String) -> bool {
        self.show(self.back + 1, text)
    }

    /// The line after.
    pub(super) fn show_newer(&mut self, text: &mut String) -> bool {
        self.back.checked_sub(1).is_some_and(|back| self.show(back, text))
    }

    /// What is shown is the new line, from wherever it came.
    pub(super) fn leave(&mut self) {
        self.back = 0;
        self.draft.clear();
    }

    fn show(&mut self, back: usize, text: &mut String) -> bool {
        let shown = match self.lines.len().checked_sub(back) {
            None => return false,
            Some(_) if back == 0 => mem::take(&mut self.draft),
            Some(at) => self.lines[at].clone(),
        };
        let left = mem::replace(text, shown);
        if self.back == 0 {
            self.draft = left;
        }
        self.back = back;
        true
    }

    /// Which line, counted from the last, at least `back` of them away, has `pattern` in it, in small
    /// letters or capitals; and where, in bytes.
    pub(super) fn find(&self, pattern: &str, back: usize) -> Option<(usize, usize)> {
        let pattern = in_small_letters(pattern);
        let lines = self.lines.iter().rev().enumerate().map(|(at, line)| (at + 1, line));
        lines.skip(back.saturating_sub(1)).find_map(|(back, line)| {
            let found = in_small_letters(line).find(&pattern)?;
            // In small letters a line may have other places.
            let mut end = 0;
            let (at, _) = line.char_indices().find(|(_, c)| {
                end += c.to_lowercase().map(char::len_utf8).sum::<usize>();
                found < end
            })?;
            Some((back, at))
        })
    }

    pub(super) fn get(&self, back: usize) -> Option<&str> {
        let at = self.lines.len().checked_sub(back)?;
        self.lines.get(at).map(String::as_str)
    }
}

/// Letter by letter, so that a part of a text is a part of it in small letters, too.
fn in_small_letters(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(lines: &[&str]) -> History {
        let mut history = History::default();
        for line in lines {
            history.push(line);
        }
        history
    }

    #[test]
    fn lines_are_found_back_from_the_last_whatever_their_letters() {
        let history = history(&["one ÄPFEL", "two", "äpfel"]);
        assert_eq!(history.find("äpf", 1), Some((1, 0)));
        assert_eq!(history.find("Äpf", 2), Some((3, 4)));
        assert_eq!(history.find("äpf", 4), None);
        assert_eq!(history.find("three", 1), None);
        assert_eq!((history.get(1), history.get(3)), (Some("äpfel"), Some("one ÄPFEL")));
        // Letters that are longer, or more than one, when they are small.
        let history = self::history(&["İİẞK: Straße ΑΣ", "plain"]);
        assert_eq!(history.find("k: s", 1), Some((2, "İİẞ".len())));
        assert_eq!(history.find("ασ", 1), Some((2, "İİẞK: Straße ".len())));
        assert_eq!(history.find("", 1), Some((1, 0)));
        assert_eq!((history.get(0), history.get(4)), (None, None));
    }

    #[test]
    fn only_so_many_lines_are_remembered_and_repeated_ones_once() {
        let mut history = history(&["x", "x", ""]);
        assert_eq!((history.get(1), history.get(2)), (Some("x"), None));
        for number in 0..2 * REMEMBERED {
            history.push(&number.to_string());
        }
        assert!(history.get(REMEMBERED).is_some() && history.get(REMEMBERED + 1).is_none());
    }
}
