//! What a room knows of one member.

use super::flood::Account;
use super::nick::Nick;
use super::reading::Reading;
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
    /// When it last took something of what it is sent.
    pub(super) read_at: Option<Instant>,
    /// Its input waits for room in the backlog.
    pub(super) blocked: bool,
    /// When it is looked at again, while its input waits for a buffer.
    pub(super) retry: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// In a chain of vacant places; the next.
    Vacant(Option<u32>),
    Here,
    /// It says no more, and reads up to this offset.
    Ending(u64),
    Shut,
    /// It fell behind.
    Dropped,
}

impl Place {
    /// A place that nobody has.
    pub const fn vacant() -> Self {
        Self {
            generation: 0,
            state: State::Vacant(None),
            nick: Nick::none(),
            reading: Reading::live(0),
            progress: Progress::new(Duration::MAX),
            part: None,
            account: Account::new(),
            read_at: None,
            blocked: false,
            retry: None,
        }
    }

    pub(super) const fn is_vacant(&self) -> bool {
        matches!(self.state, State::Vacant(_))
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
