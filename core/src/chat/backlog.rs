//! The lines of a room, each once, in a ring.

use core::fmt::{self, Write};

/// For all members.
pub(super) const ALL: u32 = u32::MAX;

/// From no member.
pub(super) const NOBODY: u32 = u32::MAX >> 1;

/// Set in [`Mark::from`]: the line was said, so that it belongs to the history.
const SAID: u32 = 1 << 31;

/// No single loan is longer than this, more or less: what a send buffer takes at once.
const RUN: u64 = 64 * 1024;

/// Where a line in a room's backlog begins, and whose it is: 16 bytes.
#[derive(Clone, Copy, Debug)]
pub struct Mark {
    /// Counted from the first byte that the room ever had.
    start: u64,
    from: u32,
    to: u32,
}

impl Mark {
    /// No line: what the memory of a [`Room`](super::Room) may be filled with.
    pub const NONE: Self = Self { start: 0, from: NOBODY, to: ALL };
}

/// Whose line it is, and for whom.
#[derive(Clone, Copy, Debug)]
pub(super) struct Route {
    from: u32,
    to: u32,
}

impl Route {
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
    /// Those of others to all, and those to this member.
    Live(u32),
    /// What was said, whoever said it.
    History,
}

impl View {
    fn shows(self, entry: &Mark) -> bool {
        match self {
            Self::Live(member) if entry.to == ALL => entry.from & !SAID != member,
            Self::Live(member) => entry.to == member,
            Self::History => entry.from & SAID != 0 && entry.to == ALL,
        }
    }
}

/// A ring of bytes, and a ring that tells where in it each line begins. Offsets and numbers of lines
/// are counted from the beginning of the room; 64 bits of them last for ever.
#[derive(Debug)]
pub(super) struct Backlog<'a> {
    bytes: &'a mut [u8],
    marks: &'a mut [Mark],
    end: u64,
    /// The numbers of the oldest line kept, and of the next to be written.
    first: u64,
    next: u64,
}

impl<'a> Backlog<'a> {
    pub(super) fn new(bytes: &'a mut [u8], marks: &'a mut [Mark]) -> Self {
        Self { bytes, marks, end: 0, first: 0, next: 0 }
    }

    pub(super) const fn capacity(&self) -> usize {
        self.bytes.len()
    }

    /// How many lines it can hold.
    pub(super) const fn lines(&self) -> usize {
        self.marks.len()
    }

    /// The offset behind the last line.
    pub(super) const fn end(&self) -> u64 {
        self.end
    }

    fn place(&self, number: u64) -> Option<usize> {
        let place = number.checked_rem(self.marks.len() as u64)?;
        usize::try_from(place).ok()
    }

    fn entry(&self, number: u64) -> Option<&Mark> {
        if number < self.first || number >= self.next {
            return None;
        }
        self.marks.get(self.place(number)?)
    }

    /// Where a line begins; behind the last, the end.
    fn start(&self, number: u64) -> u64 {
        self.entry(number).map_or(self.end, |entry| entry.start)
    }

    /// The number of the line that holds the byte at `offset`, or would.
    fn find(&self, offset: u64) -> u64 {
        let (mut low, mut high) = (self.first, self.next);
        // The line sought is the last that starts at or before the offset.
        while low < high {
            let middle = low + (high - low) / 2;
            if self.start(middle) <= offset { low = middle + 1 } else { high = middle }
        }
        low.saturating_sub(1).max(self.first)
    }

    /// Forgets the oldest lines, but none that ends behind `floor`, until `room` bytes and `lines`
    /// lines are free; tells whether they are.
    pub(super) fn make_room(&mut self, room: usize, lines: usize, floor: u64) -> bool {
        loop {
            let used = self.end.saturating_sub(self.start(self.first));
            let free = (self.bytes.len() as u64).saturating_sub(used);
            let free_lines =
                (self.marks.len() as u64).saturating_sub(self.next.saturating_sub(self.first));
            if room as u64 <= free && lines as u64 <= free_lines {
                return true;
            }
            if self.first >= self.next || self.start(self.first + 1) > floor {
                return false;
            }
            self.first += 1;
        }
    }

