//! The search for a line that was entered before (Ctrl-R).

use super::history::History;

/// What is searched for, and what was found.
#[derive(Debug, Default)]
pub(super) struct Search {
    pattern: String,
    /// Which line of the history, counted from the last, and where in it the pattern is.
    found: Option<(usize, usize)>,
}

impl Search {
    pub(super) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Looks for one character more, from the line on that is shown.
    pub(super) fn extend(&mut self, c: char, history: &History) {
        self.pattern.push(c);
        let from = self.found.map_or(1, |(back, _)| back);
        self.found = history.find(&self.pattern, from);
    }

    /// Looks for one character less, from the last line on.
    pub(super) fn shorten(&mut self, history: &History) {
        self.pattern.pop();
        self.found = if self.pattern.is_empty() { None } else { history.find(&self.pattern, 1) };
    }

    /// Looks further back; where nothing more is found, what is shown stays.
    pub(super) fn find_older(&mut self, history: &History) {
        if let Some((back, _)) = self.found {
            self.found = history.find(&self.pattern, back + 1).or(self.found);
        }
    }

    /// Whether something is searched for that is nowhere.
    pub(super) fn fails(&self) -> bool {
        self.found.is_none() && !self.pattern.is_empty()
    }

    /// The line that was found, and where in it the pattern is.
    pub(super) fn line<'h>(&self, history: &'h History) -> Option<(&'h str, usize)> {
        let (back, at) = self.found?;
        Some((history.get(back)?, at))
    }
}
