//! The rules of a room, and what they are by default.

use super::nick_rules::NickRules;
use crate::text::{DEFAULT_QUIET, MAX_TEXT};
use crate::time::Duration;

/// How many of the last lines a new member gets.
pub const DEFAULT_HISTORY: u16 = 20;

/// How many lines a second a member may say in the long run.
pub const DEFAULT_LINE_RATE: u32 = 10;

/// How many lines a member may say at once: a paste.
pub const DEFAULT_LINE_BURST: u32 = 100;

/// How many members may come from one source.
pub const DEFAULT_MEMBERS_PER_SOURCE: u32 = 100;

/// How often a second members of one source may join in the long run.
pub const DEFAULT_JOIN_RATE: u32 = 1;

/// How often members of one source may join at once: all that there may be, twice.
pub const DEFAULT_JOIN_BURST: u32 = 2 * DEFAULT_MEMBERS_PER_SOURCE;

/// How long the room waits for its slowest member.
pub const DEFAULT_PATIENCE: Duration = Duration::from_millis(250);

/// How long the end of a chat may take: of a member that says no more, without a step forward; of the
/// room, for a [client](super::Client::finish), all in all.
pub const DEFAULT_END_TIMEOUT: Duration = Duration::from_secs(30);

/// How many lines at a time may have begun to come in and not ended.
pub const DEFAULT_LINE_BUFFERS: u16 = 2;

/// How many of these may be of one source.
pub const DEFAULT_LINE_BUFFERS_PER_SOURCE: u16 = 1;

/// The longest text of a member, in bytes: the longest that there may be.
pub const DEFAULT_MAX_TEXT: u16 = 1024;

const _: () = assert!(DEFAULT_MAX_TEXT as usize == MAX_TEXT);

/// The rules of a room.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RoomConfig {
    /// The quiet period that ends a line without a terminator; [`DEFAULT_QUIET`] by default.
    pub quiet: Duration,
    /// How many of the last lines a new member gets; [`DEFAULT_HISTORY`] by default.
    pub history: u16,
    /// How many lines a second a member may say in the long run, and all from one
    /// [source](crate::source::Source) four times as many; [`DEFAULT_LINE_RATE`] by default, 0 for no
    /// limit.
    pub rate: u32,
    /// How many lines a member may say at once, and all from one source four times as many;
    /// [`DEFAULT_LINE_BURST`] by default.
    pub burst: u32,
    /// How many members may come from one [source](crate::source::Source);
    /// [`DEFAULT_MEMBERS_PER_SOURCE`] by default, 0 for no limit.
    pub members_per_source: u32,
    /// How often a second members of one source may join in the long run; [`DEFAULT_JOIN_RATE`] by
    /// default, 0 for no limit.
    pub join_rate: u32,
    /// How often members of one source may join at once; [`DEFAULT_JOIN_BURST`] by default.
    pub join_burst: u32,
    /// How long the room waits for its slowest reader, and a member for the [buffer](Self::line_buffers) of another's begun
    /// line; [`DEFAULT_PATIENCE`] by default, [`Duration::MAX`] for ever, and never 0.
    pub patience: Duration,
    /// How long a member that says no more may take nothing of what is left for it;
    /// [`DEFAULT_END_TIMEOUT`] by default, [`Duration::MAX`] for ever.
    pub end_timeout: Duration,
    /// Which nicks there may be, and which look alike; [`NickRules::ASCII`] by default.
    pub nicks: NickRules,
    /// The longest text of a member, in bytes, from 2 to [`MAX_TEXT`]; [`DEFAULT_MAX_TEXT`] by default.
    pub max_text: u16,
    /// How many lines at a time may have begun to come in and not ended;
    /// [`DEFAULT_LINE_BUFFERS`] by default. A line that comes in whole needs none.
    pub line_buffers: u16,
    /// How many of these may be of one [source](crate::source::Source) before it waits for its own;
    /// [`DEFAULT_LINE_BUFFERS_PER_SOURCE`] by default, 0 for no limit.
    pub line_buffers_per_source: u16,
}

impl RoomConfig {
    /// The rules by default.
    pub const fn new() -> Self {
        Self {
            quiet: DEFAULT_QUIET,
            history: DEFAULT_HISTORY,
            rate: DEFAULT_LINE_RATE,
            burst: DEFAULT_LINE_BURST,
            members_per_source: DEFAULT_MEMBERS_PER_SOURCE,
            join_rate: DEFAULT_JOIN_RATE,
            join_burst: DEFAULT_JOIN_BURST,
            patience: DEFAULT_PATIENCE,
            end_timeout: DEFAULT_END_TIMEOUT,
            nicks: NickRules::ASCII,
            max_text: DEFAULT_MAX_TEXT,
            line_buffers: DEFAULT_LINE_BUFFERS,
            line_buffers_per_source: DEFAULT_LINE_BUFFERS_PER_SOURCE,
        }
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

    /// The same, with another [`burst`](Self::burst).
    #[must_use]
    pub const fn with_burst(mut self, burst: u32) -> Self {
        self.burst = burst;
        self
    }

    /// The same, with another [`members_per_source`](Self::members_per_source).
    #[must_use]
    pub const fn with_members_per_source(mut self, members_per_source: u32) -> Self {
        self.members_per_source = members_per_source;
        self
    }

    /// The same, with another [`join_rate`](Self::join_rate) and [`join_burst`](Self::join_burst).
    #[must_use]
    pub const fn with_joins(mut self, rate: u32, burst: u32) -> Self {
        self.join_rate = rate;
        self.join_burst = burst;
        self
    }

    /// The same, with another [`patience`](Self::patience).
    #[must_use]
    pub const fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// The same, with another [`end_timeout`](Self::end_timeout).
    #[must_use]
    pub const fn with_end_timeout(mut self, end_timeout: Duration) -> Self {
        self.end_timeout = end_timeout;
        self
    }

    /// The same, with another [`nicks`](Self::nicks).
    #[must_use]
    pub const fn with_nicks(mut self, nicks: NickRules) -> Self {
        self.nicks = nicks;
        self
    }

    /// The same, with another [`max_text`](Self::max_text).
    #[must_use]
    pub const fn with_max_text(mut self, max_text: u16) -> Self {
        self.max_text = max_text;
        self
    }

    /// The same, with another [`line_buffers`](Self::line_buffers).
    #[must_use]
    pub const fn with_line_buffers(mut self, line_buffers: u16) -> Self {
        self.line_buffers = line_buffers;
        self
    }

    /// The same, with another [`line_buffers_per_source`](Self::line_buffers_per_source).
    #[must_use]
    pub const fn with_line_buffers_per_source(mut self, line_buffers_per_source: u16) -> Self {
        self.line_buffers_per_source = line_buffers_per_source;
        self
    }

    /// How many bytes a room takes whose log has `log_bytes`: its line buffers lie beside the log.
    pub const fn bytes(&self, log_bytes: usize) -> usize {
        self.line_buffer_bytes().saturating_add(log_bytes)
    }

    pub(super) const fn line_buffer_bytes(&self) -> usize {
        (self.max_text as usize).saturating_mul(self.line_buffers as usize)
    }
}

impl Default for RoomConfig {
    fn default() -> Self {
        Self::new()
    }
}
