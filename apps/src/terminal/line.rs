//! A line under edit, and what keys do to it.

use std::mem;

use barewire_core::printable::printable;
use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation as _};

use super::completion::{Candidates, Completion};
use super::history::History;
use super::keys::Key;
use super::paste::{Paste, Pasted, PastedLines};
use super::search::Search;

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
    /// These were pasted, and are to be sent.
    Pasted(Vec<String>),
    /// What can stand in place of the word before the cursor is [to be told](LineEditor::complete).
    Completing,
    /// The user is done.
    EndOfInput,
    Suspend,
    /// The screen is to be cleared.
    Clear,
    /// What has scrolled away is to be shown.
    PageUp,
}

/// A line, where its cursor is, and what is done with it.
#[derive(Debug, Default)]
pub(crate) struct LineEditor {
    text: String,
    /// Where the cursor is, in bytes; always between two characters as a person sees them.
    cursor: usize,
    /// What was cut off last.
    killed: String,
    history: History,
    completion: Option<Completion>,
    /// The search, in which the line is left aside.
    search: Option<Search>,
    /// What is being pasted.
    paste: Option<Paste>,
    /// What was pasted, which is asked about; the line is left aside.
    pasted: Option<PastedLines>,
}

impl LineEditor {
    /// What is left and right of the cursor.
    pub(crate) fn parts(&self) -> (&str, &str) {
        match &self.search {
            None => self.text.split_at(self.cursor),
            Some(search) => {
                search.line(&self.history).map_or(("", ""), |(line, at)| line.split_at(at))
            }
        }
    }

    /// What stands before the line, unless it is the usual.
    pub(crate) fn prompt(&self) -> Option<String> {
        let search = self.search.as_ref()?;
        let what = if search.fails() { "not found" } else { "search" };
        Some(format!("{what} '{}': ", search.pattern()))
    }

    /// What is asked in place of the line, if something is: the best wording first, then those for
    /// narrower windows.
    pub(crate) fn question(&self) -> Option<[String; 4]> {
        self.pasted.as_ref().map(PastedLines::question)
    }

    /// Whether there is something that Esc ends.
    pub(crate) fn can_cancel(&self) -> bool {
        self.search.is_some() || self.pasted.is_some()
    }

    /// Does what a key says.
    pub(crate) fn press(&mut self, key: Key) -> EditOutcome {
        if !matches!(key, Key::Tab | Key::BackTab) {
            self.completion = None;
        }
        if self.paste.is_some() {
            self.press_in_paste(key)
        } else if key == Key::PasteStart {
            self.paste = Some(Paste::default());
            EditOutcome::Nothing
        } else if self.pasted.is_some() {
            self.press_in_question(key)
        } else if self.search.is_some() {
            self.press_in_search(key)
        } else {
            self.press_in_line(key)
        }
    }

    fn press_in_paste(&mut self, key: Key) -> EditOutcome {
        match (key, &mut self.paste) {
            (Key::Char(c), Some(paste)) if can_be_seen(c) => paste.push(c),
            (Key::Enter, Some(paste)) => paste.push('\n'),
            (Key::PasteEnd, paste) => {
                let pasted = paste.take().unwrap_or_default().finish();
                match (pasted, &mut self.pasted) {
                    (Pasted::Part(line), Some(asked)) => asked.add(line),
                    (Pasted::Lines(more), Some(asked)) => {
                        more.lines.into_iter().for_each(|line| asked.add(line));
                    }
                    (Pasted::Lines(lines), asked) => *asked = Some(lines),
                    (Pasted::Part(text), None) => {
                        self.end_search();
                        text.chars().for_each(|c| drop(self.insert(c)));
                    }
                }
                return EditOutcome::Changed;
            }
            _ => {}
        }
        EditOutcome::Nothing
    }

