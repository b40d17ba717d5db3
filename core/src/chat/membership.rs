//! How members come and go.

use core::fmt;

/// Why nobody can join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum JoinError {
    /// Every slot is taken.
    RoomFull,
    /// There are as many members of this source as there may be
    /// ([`RoomConfig::members_per_source`](super::RoomConfig::members_per_source)).
    SourceFull,
    /// Members of this source have joined more often than they may
    /// ([`RoomConfig::join_rate`](super::RoomConfig::join_rate)).
    TooOften,
    /// The name by which the owner [knows](super::Room::join_named) somebody is no nick, or so many members
    /// have it that there is no room in it for another number.
    NoNick,
}

impl JoinError {
    /// The line, with its line feed, by which one who cannot join is told before its connection is closed.
    pub const fn line(self) -> &'static str {
        match self {
            Self::RoomFull => "* the room is full: come back later\n",
            Self::SourceFull => "* too many members come from this address: come back later\n",
            Self::TooOften => "* members from this address join too often: come back later\n",
            Self::NoNick => "* there is no nick left for you: come back later\n",
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RoomFull => "the room is full",
            Self::SourceFull => "too many members come from this address",
            Self::TooOften => "members from this address join too often",
            Self::NoNick => "there is no nick for it",
        })
    }
}

impl core::error::Error for JoinError {}

/// How a membership fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum MemberError {
    /// The member did not read what was said, until there was no room for more.
    FellBehind,
    /// It said no more, and took nothing of what was left for it for
    /// [`RoomConfig::end_timeout`](super::RoomConfig::end_timeout).
    TimedOut,
}

impl fmt::Display for MemberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FellBehind => "the member fell behind",
            Self::TimedOut => "the member did not take its last lines in time",
        })
    }
}

impl core::error::Error for MemberError {}

/// Why a member leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LeaveReason {
    /// It wanted to.
    Quit,
    /// Its connection broke.
    Lost,
    /// It did not read what was said.
    FellBehind,
    /// The server stops.
    Stopped,
    /// The operator wanted it.
    Kicked,
}

impl LeaveReason {
    /// What the others are told in brackets; `None` if it was its own will.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Quit => None,
            Self::Lost => Some("connection lost"),
            Self::FellBehind => Some("fell behind"),
            Self::Stopped => Some("the server stops"),
            Self::Kicked => Some("kicked"),
        }
    }
}

/// One that takes nothing any more has lost its connection, as far as can be told.
impl From<MemberError> for LeaveReason {
    fn from(error: MemberError) -> Self {
        match error {
            MemberError::FellBehind => Self::FellBehind,
            MemberError::TimedOut => Self::Lost,
        }
    }
}
