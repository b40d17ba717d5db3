//! The room.

use core::fmt;

use super::Config;
use super::backlog::Mark;
use super::hall::{Hall, OPERATOR};
use super::member::Member;
use super::parts::{Part, Parts};
use super::slot::Place;
use super::space::longest_line;
use crate::text::MAX_TEXT;

/// Names a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Key {
    pub(super) index: u32,
    pub(super) generation: u32,
}

/// Every place is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct RoomFull;

impl fmt::Display for RoomFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the room is full")
    }
}

impl core::error::Error for RoomFull {}

/// Why a member leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Leave {
    /// It wanted to.
    Quit,
    /// Its connection broke.
    Lost,
    /// It did not read what was said.
    FellBehind,
    /// The server stops.
    Stopped,
}

impl Leave {
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
/// [`member`](Self::member). After each turn of a driver ask [`has_news`](Self::has_news): if there
/// are any, every member is to have a turn.
#[derive(Debug)]
pub struct Room<'a, const N: usize = MAX_TEXT> {
    pub(super) hall: Hall<'a>,
    pub(super) parts: Parts<'a, N>,
}

impl<'a, const N: usize> Room<'a, N> {
    /// An empty room, in memory that need not be empty: so many members as there are places (one of
    /// them the operator's), and so on; see [`Space`](super::Space), which has it all in one piece. A backlog
    /// smaller than [`least_backlog`](super::least_backlog) takes no line.
    pub fn new(
        members: &'a mut [Place],
        bytes: &'a mut [u8],
        lines: &'a mut [Mark],
        parts: &'a mut [Part<N>],
        config: Config,
    ) -> Self {
        let hall = Hall::new(members, bytes, lines, longest_line(N), config);
        Self { hall, parts: Parts::new(parts) }
    }

    /// The operator, whose lines come from the server's own terminal and go there. It is never
    /// dropped: it loses the lines that it did not read in time, is told so in their place, and keeps
    /// nobody waiting until it reads again. Its input may end; it reads on.
    pub fn operator(&self) -> Key {
        let generation = self.hall.place(OPERATOR).map_or(0, |place| place.generation);
        Key { index: OPERATOR, generation }
    }

    /// Lets somebody in.
    ///
    /// # Errors
    /// [`RoomFull`].
    pub fn join(&mut self) -> Result<Key, RoomFull> {
        self.hall.join()
    }

    /// The member as a session. `None`: it has left.
    pub fn member(&mut self, key: Key) -> Option<Member<'_, 'a, N>> {
        self.hall.find(key)?;
        // Here, since a session's output is polled without a change to it.
        self.hall.advance(key.index);
        Some(Member::new(self, key.index))
    }

    /// A member's nick. `None`: it has left.
    pub fn nick(&self, key: Key) -> Option<&str> {
        self.hall.find(key).map(|place| place.nick.as_str())
    }

    /// How many members there are, the operator left aside.
    pub const fn count(&self) -> usize {
        self.hall.count
    }

    /// Lets a member go, and tells the others. To be called once when its session is over, and when
    /// its connection is lost.
    pub fn leave(&mut self, key: Key, why: Leave) {
        if key.index != OPERATOR && self.hall.find(key).is_some() {
            self.parts.free(&mut self.hall, key.index);
            self.hall.leave(key.index, why);
        }
    }

    /// Whether something was said, or may go on, since this was asked last: then every member is to
    /// have a turn.
    pub fn has_news(&mut self) -> bool {
        core::mem::take(&mut self.hall.news)
    }
}
