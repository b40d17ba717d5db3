//! A line under edit, and those before it.

use std::collections::VecDeque;
use std::mem;

use barewire_core::printable::printable;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

use super::keys::Key;

/// So many lines are remembered.
const REMEMBERED: usize = 500;

/// A line takes no more than this, in bytes: more than any message has, so that one that is too long
/// can be shortened.
const LONGEST: usize = 64 * 1024;

/// What a key means for the owner of the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum EditOutcome {
    /// Nothing has changed.
    Nothing,
    /// The line looks different.
    Changed,
    /// This line is complete.
    Entered(String),
    /// The user is done.
    EndOfInput,
    Suspend,
    /// The screen is to be cleared.
    Clear,
}

/// A line, where its cursor is, and the history.
#[derive(Debug, Default)]
pub(crate) struct LineEditor {
    text: String,
    /// Where the cursor is, in bytes; always between two characters as a person sees them.
    cursor: usize,
    /// What was cut off last.
    killed: String,
    history: VecDeque<String>,
    /// Which line of the history is shown, counted from the last; 0 is the new line.
    back: usize,
    /// The new line, while one of the history is shown.
    draft: String,
}

impl LineEditor {
    /// What is left and right of the cursor.
    pub(crate) fn parts(&self) -> (&str, &str) {
        self.text.split_at(self.cursor)
    }

    /// Does what a key says.
    pub(crate) fn press(&mut self, key: Key) -> EditOutcome {
        match key {
            Key::Char(c) => return self.insert(c),
            Key::Enter => return EditOutcome::Entered(self.finish()),
            Key::EndOfInput if self.text.is_empty() => return EditOutcome::EndOfInput,
            Key::Backspace => drop(self.cut(self.before(), self.cursor)),
            Key::Delete | Key::EndOfInput => drop(self.cut(self.cursor, self.after())),
            Key::Left => self.cursor = self.before(),
            Key::Right => self.cursor = self.after(),
            Key::WordLeft => self.cursor = self.word_before(),
            Key::WordRight => self.cursor = self.word_after(),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = self.text.len(),
            Key::Up => return self.recall(self.back + 1),
            Key::Down => {
                return self.back.checked_sub(1).map_or(EditOutcome::Nothing, |to| self.recall(to));
            }
            Key::KillToEnd => self.kill(self.cursor, self.text.len()),
            Key::KillToStart => self.kill(0, self.cursor),
            Key::KillWordBefore => self.kill(self.word_before(), self.cursor),
            Key::KillWordAfter => self.kill(self.cursor, self.word_after()),
            Key::Yank => {
                let killed = mem::take(&mut self.killed);
                killed.chars().for_each(|c| drop(self.insert(c)));
                self.killed = killed;
            }
            Key::Transpose => self.transpose(),
            Key::Clear => return EditOutcome::Clear,
            Key::Suspend => return EditOutcome::Suspend,
        }
        EditOutcome::Changed
    }

    /// Inserts a character, unless it is one that nobody can see: a control, or what changes the
    /// direction of writing, and is shown to others as its number only.
    fn insert(&mut self, c: char) -> EditOutcome {
        let mut bytes = [0; 4];
        let text = &*c.encode_utf8(&mut bytes);
        if self.text.len() >= LONGEST || printable(text.as_bytes()).to_string() != text {
            return EditOutcome::Nothing;
        }
        self.text.insert(self.cursor, c);
        self.cursor += c.len_utf8();
        // What joins the character behind it takes the cursor along.
        if !self.at(self.cursor).is_boundary(&self.text, 0).unwrap_or(true) {
            self.cursor = self.after();
        }
        EditOutcome::Changed
    }

    /// An offset in the text, from which the next between two characters as a person sees them is
    /// found.
    fn at(&self, offset: usize) -> GraphemeCursor {
        GraphemeCursor::new(offset, self.text.len(), true)
    }

    fn before(&self) -> usize {
        self.at(self.cursor).prev_boundary(&self.text, 0).ok().flatten().unwrap_or(0)
    }

    fn after(&self) -> usize {
        let next = self.at(self.cursor).next_boundary(&self.text, 0);
        next.ok().flatten().unwrap_or(self.text.len())
    }

    fn word_before(&self) -> usize {
        let words = self.text.unicode_word_indices().map(|(at, _)| at);
        words.take_while(|&at| at < self.cursor).last().unwrap_or(0)
    }

    fn word_after(&self) -> usize {
        let mut ends = self.text.unicode_word_indices().map(|(at, word)| at + word.len());
        ends.find(|&at| at > self.cursor).unwrap_or(self.text.len())
    }

    fn cut(&mut self, from: usize, to: usize) -> String {
        self.cursor = from;
        self.text.drain(from..to).collect()
    }

    fn kill(&mut self, from: usize, to: usize) {
        if from < to {
            self.killed = self.cut(from, to);
        }
    }

