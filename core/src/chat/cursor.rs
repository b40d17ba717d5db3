//! Where a member stands in the backlog.

use super::log::{Log, View};

/// What the operator is shown in place of the lines that it did not read in time. The line feed
/// ends the line that it was in.
const GAP: &[u8] = b"\n* you fell behind: some lines are missing here\n";

/// Where a member stands in the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    cursor: u64,
    phase: Phase,
}

/// A new member reads its welcome, then the history before it, then what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Welcome {
        history: u64,
        welcome: u64,
        after: u64,
    },
    History {
        welcome: u64,
        after: u64,
    },
    Live,
    /// It has lost its place, and has been shown so much of [`GAP`].
    Lost {
        shown: usize,
    },
}

/// What waits for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    Nothing,
    /// A range of the backlog.
    Lines(u64, u64),
    /// A text that stands in no backlog.
    Note(&'static [u8]),
}

impl Cursor {
    /// It reads what comes from `cursor` on.
    pub(super) const fn live(cursor: u64) -> Self {
        Self { cursor, phase: Phase::Live }
    }

    /// A new member's, whose welcome lies from `welcome` to `after`.
    pub(super) const fn new(history: u64, welcome: u64, after: u64) -> Self {
        Self { cursor: welcome, phase: Phase::Welcome { history, welcome, after } }
    }

    /// Up to where it reads in this phase, and what.
    const fn view(&self, index: u32, end: u64) -> (u64, View) {
        match self.phase {
            Phase::Welcome { after, .. } => (after, View::Live(index)),
            Phase::History { welcome, .. } => (welcome, View::History),
            Phase::Live | Phase::Lost { .. } => (end, View::Live(index)),
        }
    }

    /// The same, past all that the member `index` is not shown; it reads up to `end`.
    #[must_use]
    pub(super) fn advanced(mut self, backlog: &Log<'_>, index: u32, end: u64) -> Self {
        loop {
            if let Phase::Lost { .. } = self.phase {
                return self;
            }
            let (limit, view) = self.view(index, end);
            self.cursor = backlog.seek(self.cursor, limit, view);
            let is_over = self.cursor >= limit;
            match self.phase {
                Phase::Welcome { history, welcome, after } if is_over => {
                    self = Self { cursor: history, phase: Phase::History { welcome, after } };
                }
                Phase::History { after, .. } if is_over => self = Self::live(after),
                _ => return self,
            }
        }
    }

    /// What waits for the member; it must have been [advanced](Self::advanced).
    pub(super) fn waiting(self, backlog: &Log<'_>, index: u32, end: u64) -> Waiting {
        if let Phase::Lost { shown } = self.phase {
            return Waiting::Note(GAP.get(shown..).unwrap_or_default());
        }
        let (limit, view) = self.view(index, end);
        let stop = backlog.run(self.cursor, limit, view);
        if self.cursor < stop { Waiting::Lines(self.cursor, stop) } else { Waiting::Nothing }
    }

    /// `count` bytes of what waits have been sent.
    #[must_use]
    pub(super) fn sent(mut self, backlog: &Log<'_>, waiting: Waiting, count: usize) -> Self {
        match (&mut self.phase, waiting) {
            (Phase::Lost { shown }, _) => {
                *shown = shown.saturating_add(count);
                // What is in the later half is still to be had, most of it.
                if *shown >= GAP.len() { Self::live(backlog.middle()) } else { self }
            }
            (_, Waiting::Lines(start, stop)) => {
                self.cursor = start.saturating_add(count as u64).min(stop);
                self
            }
            _ => self,
        }
    }

    /// It has lost its place.
    #[must_use]
    pub(super) fn lost(self, backlog: &Log<'_>) -> Self {
        let shown = usize::from(backlog.is_boundary(self.cursor));
        Self { phase: Phase::Lost { shown }, ..self }
    }

    /// The first byte that is still needed.
    pub(super) fn needs(self) -> u64 {
        match self.phase {
            Phase::Welcome { history, .. } => history.min(self.cursor),
            Phase::History { .. } | Phase::Live => self.cursor,
            Phase::Lost { .. } => u64::MAX,
        }
    }
}
