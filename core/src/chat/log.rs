//! The lines of a room, each once, in a ring.

mod ring;
mod writer;

use ring::Ring;
use writer::LineWriter;

use super::member_id::NOBODY;

/// For all members.
const ALL: u32 = u32::MAX;

/// Set in [`LogEntry::from`]: the line was said, so that it belongs to the history.
const SAID: u32 = 1 << 31;

/// No single loan is longer than this, more or less: what a send buffer takes at once.
const RUN: u64 = 64 * 1024;

/// Where a line in a room's log begins, and whose it is: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub struct LogEntry {
    /// Counted from the first byte that the room ever had.
    start: u64,
    from: u32,
    to: u32,
}

impl LogEntry {
    /// No line: what the memory of a [`Room`](super::Room) is filled with.
    pub const EMPTY: Self = Self { start: 0, from: NOBODY, to: ALL };
}

/// Whose line it is, and for whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    from: u32,
    to: u32,
}

impl Route {
    /// Who has caused it, and so is not shown it.
    pub(super) const fn by(self) -> u32 {
        self.from & !SAID
    }

    /// What a member says to all others.
    pub(super) const fn said(from: u32) -> Self {
        Self { from: from | SAID, to: ALL }
    }

    /// A notice for all but `about`.
    pub(super) const fn notice(about: u32) -> Self {
        Self { from: about, to: ALL }
    }

    /// For one member only.
    pub(super) const fn private(to: u32) -> Self {
        Self { from: NOBODY, to }
    }
}

/// Which lines a reader is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// Those of others to all, and those to this member, whose own lines begin at `own` at the latest.
    Live { member: u32, own: u64 },
    /// What was said, whoever said it.
    History,
}

impl View {
    fn shows(self, entry: &LogEntry) -> bool {
        match self {
            Self::Live { member, .. } if entry.to == ALL => entry.from & !SAID != member,
            Self::Live { member, .. } => entry.to == member,
            Self::History => entry.from & SAID != 0 && entry.to == ALL,
        }
    }
}

/// A ring of bytes, and a ring that tells where in it each line begins. Offsets and numbers of lines
/// are counted from the beginning of the room.
#[derive(Debug)]
pub(super) struct Log<'a> {
    bytes: Ring<'a, u8>,
    entries: Ring<'a, LogEntry>,
    /// The number of the oldest line kept.
    first: u64,
    /// Where the last line begins that is for one member only.
    private: u64,
}

impl<'a> Log<'a> {
    pub(super) fn new(bytes: &'a mut [u8], entries: &'a mut [LogEntry]) -> Self {
        Self { bytes: Ring::new(bytes), entries: Ring::new(entries), first: 0, private: 0 }
    }

    pub(super) const fn capacity(&self) -> usize {
        self.bytes.size()
    }

    /// How many lines it can hold.
    pub(super) const fn lines(&self) -> usize {
        self.entries.size()
    }

    /// The offset behind the last line.
    pub(super) const fn end(&self) -> u64 {
        self.bytes.next()
    }

    fn entry(&self, number: u64) -> Option<&LogEntry> {
        if number < self.first || number >= self.entries.next() {
            return None;
        }
        self.entries.slots.get(self.entries.slot(number)?)
    }

    /// Where a line begins; behind the last, the end.
    fn start(&self, number: u64) -> u64 {
        self.entry(number).map_or(self.end(), |entry| entry.start)
    }

    /// The number of the line that holds the byte at `offset`, or would. Most readers stand near the
    /// end, so it is sought from there, in steps that double.
    fn find(&self, offset: u64) -> u64 {
        let (mut low, mut high, mut step) = (self.first, self.entries.next(), 1_u64);
        while let Some(near) = high.checked_sub(step).filter(|near| *near > low) {
            if self.start(near) <= offset {
                low = near.saturating_add(1);
                break;
            }
            (high, step) = (near, step.saturating_mul(2));
        }
        // The line sought is the last that starts at or before the offset: in the end, that before `low`.
        while low < high {
            let middle = low.midpoint(high);
            if self.start(middle) <= offset {
                low = middle.saturating_add(1);
            } else {
                high = middle;
            }
        }
        low.saturating_sub(1).max(self.first)
    }

    /// Forgets the oldest lines, but none that ends behind `low_water`, until `bytes` bytes and `lines`
    /// lines are free; tells whether they are.
    pub(super) fn make_room(&mut self, bytes: usize, lines: usize, low_water: u64) -> bool {
        loop {
            let used = self.end().saturating_sub(self.start(self.first));
            let free = (self.bytes.size() as u64).saturating_sub(used);
            let free_lines = (self.entries.size() as u64)
                .saturating_sub(self.entries.next().saturating_sub(self.first));
            if bytes as u64 <= free && lines as u64 <= free_lines {
                return true;
            }
            if self.first >= self.entries.next()
                || self.start(self.first.saturating_add(1)) > low_water
            {
                return false;
            }
            self.first = self.first.saturating_add(1);
        }
    }