    /// Swaps the two characters around the cursor; at the end, the last two.
    fn transpose(&mut self) {
        let middle = if self.cursor == self.text.len() { self.before() } else { self.cursor };
        self.cursor = middle;
        let (from, to) = (self.before(), self.after());
        if from < middle && middle < to {
            let swapped = [&self.text[middle..to], &self.text[from..middle]].concat();
            self.text.replace_range(from..to, &swapped);
        }
        self.cursor = to;
    }

    /// Shows a line of the history, or the new one again.
    fn recall(&mut self, back: usize) -> EditOutcome {
        let text = match self.history.len().checked_sub(back) {
            None => return EditOutcome::Nothing,
            Some(_) if back == 0 => mem::take(&mut self.draft),
            Some(at) => self.history[at].clone(),
        };
        let left = mem::replace(&mut self.text, text);
        if self.back == 0 {
            self.draft = left;
        }
        self.back = back;
        self.cursor = self.text.len();
        EditOutcome::Changed
    }

    /// Takes the line, which goes into the history.
    fn finish(&mut self) -> String {
        let line = mem::take(&mut self.text);
        self.cursor = 0;
        self.back = 0;
        self.draft.clear();
        if !line.is_empty() && self.history.back() != Some(&line) {
            self.history.push_back(line.clone());
            if self.history.len() > REMEMBERED {
                self.history.pop_front();
            }
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &mut LineEditor, text: &str) {
        text.chars().for_each(|c| drop(line.press(Key::Char(c))));
    }

    /// Presses keys after a text; what is left and right of the cursor then, with a bar between.
    fn after(text: &str, keys: &[Key]) -> String {
        let mut line = LineEditor::default();
        typed(&mut line, text);
        for &key in keys {
            line.press(key);
        }
        let (left, right) = line.parts();
        format!("{left}|{right}")
    }

    #[test]
    fn keys_edit_by_characters_as_a_person_sees_them() {
        assert_eq!(after("abc", &[Key::Left, Key::Backspace]), "a|c");
        assert_eq!(after("abc", &[Key::Home, Key::Delete]), "|bc");
        assert_eq!(after("ae\u{301}", &[Key::Backspace]), "a|");
        assert_eq!(after("a👩\u{200d}🚀b", &[Key::Left, Key::Left]), "a|👩\u{200d}🚀b");
        assert_eq!(after("", &[Key::Backspace, Key::Delete, Key::Left, Key::Right]), "|");
        assert_eq!(after("日本", &[Key::Left, Key::Char('x'), Key::End]), "日x本|");
        assert_eq!(after("ab", &[Key::Left, Key::EndOfInput]), "a|");
    }

    #[test]
    fn words_are_jumped_over_cut_off_and_put_back() {
        assert_eq!(after("one two", &[Key::WordLeft]), "one |two");
        assert_eq!(after("one two", &[Key::Home, Key::WordRight]), "one| two");
        assert_eq!(after("one two", &[Key::KillWordBefore, Key::Home, Key::Yank]), "two|one ");
        assert_eq!(after("one two", &[Key::WordLeft, Key::KillToEnd]), "one |");
        assert_eq!(after("one two", &[Key::WordLeft, Key::KillToStart]), "|two");
        assert_eq!(after("one two", &[Key::Home, Key::KillWordAfter]), "| two");
        assert_eq!(after("abc", &[Key::Transpose]), "acb|");
        assert_eq!(after("abc", &[Key::Home, Key::Right, Key::Transpose]), "ba|c");
        assert_eq!(after("a", &[Key::Transpose]), "a|");
    }

    #[test]
    fn what_cannot_be_seen_is_not_taken() {
        assert_eq!(after("a\u{202e}\u{1b}\u{feff}b", &[]), "ab|");
    }

    #[test]
    fn a_mark_before_a_character_it_joins_keeps_the_cursor_between_two() {
        // The second half of a flag, typed before its first.
        let left = after("🇪", &[Key::Home, Key::Char('🇩')]);
        assert_eq!(left, "🇩🇪|");
    }

    #[test]
    fn the_history_is_walked_and_the_new_line_kept() {
        let mut line = LineEditor::default();
        for text in ["one", "two", "two"] {
            typed(&mut line, text);
            assert_eq!(line.press(Key::Enter), EditOutcome::Entered(text.into()));
        }
        typed(&mut line, "new");
        let mut press = |key| {
            line.press(key);
            line.parts().0.to_owned()
        };
        assert_eq!([press(Key::Up), press(Key::Up), press(Key::Up)], ["two", "one", "one"]);
        assert_eq!([press(Key::Down), press(Key::Down), press(Key::Down)], ["two", "new", "new"]);
    }

    #[test]
    fn the_end_of_input_is_one_only_on_an_empty_line() {
        let mut line = LineEditor::default();
        assert_eq!(line.press(Key::EndOfInput), EditOutcome::EndOfInput);
        typed(&mut line, "a");
        assert_eq!(line.press(Key::EndOfInput), EditOutcome::Changed);
    }

    #[test]
    fn an_endless_line_ends() {
        let text = "x".repeat(LONGEST);
        let mut line = LineEditor { text, cursor: LONGEST, ..LineEditor::default() };
        assert_eq!(line.press(Key::Char('y')), EditOutcome::Nothing);
    }
}