    /// Whether what was pasted is to be sent. The line itself stays as it is.
    fn press_in_question(&mut self, key: Key) -> EditOutcome {
        match key {
            Key::Enter => {
                let PastedLines { lines, .. } = self.pasted.take().unwrap_or_default();
                for line in &lines {
                    self.history.push(line);
                }
                EditOutcome::Pasted(lines)
            }
            Key::Cancel => {
                self.pasted = None;
                EditOutcome::Changed
            }
            Key::Clear => EditOutcome::Clear,
            Key::Suspend => EditOutcome::Suspend,
            Key::PageUp => EditOutcome::PageUp,
            _ => EditOutcome::Nothing,
        }
    }

    fn press_in_search(&mut self, key: Key) -> EditOutcome {
        let (Some(search), history) = (&mut self.search, &self.history) else {
            return EditOutcome::Nothing;
        };
        match key {
            Key::Char(c) if can_be_seen(c) => search.extend(c, history),
            Key::Backspace => search.shorten(history),
            Key::Search => search.find_older(history),
            Key::Cancel => self.search = None,
            Key::Enter if search.line(history).is_none() => self.search = None,
            Key::Clear => return EditOutcome::Clear,
            Key::Suspend => return EditOutcome::Suspend,
            key => {
                self.end_search();
                return match self.press_in_line(key) {
                    EditOutcome::Nothing => EditOutcome::Changed,
                    outcome => outcome,
                };
            }
        }
        EditOutcome::Changed
    }

    /// Takes the line that was found, if one was, as the one under edit.
    fn end_search(&mut self) {
        let Some(search) = self.search.take() else { return };
        if let Some((line, at)) = search.line(&self.history) {
            line.clone_into(&mut self.text);
            self.cursor = at;
            self.history.leave();
        }
    }

    fn press_in_line(&mut self, key: Key) -> EditOutcome {
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
            Key::Up | Key::Down => {
                let (history, text) = (&mut self.history, &mut self.text);
                let shown = if key == Key::Up {
                    history.show_older(text)
                } else {
                    history.show_newer(text)
                };
                if !shown {
                    return EditOutcome::Nothing;
                }
                self.cursor = self.text.len();
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
            Key::Search => self.search = Some(Search::default()),
            Key::Tab | Key::BackTab => match &mut self.completion {
                None => return EditOutcome::Completing,
                Some(completion) => {
                    if key == Key::Tab {
                        completion.next();
                    } else {
                        completion.previous();
                    }
                    self.show_completion();
                }
            },
            Key::Clear => return EditOutcome::Clear,
            Key::Suspend => return EditOutcome::Suspend,
            Key::PageUp => return EditOutcome::PageUp,
            Key::PageDown | Key::CursorAt(_) | Key::Cancel | Key::PasteStart | Key::PasteEnd => {
                return EditOutcome::Nothing;
            }
        }
        EditOutcome::Changed
    }

    /// Puts the first candidate in place of the word before the cursor.
    pub(crate) fn complete(&mut self, candidates: Candidates) {
        self.completion = Completion::start(candidates);
        self.show_completion();
    }

    fn show_completion(&mut self) {
        let Some((start, word)) = self.completion.as_ref().map(Completion::word) else { return };
        let start = start.min(self.cursor);
        self.text.replace_range(start..self.cursor, word);
        self.cursor = start + word.len();
    }

    /// Inserts a character, unless it is one that nobody can see.
    fn insert(&mut self, c: char) -> EditOutcome {
        if self.text.len() >= LONGEST || !can_be_seen(c) {
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

    /// Takes the line, which goes into the history.
    fn finish(&mut self) -> String {
        let line = mem::take(&mut self.text);
        self.cursor = 0;
        self.history.push(&line);
        line
    }
}

/// Whether a character is neither a control nor one that changes the direction of writing, which
/// others are shown as its number only. The joiners and variation selectors belong to characters
/// beside them, one of which may not be there yet.
fn can_be_seen(c: char) -> bool {
    let mut bytes = [0; 4];
    let text = &*c.encode_utf8(&mut bytes);
    let joins = matches!(c, '\u{200c}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}');
    joins || printable(text.as_bytes()).to_string() == text
}

#[cfg(test)]
mod tests;