    /// The least offset that a reader may still need when `bytes` bytes and `lines` lines are to be
    /// free: where a line begins, or ends.
    pub(super) fn first_kept(&self, bytes: usize, lines: usize) -> u64 {
        let by_bytes =
            self.end().saturating_add(bytes as u64).saturating_sub(self.bytes.size() as u64);
        let number = self
            .entries
            .next()
            .saturating_add(lines as u64)
            .saturating_sub(self.entries.size() as u64);
        let by_lines = self.start(number.max(self.first));
        // A line is kept whole or not at all.
        let number = self.find(by_bytes);
        let whole = if self.start(number) < by_bytes { number.saturating_add(1) } else { number };
        self.start(whole).max(by_lines)
    }

    /// Begins a line; there must be room for it. What does not fit is lost.
    pub(super) fn begin(&mut self, route: Route) -> Option<LineWriter<'_, 'a>> {
        let used = self.end().saturating_sub(self.start(self.first));
        let left = (self.bytes.size() as u64).saturating_sub(used);
        let has_lines = self.entries.next().saturating_sub(self.first) < self.entries.size() as u64;
        let entry = LogEntry { start: self.end(), from: route.from, to: route.to };
        let slot = self.entries.slot(self.entries.next()).filter(|_| has_lines && left > 0)?;
        *self.entries.slots.get_mut(slot)? = entry;
        if entry.to != ALL {
            self.private = entry.start;
        }
        self.entries.advance(1);
        Some(LineWriter::new(&mut self.bytes, left.saturating_sub(1)))
    }

    /// Where the later half of the log begins, more or less.
    pub(super) fn middle(&self) -> u64 {
        self.first_kept(self.bytes.size() / 2, self.entries.size() / 2)
    }

    /// Whether a line begins at `offset`, or the last one ends there.
    pub(super) fn is_boundary(&self, offset: u64) -> bool {
        offset >= self.end() || self.start(self.find(offset)) == offset
    }

    /// Where the history begins of which a new member gets the last `count` lines, and none that begins
    /// before `earliest`.
    pub(super) fn history(&self, count: u16, earliest: u64) -> u64 {
        let (mut left, mut number) = (count, self.entries.next());
        while left > 0 && number > self.first && self.start(number.saturating_sub(1)) >= earliest {
            number = number.saturating_sub(1);
            if self.entry(number).is_some_and(|entry| View::History.shows(entry)) {
                left = left.saturating_sub(1);
            }
        }
        self.start(number)
    }

    /// Whether a reader is shown all that stands behind `offset`, as most are: nothing need be sought then.
    fn shows_all(&self, offset: u64, view: View) -> bool {
        match view {
            View::Live { own, .. } => offset > own.max(self.private),
            View::History => false,
        }
    }

    /// Where a reader stands who is at `cursor` and reads up to `limit`: in a line that it has begun,
    /// before one that it is shown, or at the limit.
    pub(super) fn seek(&self, cursor: u64, limit: u64, view: View) -> u64 {
        let limit = limit.min(self.end());
        // As most do most of the time.
        if cursor >= limit {
            return cursor;
        }
        let mut at = cursor.max(self.start(self.first));
        if at >= limit {
            return limit;
        }
        if self.shows_all(at, view) {
            return at;
        }
        let mut number = self.find(at);
        if self.start(number) < at {
            return at;
        }
        while at < limit && !self.entry(number).is_some_and(|entry| view.shows(entry)) {
            number = number.saturating_add(1);
            at = self.start(number);
        }
        at.min(limit).max(cursor)
    }

    /// To where a reader goes on without a gap who [stands](Self::seek) at `start`: over all lines
    /// that it is shown and that lie together, or somewhat more than [`RUN`] of them.
    pub(super) fn run_end(&self, start: u64, limit: u64, view: View) -> u64 {
        let limit = limit.min(self.end());
        if start >= limit {
            return start;
        }
        if self.shows_all(start, view) && limit.saturating_sub(start) <= RUN {
            return limit;
        }
        let mut number = self.find(start).saturating_add(1);
        let mut end = self.start(number);
        while end < limit
            && end.saturating_sub(start) < RUN
            && self.entry(number).is_some_and(|entry| view.shows(entry))
        {
            number = number.saturating_add(1);
            end = self.start(number);
        }
        end.min(limit)
    }

    /// The bytes from `start` to `end`: two slices, if they lie across the ring's wrap.
    pub(super) fn slices(&self, start: u64, end: u64) -> (&[u8], &[u8]) {
        let from = self.bytes.slot(start);
        let (Some(from), Ok(length)) = (from, usize::try_from(end.saturating_sub(start))) else {
            return (&[], &[]);
        };
        let (before, after) = self.bytes.slots.split_at_checked(from).unwrap_or((&[], &[]));
        match after.get(..length) {
            Some(whole) => (whole, &[]),
            None => (after, before.get(..length.saturating_sub(after.len())).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests;
