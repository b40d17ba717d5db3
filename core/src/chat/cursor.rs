//! Where a member stands in the log.

use super::log::{Log, View};

/// What the operator is shown in place of the lines that it did not read in time. The line feed
/// ends the line that it was in.
const GAP: &[u8] = b"\n* you fell behind: some lines are missing here\n";

/// Where a member stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    offset: u64,
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
    Overrun {
        shown: usize,
    },
}

/// What waits for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    Nothing,
    /// A range of the log.
    Lines(u64, u64),
    /// A text that stands in no log.
    Gap(&'static [u8]),
}

impl Cursor {
    /// It reads what comes from `offset` on.
    pub(super) const fn live(offset: u64) -> Self {
        Self { offset, phase: Phase::Live }
    }

    /// A new member's, whose welcome lies from `welcome` to `after`.
    pub(super) const fn new(history: u64, welcome: u64, after: u64) -> Self {
        Self { offset: welcome, phase: Phase::Welcome { history, welcome, after } }
    }

    /// Up to where it reads in this phase, and what.
    const fn view(&self, index: u32, end: u64) -> (u64, View) {
        match self.phase {
            Phase::Welcome { after, .. } => (after, View::Live(index)),
            Phase::History { welcome, .. } => (welcome, View::History),
            Phase::Live | Phase::Overrun { .. } => (end, View::Live(index)),
        }
    }

    /// The same, past all that the member `index` is not shown; it reads up to `end`.
    #[must_use]
    pub(super) fn advanced(mut self, log: &Log<'_>, index: u32, end: u64) -> Self {
        loop {
            if let Phase::Overrun { .. } = self.phase {
                return self;
            }
            let (limit, view) = self.view(index, end);
            self.offset = log.seek(self.offset, limit, view);
            let is_over = self.offset >= limit;
            match self.phase {
                Phase::Welcome { history, welcome, after } if is_over => {
                    self = Self { offset: history, phase: Phase::History { welcome, after } };
                }
                Phase::History { after, .. } if is_over => self = Self::live(after),
                _ => return self,
            }
        }
    }

    /// What waits for the member; it must have been [advanced](Self::advanced).
    pub(super) fn unread(self, log: &Log<'_>, index: u32, end: u64) -> Unread {
        if let Phase::Overrun { shown } = self.phase {
            return Unread::Gap(GAP.get(shown..).unwrap_or_default());
        }
        let (limit, view) = self.view(index, end);
        let stop = log.run_end(self.offset, limit, view);
        if self.offset < stop { Unread::Lines(self.offset, stop) } else { Unread::Nothing }
    }

    /// `count` bytes of what waits have been sent.
    #[must_use]
    pub(super) fn sent(mut self, log: &Log<'_>, unread: Unread, count: usize) -> Self {
        match (&mut self.phase, unread) {
            (Phase::Overrun { shown }, _) => {
                *shown = shown.saturating_add(count);
                // What is in the later half is still to be had, most of it.
                if *shown >= GAP.len() { Self::live(log.middle()) } else { self }
            }
            (_, Unread::Lines(start, stop)) => {
                self.offset = start.saturating_add(count as u64).min(stop);
                self
            }
            _ => self,
        }
    }

    /// It has lost its place.
    #[must_use]
    pub(super) fn overrun(self, log: &Log<'_>) -> Self {
        let shown = usize::from(log.is_boundary(self.offset));
        Self { phase: Phase::Overrun { shown }, ..self }
    }

    /// The first byte that is still needed.
    pub(super) fn low_water(self) -> u64 {
        match self.phase {
            Phase::Welcome { history, .. } => history.min(self.offset),
            Phase::History { .. } | Phase::Live => self.offset,
            Phase::Overrun { .. } => u64::MAX,
        }
    }
}
