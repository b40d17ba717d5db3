//! The completion of a word (Tab): by the first of its candidates, and then by one after another.

/// What can stand in place of the word before the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// Where the word starts, in bytes.
    pub(crate) start: usize,
    /// The best first; each with what follows it.
    pub(crate) words: Vec<String>,
}

/// A completion under way: the next Tab gives the next candidate.
#[derive(Debug)]
pub(super) struct Completion {
    candidates: Candidates,
    shown: usize,
}

impl Completion {
    /// The first candidate, if there is one.
    pub(super) fn start(candidates: Candidates) -> Option<Self> {
        (!candidates.words.is_empty()).then_some(Self { candidates, shown: 0 })
    }

    /// The next candidate; after the last the first again.
    pub(super) fn next(&mut self) {
        self.shown = (self.shown + 1) % self.candidates.words.len();
    }

    /// The one before.
    pub(super) fn previous(&mut self) {
        let count = self.candidates.words.len();
        self.shown = (self.shown + count - 1) % count;
    }

    /// Where the word starts, and what stands there.
    pub(super) fn word(&self) -> (usize, &str) {
        (self.candidates.start, &self.candidates.words[self.shown])
    }
}
