//! The rules of a room, and what they are by default.

use core::fmt;

use super::nick::{SkeletonFn, skeleton};
use crate::text::DEFAULT_QUIET;
use crate::time::Duration;

/// The nick of the operator.
pub const OPERATOR_NICK: &str = "server";

/// How many of the last lines a new member gets.
pub const DEFAULT_HISTORY: u16 = 20;

/// How many lines a second a member may say in the long run.
pub const DEFAULT_LINE_RATE: u32 = 10;

/// How many lines a member may say at once: a paste.
pub const DEFAULT_LINE_BURST: u32 = 100;

/// How long the room waits for its slowest member.
pub const DEFAULT_PATIENCE: Duration = Duration::from_millis(250);

/// The rules of a room.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct RoomConfig {
    /// The quiet period that ends a line without a terminator; [`DEFAULT_QUIET`] by default.
    pub quiet: Duration,
    /// How many of the last lines a new member gets; [`DEFAULT_HISTORY`] by default.
    pub history: u16,
    /// How many lines a second a member may say, over a burst of [`DEFAULT_LINE_BURST`];
    /// [`DEFAULT_LINE_RATE`] by default, 0 for no limit.
    pub rate: u32,
    /// Which nicks look alike; [`skeleton`] by default.
    pub skeleton: SkeletonFn,
}

impl RoomConfig {
    /// The rules by default.
    pub const fn new() -> Self {
        Self { quiet: DEFAULT_QUIET, history: DEFAULT_HISTORY, rate: DEFAULT_LINE_RATE, skeleton }
    }

    /// The same, with another [`quiet`](Self::quiet).
    #[must_use]
    pub const fn with_quiet(mut self, quiet: Duration) -> Self {
        self.quiet = quiet;
        self
    }

    /// The same, with another [`history`](Self::history).
    #[must_use]
    pub const fn with_history(mut self, history: u16) -> Self {
        self.history = history;
        self
    }

    /// The same, with another [`rate`](Self::rate).
    #[must_use]
    pub const fn with_rate(mut self, rate: u32) -> Self {
        self.rate = rate;
        self
    }

    /// The same, with another [`skeleton`](Self::skeleton).
    #[must_use]
    pub const fn with_skeleton(mut self, skeleton: SkeletonFn) -> Self {
        self.skeleton = skeleton;
        self
    }
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RoomConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomConfig")
            .field("quiet", &self.quiet)
            .field("history", &self.history)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}
