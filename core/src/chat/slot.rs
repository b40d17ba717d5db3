//! What a room knows of one member.

use super::backlog::{Backlog, View};
use super::flood::Account;
use super::nick::Nick;
use crate::text::Progress;
use crate::time::{Duration, Instant};

/// A place for a member in a [`Room`](super::Room).
#[derive(Debug)]
pub struct Place {
    /// Tells this member from those who had the place before.
    pub(super) generation: u32,
    pub(super) state: State,
    pub(super) nick: Nick,
    pub(super) reading: Reading,
    pub(super) progress: Progress,
    /// Which buffer holds its unfinished line.
    pub(super) part: Option<u16>,
    pub(super) account: Account,
    /// Its input waits: for room in the backlog, or for a buffer.
    pub(super) blocked: bool,
    /// When it is looked at again, while it waits for a buffer.
    pub(super) retry: Option<Instant>,
    /// In a chain of vacant places, the next.
    pub(super) next_vacant: Option<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Vacant,
    Here,
    /// It says no more, and reads up to this offset.
    Ending(u64),
    Shut,
    /// It fell behind.
    Dropped,
}

/// Where a member stands in the backlog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) cursor: u64,
    pub(super) phase: Phase,
}

/// A new member reads its welcome, then the history before it, then what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Welcome { history: u64, welcome: u64, after: u64 },
    History { welcome: u64, after: u64 },
    Live,
}

impl Reading {
    /// What waits for the member `index`, who reads up to `end`: where it stands then, and to where
    /// the bytes go on from there.
    pub(super) fn waiting(mut self, backlog: &Backlog<'_>, index: u32, end: u64) -> (Self, u64) {
        loop {
            let (limit, view) = match self.phase {
                Phase::Welcome { after, .. } => (after, View::Live(index)),
                Phase::History { welcome, .. } => (welcome, View::History),
                Phase::Live => (end, View::Live(index)),
            };
            let (start, stop) = backlog.run(self.cursor, limit, view);
            self.cursor = start;
            if start < stop {
                return (self, stop);
            }
            match self.phase {
                Phase::Welcome { history, welcome, after } => {
                    self.phase = Phase::History { welcome, after };
                    self.cursor = history;
                }
                Phase::History { after, .. } => {
                    self.phase = Phase::Live;
                    self.cursor = after;
                }
                Phase::Live => return (self, stop),
            }
        }
    }

    /// The first byte that is still needed.
    pub(super) fn needs(self) -> u64 {
        match self.phase {
            Phase::Welcome { history, .. } => history.min(self.cursor),
            Phase::History { .. } | Phase::Live => self.cursor,
        }
    }
}

impl Place {
    /// A place that nobody has.
    pub const fn vacant() -> Self {
        Self {
            generation: 0,
            state: State::Vacant,
            nick: Nick::none(),
            reading: Reading { cursor: 0, phase: Phase::Live },
            progress: Progress::new(Duration::MAX),
            part: None,
            account: Account::new(),
            blocked: false,
            retry: None,
            next_vacant: None,
        }
    }

    /// Whether it still reads.
    pub(super) const fn reads(&self) -> bool {
        matches!(self.state, State::Here | State::Ending(_))
    }

    /// To where it reads.
    pub(super) const fn end(&self) -> u64 {
        match self.state {
            State::Ending(end) => end,
            _ => u64::MAX,
        }
    }
}

/// A buffer of a [`Room`](super::Room) for a line that has begun to come in.
#[derive(Debug)]
pub struct Part<const N: usize> {
    pub(super) buffer: heapless::Vec<u8, N>,
    /// When the line began.
    pub(super) since: Instant,
    pub(super) next_free: Option<u16>,
}

impl<const N: usize> Part<N> {
    /// An unused buffer.
    pub const fn empty() -> Self {
        Self { buffer: heapless::Vec::new(), since: Instant::ZERO, next_free: None }
    }
}
