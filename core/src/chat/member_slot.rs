//! What a room knows of one member.

use core::num::NonZeroU32;

use super::cursor::Cursor;
use super::nick::Nick;
use super::opening::Opening;
use super::rate_limiter::RateLimiter;
use super::wait::Wait;
use crate::source::Source;
use crate::text::Progress;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// How long a line may take to come in whole.
pub(super) const LINE_SECONDS: u32 = 10;
const LINE_TIMEOUT: Duration = Duration::from_secs(LINE_SECONDS as u64);

/// A slot for a member in a [`Room`](super::Room).
#[derive(Debug)]
pub struct MemberSlot {
    pub(super) generation: u32,
    pub(super) state: SlotState,
    pub(super) nick: Nick,
    pub(super) source: Source,
    /// The account of its source.
    pub(super) account: u32,
    /// Where it stands in the log.
    pub(super) cursor: Cursor,
    pub(super) opening: Opening,
    pub(super) progress: Progress,
    pub(super) buffering: Buffering,
    /// What it has said.
    pub(super) lines: RateLimiter,
    /// When it may be told again that lines of it were refused.
    pub(super) next_note: Instant,
    pub(super) wait: Wait,
    /// The last period of patience in which it had a turn.
    pub(super) seen_in: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SlotState {
    /// In a chain of vacant slots; the operator's is never among them.
    Vacant {
        next: Option<NonZeroU32>,
        /// Until then, the nick is kept for its source.
        kept: Deadline,
    },
    Active,
    /// It says no more, and reads up to this offset of the log.
    Draining {
        end: u64,
        /// Until when it must have taken some more.
        deadline: Deadline,
    },
    /// Its direction has been ended.
    Shutdown,
    /// It fell behind, and is to be told.
    Dropped,
}

/// Where a line is kept that has begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buffering {
    /// There is none.
    Unneeded,
    In {
        buffer: u16,
        since: Instant,
    },
    /// It goes on when there is room in the log; until then its time stands still.
    Paused {
        buffer: u16,
        taken: Duration,
    },
    /// It waits, in nobody's way, for a buffer of its source, which has its share; until then.
    AwaitsShare {
        until: Instant,
    },
    /// Others waited for the buffer, and the line took too long: the member is to be told.
    Revoked,
}

impl MemberSlot {
    /// A slot that nobody has.
    pub const fn vacant() -> Self {
        Self {
            generation: 0,
            state: SlotState::Vacant { next: None, kept: Deadline::NEVER },
            nick: Nick::none(),
            source: Source(0),
            account: 0,
            cursor: Cursor::live(0),
            opening: Opening::lines(),
            progress: Progress::new(Duration::MAX),
            buffering: Buffering::Unneeded,
            lines: RateLimiter::new(),
            next_note: Instant::ZERO,
            wait: Wait::Nothing,
            seen_in: 0,
        }
    }

    /// Gives the slot to somebody else, who does not read yet.
    pub(super) fn occupy(&mut self, nick: Nick, source: Source, account: u32, quiet: Duration) {
        self.generation = self.generation.wrapping_add(1);
        self.state = SlotState::Shutdown;
        self.nick = nick;
        self.source = source;
        self.account = account;
        self.cursor = Cursor::live(0);
        self.opening = Opening::new();
        self.progress = Progress::new(quiet);
        self.buffering = Buffering::Unneeded;
        self.lines = RateLimiter::new();
        self.next_note = Instant::ZERO;
        self.wait = Wait::Nothing;
        self.seen_in = 0;
    }

    pub(super) const fn is_vacant(&self) -> bool {
        matches!(self.state, SlotState::Vacant { .. })
    }

    /// Whether it still reads.
    pub(super) const fn reads(&self) -> bool {
        matches!(self.state, SlotState::Active | SlotState::Draining { .. })
    }

    /// The offset to which it reads.
    pub(super) const fn end(&self) -> u64 {
        match self.state {
            SlotState::Draining { end, .. } => end,
            _ => u64::MAX,
        }
    }

    /// Of an unfinished line: when it ends by quiet, and when it has taken too long.
    pub(super) fn line_deadlines(&self) -> (Deadline, Deadline) {
        let late = match self.buffering {
            Buffering::In { since, .. } if self.progress.needs_buffer() => {
                Deadline::after(since, LINE_TIMEOUT)
            }
            Buffering::Paused { taken, .. } if taken >= LINE_TIMEOUT => {
                Deadline::after(Instant::ZERO, Duration::ZERO)
            }
            _ => Deadline::NEVER,
        };
        let quiet = self.progress.deadline();
        let holds = late != Deadline::NEVER && self.opening.may_be_request();
        (if holds { quiet.max(late) } else { quiet }, late)
    }

    /// The buffer of its unfinished line.
    pub(super) const fn buffer(&self) -> Option<u16> {
        match self.buffering {
            Buffering::In { buffer, .. } | Buffering::Paused { buffer, .. } => Some(buffer),
            Buffering::Unneeded | Buffering::AwaitsShare { .. } | Buffering::Revoked => None,
        }
    }

    /// Its input waits for room in the log from now on, or no more. The time of an unfinished line, which
    /// is its sender's, does not count until there is room.
    pub(super) fn pause(&mut self, now: Instant, pauses: bool) {
        self.buffering = match self.buffering {
            Buffering::In { buffer, since } if pauses => {
                Buffering::Paused { buffer, taken: now.duration_since(since) }
            }
            Buffering::Paused { buffer, taken } if !pauses => {
                // Bytes may have waited that go on with it: they are offered before silence ends it.
                self.progress.restart_quiet(now);
                Buffering::In { buffer, since: now - taken }
            }
            unchanged => unchanged,
        };
    }
}
