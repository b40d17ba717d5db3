//! The room.

use core::fmt;

use super::RoomConfig;
use super::line_buffers::{Part, Parts};
use super::log::LogEntry;
use super::member::Member;
use super::member_slot::MemberSlot;
use super::room_state::{OPERATOR, RoomState};
use super::room_storage::max_line_bytes;
use crate::text::MAX_TEXT;

/// Names a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct MemberId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// Why nobody can join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JoinError {
    /// Every slot is taken.
    RoomFull,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the room is full")
    }
}

impl core::error::Error for JoinError {}

/// Why a member leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum LeaveReason {
    /// It wanted to.
    Quit,
    /// Its connection broke.
    Lost,
    /// It did not read what was said.
    FellBehind,
    /// The server stops.
    Stopped,
}

impl LeaveReason {
    /// What the others are told in brackets; `None` if it was its own will.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Quit => None,
            Self::Lost => Some("connection lost"),
            Self::FellBehind => Some("fell behind"),
            Self::Stopped => Some("the server stops"),
        }
    }
}

/// A room, with its memory borrowed. The [module](super) states its rules.
///
/// Each member is driven as a [`Session`](crate::session::Session) that the room lends,
/// [`member`](Self::member). After each turn of a driver ask [`needs_poll`](Self::needs_poll): if there
/// are any, every member is to have a turn.
#[derive(Debug)]
pub struct Room<'a, const N: usize = MAX_TEXT> {
    pub(super) state: RoomState<'a>,
    pub(super) parts: Parts<'a, N>,
}

impl<'a, const N: usize> Room<'a, N> {
    /// An empty room, in memory that need not be empty: so many members as there are places (one of
    /// them the operator's), and so on; see [`Space`](super::Space), which has it all in one piece. A backlog
    /// smaller than [`min_log_bytes`](super::min_log_bytes) takes no line.
    pub fn new(
        members: &'a mut [MemberSlot],
        bytes: &'a mut [u8],
        lines: &'a mut [LogEntry],
        parts: &'a mut [Part<N>],
        config: RoomConfig,
    ) -> Self {
        let state = RoomState::new(members, bytes, lines, max_line_bytes(N), config);
        Self { state, parts: Parts::new(parts) }
    }

    /// The operator, whose lines come from the server's own terminal and go there. It is never
    /// dropped: it loses the lines that it did not read in time, is told so in their place, and keeps
    /// nobody waiting until it reads again. Its input may end; it reads on.
    pub fn operator(&self) -> MemberId {
        let generation = self.state.place(OPERATOR).map_or(0, |place| place.generation);
        MemberId { index: OPERATOR, generation }
    }

    /// Lets somebody in.
    ///
    /// # Errors
    /// [`JoinError`].
    pub fn join(&mut self) -> Result<MemberId, JoinError> {
        self.state.join()
    }

    /// The member as a session. `None`: it has left.
    pub fn member(&mut self, key: MemberId) -> Option<Member<'_, 'a, N>> {
        self.state.find(key)?;
        // Here, since a session's output is polled without a change to it.
        self.state.advance(key.index);
        Some(Member::new(self, key.index))
    }

    /// A member's nick. `None`: it has left.
    pub fn nick(&self, key: MemberId) -> Option<&str> {
        self.state.find(key).map(|place| place.nick.as_str())
    }

    /// How many members there are, the operator left aside.
    pub const fn count(&self) -> usize {
        self.state.count
    }

    /// Lets a member go, and tells the others. To be called once when its session is over, and when
    /// its connection is lost.
    pub fn leave(&mut self, key: MemberId, why: LeaveReason) {
        if key.index != OPERATOR && self.state.find(key).is_some() {
            self.parts.free(&mut self.state, key.index);
            self.state.leave(key.index, why);
        }
    }

    /// Whether something was said, or may go on, since this was asked last: then every member is to
    /// have a turn.
    pub fn needs_poll(&mut self) -> bool {
        core::mem::take(&mut self.state.news)
    }
}