    /// The least offset that a reader may still need when `room` bytes are to be free.
    pub(super) fn least(&self, room: usize, lines: usize) -> u64 {
        let by_bytes = self.end.saturating_add(room as u64).saturating_sub(self.bytes.len() as u64);
        let number = self.next.saturating_add(lines as u64).saturating_sub(self.marks.len() as u64);
        let by_lines = if number <= self.first { 0 } else { self.start(number) };
        // A line is kept whole or not at all.
        let number = self.find(by_bytes);
        let whole = if self.start(number) < by_bytes { self.start(number + 1) } else { by_bytes };
        whole.max(by_lines)
    }

    /// Adds a line; there must be room for it. What does not fit is lost.
    pub(super) fn write(&mut self, route: Route, line: impl FnOnce(&mut dyn Write) -> fmt::Result) {
        let entry = Mark { start: self.end, from: route.from, to: route.to };
        let place = self.place(self.next);
        let Some(slot) = place.and_then(|place| self.marks.get_mut(place)) else { return };
        *slot = entry;
        let mut left = (self.bytes.len() as u64)
            .saturating_sub(self.end.saturating_sub(self.start(self.first)))
            .saturating_sub(1);
        let mut writer = Writer { bytes: self.bytes, end: &mut self.end, left: &mut left };
        // It stops where there is no more room.
        let _ = line(&mut writer);
        left = 1;
        let mut writer = Writer { bytes: self.bytes, end: &mut self.end, left: &mut left };
        let _ = writer.write_str("\n");
        self.next += 1;
    }

    /// Where the history begins of which a new member gets the last `count` lines.
    pub(super) fn history(&self, count: u16) -> u64 {
        let mut left = count;
        let mut number = self.next;
        while left > 0 && number > self.first {
            number -= 1;
            if self.entry(number).is_some_and(|entry| View::History.shows(entry)) {
                left -= 1;
            }
        }
        self.start(number)
    }

    /// What waits for a reader who stands at `cursor`, up to `limit`: from where to where it lies
    /// together. Without anything, both are where the reader stands then.
    pub(super) fn run(&self, cursor: u64, limit: u64, view: View) -> (u64, u64) {
        let limit = limit.min(self.end);
        let mut number = self.find(cursor);
        let mut start = cursor;
        // A line that was begun goes on, whatever it is.
        let mut shown = self.start(number) < cursor;
        while start < limit && !shown {
            shown = self.entry(number).is_some_and(|entry| view.shows(entry));
            if !shown {
                number += 1;
                start = self.start(number);
            }
        }
        if start >= limit {
            return (limit.max(cursor), limit.max(cursor));
        }
        let mut end = self.start(number + 1);
        while end < limit && end - start < RUN {
            number += 1;
            if !self.entry(number).is_some_and(|entry| view.shows(entry)) {
                break;
            }
            end = self.start(number + 1);
        }
        (start, end.min(limit))
    }

    /// The bytes from `start` to `end`: two slices, if they lie across the ring's wrap.
    pub(super) fn slices(&self, start: u64, end: u64) -> (&[u8], &[u8]) {
        let wrap = self.bytes.len() as u64;
        let place = |offset: u64| offset.checked_rem(wrap).and_then(|at| usize::try_from(at).ok());
        let (Some(from), Ok(length)) = (place(start), usize::try_from(end.saturating_sub(start)))
        else {
            return (&[], &[]);
        };
        let (before, after) = self.bytes.split_at_checked(from).unwrap_or((&[], &[]));
        match after.get(..length) {
            Some(whole) => (whole, &[]),
            None => (after, before.get(..length.saturating_sub(after.len())).unwrap_or_default()),
        }
    }
}

/// Writes into the ring.
struct Writer<'w> {
    bytes: &'w mut [u8],
    end: &'w mut u64,
    left: &'w mut u64,
}

impl Write for Writer<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let mut rest = part.as_bytes();
        while !rest.is_empty() {
            let place = self.end.checked_rem(self.bytes.len() as u64).ok_or(fmt::Error)?;
            let left = usize::try_from(*self.left).unwrap_or(usize::MAX);
            let free = usize::try_from(place).ok().and_then(|place| self.bytes.get_mut(place..));
            let free = free.unwrap_or_default().iter_mut().take(left);
            let mut count: usize = 0;
            for (to, from) in free.zip(rest) {
                *to = *from;
                count += 1;
            }
            if count == 0 {
                return Err(fmt::Error);
            }
            *self.end += count as u64;
            *self.left -= count as u64;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }
}
