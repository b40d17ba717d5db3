//! What waits to be written, and what is known of it.

#[derive(Debug, Default)]
pub(super) struct Queue {
    /// Whole lines.
    pub(super) bytes: Vec<u8>,
    /// How many lines came behind these and found no room.
    pub(super) omitted: u64,
    /// How many lines are being written, with those that were omitted behind them.
    pub(super) under_way: u64,
    /// How many were lost before, which is not told yet.
    pub(super) lost: u64,
    /// The last write failed: what is lost is told with the next line.
    pub(super) failing: bool,
    pub(super) reopen: bool,
    pub(super) thread: Thread,
    pub(super) closed: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Thread {
    #[default]
    Unneeded,
    Idle,
    Busy,
    /// There can be none.
    Refused,
}

impl Queue {
    /// Takes as many whole lines as there is room for. Behind one that was left out none gets in, so
    /// that it is known where they are missing.
    pub(super) fn push(&mut self, lines: &[u8], capacity: usize) {
        let room = if self.omitted > 0 { 0 } else { capacity.saturating_sub(self.bytes.len()) };
        let fits = if lines.len() <= room {
            lines.len()
        } else {
            lines[..room].iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1)
        };
        let (fitting, rest) = lines.split_at(fits);
        self.bytes.extend_from_slice(fitting);
        self.omitted += count_lines(rest);
    }

    pub(super) fn has_work(&self) -> bool {
        !self.bytes.is_empty()
            || self.omitted > 0
            || self.reopen
            || (self.lost > 0 && !self.failing)
    }

    pub(super) fn unwritten(&self) -> u64 {
        count_lines(&self.bytes) + self.omitted + self.under_way + self.lost
    }
}

pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte == b'\n')).sum()
}
