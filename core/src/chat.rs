//! Chat: lines to everybody.
//!
//! Each [text](crate::text) that a client sends goes to every other member, and not back to its
//! sender, as `NICK: TEXT` with a line feed. The operator of the server is a member too, [`SERVER`].
//!
//! - The server opens with `* welcome to barewire chat, you are NICK (/help)`. A new member's nick is
//!   `guest` and a number. The last lines said follow: [`HISTORY`] by default, `/me` among them, but
//!   no joins and leaves.
//! - **Notices** start with `* `: `* NICK joined`, `* NICK left` (with the reason in brackets when it
//!   was not its own will), `* OLD is now NEW` (to all, who changed its nick too), `* NICK TEXT` for `/me TEXT`, and every private note
//!   of the server. No nick can start so, and none can be forged.
//! - **Commands**: `/nick NAME`, `/who`, `/msg NICK TEXT` (arrives as `(private) NICK: TEXT`),
//!   `/me TEXT`, `/quit`, `/help`; `//x` says `/x`. What cannot be done is answered by a private note.
//! - **Nicks** are unique, of 1 to [`MAX_NICK`] letters, digits or `-_.`, the first a letter or a
//!   digit. Whether two look alike is for the owner's [`Likeness`] to say. `server` and everything
//!   that starts like `guest` are reserved, and so are the first words of the notices that a
//!   program reads ([`Line::welcome`], [`Line::is_refusal`]): nobody can make them with `/me`.
//! - A line over [`MAX_TEXT`](crate::text::MAX_TEXT) is refused with a note, and skipped to its end.
//! - What a member sends is made [printable](crate::printable) before it goes to the others: a plain
//!   terminal is safe as well.
//! - **Flood control**: [`RATE`] lines a second over a burst of [`BURST`], from the moment of joining on;
//!   commands and lines that are too long or too late count, empty ones do not. What is over it is refused,
//!   with a note at most once a second; nobody else is affected, and the operator has no limit. A
//!   client that keeps the same [`Pace`] loses nothing.
//! - A client that ends its stream receives what was said before that; then the server closes.
//!
//! # The backlog
//!
//! Each line stands once in one bounded backlog, and each member has a cursor into it. What waits for
//! a member is lent as slices of the backlog itself, as much as lies together; so saying a line costs
//! the same for ten members and for ten thousand, and sending it needs no copy. A private note stands
//! in its place among the lines.
//!
//! When a line would overrun the slowest member, its sender's input waits until there is room. If for
//! [`PATIENCE`] nobody gets on, those that are in the way are dropped (`* NICK left (fell behind)`),
//! and those not far from it that have read nothing in the meantime; then everybody goes on. So a burst loses nothing, and one that has stalled costs the room a quarter
//! of a second once. The operator is not dropped; it [loses lines](Room::operator) instead.
//!
//! An eighth of the backlog is kept free for notices, so that a full room can still be told who comes
//! and goes. Only a storm of those that fills this as well drops a slow member at once.
//!
//! # Memory
//!
//! All of it is given by the owner of the room, and none is ever added:
//!
//! | what | bytes |
//! |---|---|
//! | a member ([`Place`]) | at most 256 |
//! | a line in the backlog ([`Mark`]) | 16, and those of the line itself |
//! | a line that has begun to come in ([`Part`]) | the longest text and at most 32; only so many at a time as there are parts |
//! | the rest ([`Room`]) | at most 512 |
//!
//! `Space<8, 9728, 64, 3>`, for seven members and the operator with lines of full length, fits with
//! its room in 16 KiB:
//!
//! ```
//! use barewire_core::chat::{Config, Room, Space};
//!
//! type Small = Space<8, 9728, 64, 3>;
//! const { assert!(size_of::<Small>() + size_of::<Room<'_>>() <= 16 * 1024) };
//! let mut space = Small::new();
//! let mut room = space.room(Config::default());
//! let key = room.join()?;
//! assert_eq!(room.nick(key), Some("guest1"));
//! # Ok::<(), barewire_core::chat::RoomFull>(())
//! ```

mod backlog;
mod client;
mod command;
mod flood;
mod hall;
mod line;
mod member;
mod nick;
mod obey;
mod parts;
mod piece;
mod reading;
mod room;
mod slot;
mod space;
#[cfg(test)]
mod tests;

use core::fmt;

pub use backlog::Mark;
pub use client::{Client, ClientError, SayError};
pub use flood::Pace;
pub use line::{Kind, Line};
pub use member::{Heard, Member, MemberError};
pub use nick::{Likeness, MAX_NICK, NickError, likeness};
pub use parts::Part;
pub use room::{Key, Leave, Room, RoomFull};
pub use slot::Place;
pub use space::{Space, least_backlog, longest_line};

use crate::text::QUIET;
use crate::time::Duration;

/// The nick of the operator.
pub const SERVER: &str = "server";

/// How many of the last lines a new member gets.
pub const HISTORY: u16 = 20;

/// How many lines a second a member may say in the long run.
pub const RATE: u32 = 10;

/// How many lines a member may say at once: a paste.
pub const BURST: u32 = 100;

/// How long the room waits for its slowest member.
pub const PATIENCE: Duration = Duration::from_millis(250);

/// The rules of a room.
#[derive(Clone, Copy)]
pub struct Config {
    /// The quiet period that ends a line without a terminator; [`QUIET`] by default.
    pub quiet: Duration,
    /// How many of the last lines a new member gets; [`HISTORY`] by default.
    pub history: u16,
    /// How many lines a second a member may say, over a burst of [`BURST`]; [`RATE`] by default, 0
    /// for no limit.
    pub rate: u32,
    /// Which nicks look alike; [`likeness`] by default.
    pub likeness: Likeness,
}

impl Default for Config {
    fn default() -> Self {
        Self { quiet: QUIET, history: HISTORY, rate: RATE, likeness }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("quiet", &self.quiet)
            .field("history", &self.history)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}
