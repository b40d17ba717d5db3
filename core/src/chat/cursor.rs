//! Where a member stands in the log.

use super::log::{Log, View};
use super::welcome::Welcome;

/// What the operator is shown in place of the lines that it did not read in time. The line feed
/// ends the line that it was in.
const GAP: &[u8] = b"\n* you fell behind: some lines are missing here\n";

/// Where a member stands in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    offset: u64,
    /// Where the last line begins that it has caused.
    own: u64,
    phase: Phase,
}

/// A new member reads its welcome, then the history, then what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Welcome {
        welcome: Welcome,
        after: u64,
    },
    History {
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
pub(super) enum Unread<'c> {
    Nothing,
    /// A range of the log.
    Lines(u64, u64),
    /// A text that stands in no log, in two parts.
    Text(&'c [u8], &'c [u8]),
}

impl Cursor {
    /// It reads what comes from `offset` on.
    pub(super) const fn live(offset: u64) -> Self {
        Self { offset, own: 0, phase: Phase::Live }
    }

    /// The same, but it reads what comes from `offset` on.
    const fn moved(self, offset: u64) -> Self {
        Self { offset, phase: Phase::Live, ..self }
    }

    /// It has caused a line that begins at `start`.
    pub(super) const fn caused(&mut self, start: u64) {
        self.own = start;
    }

    /// A new member's, whose history begins at `history` and ends at `after`.
    pub(super) const fn new(welcome: Welcome, history: u64, after: u64) -> Self {
        Self { offset: history, own: 0, phase: Phase::Welcome { welcome, after } }
    }

    /// Where it reads on in the log, past all that the member `index` is not shown, up to where, and what.
    fn reads_on(&self, log: &Log<'_>, index: u32, end: u64) -> (u64, u64, View) {
        let mut offset = self.offset;
        if let Phase::History { after } = self.phase {
            offset = log.seek(offset, after, View::History);
            if offset < after {
                return (offset, after, View::History);
            }
        }
        let view = View::Live { member: index, own: self.own };
        (log.seek(offset, end, view), end, view)
    }

    /// The same, past all that the member `index` is not shown; it reads up to `end`.
    #[must_use]
    pub(super) fn advanced(self, log: &Log<'_>, index: u32, end: u64) -> Self {
        match self.phase {
            Phase::Welcome { .. } | Phase::Overrun { .. } => self,
            Phase::History { .. } | Phase::Live => match self.reads_on(log, index, end) {
                (offset, _, View::History) => Self { offset, ..self },
                (offset, _, View::Live { .. }) => self.moved(offset),
            },
        }
    }

    /// What waits for the member of this nick, which reads up to `end`.
    pub(super) fn unread<'c>(
        &'c self,
        log: &Log<'_>,
        index: u32,
        nick: &'c str,
        end: u64,
    ) -> Unread<'c> {
        match &self.phase {
            Phase::Welcome { welcome, .. } => {
                let (head, tail) = welcome.unread(nick);
                Unread::Text(head, tail)
            }
            Phase::Overrun { shown } => Unread::Text(GAP.get(*shown..).unwrap_or_default(), &[]),
            Phase::History { .. } | Phase::Live => {
                let (start, limit, view) = self.reads_on(log, index, end);
                let stop = log.run_end(start, limit, view);
                if start < stop { Unread::Lines(start, stop) } else { Unread::Nothing }
            }
        }
    }

    /// Whether more waits for the member behind what is [lent](Self::unread) to it.
    pub(super) fn has_more(
        self,
        log: &Log<'_>,
        index: u32,
        nick: &str,
        end: u64,
        lent: Unread<'_>,
    ) -> bool {
        self.sent(log, nick, lent, lent.len()).unread(log, index, nick, end) != Unread::Nothing
    }

    /// Of what [waited](Self::unread), `count` bytes have been sent, at most all of it.
    #[must_use]
    pub(super) fn sent(
        mut self,
        log: &Log<'_>,
        nick: &str,
        waited: Unread<'_>,
        count: usize,
    ) -> Self {
        if let Unread::Lines(start, _) = waited {
            let offset = start.saturating_add(count as u64);
            return match self.phase {
                Phase::History { after } if start < after => Self { offset, ..self },
                _ => self.moved(offset),
            };
        }
        match &mut self.phase {
            Phase::Welcome { welcome, after } => {
                welcome.advance(count);
                let (rest, _) = welcome.unread(nick);
                if rest.is_empty() {
                    self.phase = Phase::History { after: *after };
                }
            }
            Phase::Overrun { shown } => {
                *shown = shown.saturating_add(count);
                // What is in the later half is still to be had, most of it.
                if *shown >= GAP.len() {
                    return self.moved(log.middle());
                }
            }
            Phase::History { .. } | Phase::Live => {}
        }
        self
    }

    /// It has lost its place.
    #[must_use]
    pub(super) fn overrun(self, log: &Log<'_>) -> Self {
        let shown = log.is_boundary(self.offset).into();
        Self { phase: Phase::Overrun { shown }, ..self }
    }

    /// The first byte that is still needed.
    pub(super) const fn low_water(self) -> u64 {
        match self.phase {
            Phase::Welcome { .. } | Phase::History { .. } | Phase::Live => self.offset,
            Phase::Overrun { .. } => u64::MAX,
        }
    }
}

impl Unread<'_> {
    /// How many bytes it has.
    pub(super) fn len(self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::Lines(start, stop) => {
                usize::try_from(stop.saturating_sub(start)).unwrap_or(usize::MAX)
            }
            Self::Text(head, tail) => head.len().saturating_add(tail.len()),
        }
    }
}
