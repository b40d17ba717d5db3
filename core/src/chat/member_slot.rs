//! What a room knows of one member.

use super::cursor::Cursor;
use super::nick::Nick;
use super::rate_limiter::LineLimiter;
use crate::text::Progress;
use crate::time::{Duration, Instant};

/// A place for a member in a [`Room`](super::Room).
#[derive(Debug)]
pub struct MemberSlot {
    /// Tells this member from those who had the place before.
    pub(super) generation: u32,
    pub(super) state: State,
    pub(super) nick: Nick,
    pub(super) reading: Cursor,
    pub(super) progress: Progress,
    /// Which buffer holds its unfinished line.
    pub(super) part: Option<u16>,
    pub(super) account: LineLimiter,
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

impl MemberSlot {
    /// A place that nobody has.
    pub const fn vacant() -> Self {
        Self {
            generation: 0,
            state: State::Vacant(None),
            nick: Nick::none(),
            reading: Cursor::live(0),
            progress: Progress::new(Duration::MAX),
            part: None,
            account: LineLimiter::new(),
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
