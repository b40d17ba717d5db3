//! Chat: lines to everybody.
//!
//! Each [text](crate::text) that a client sends goes to every other member, and not back to its
//! sender, as `NICK: TEXT` with a line feed. The operator of the server is a member too, [`OPERATOR_NICK`].
//!
//! - The server opens with `* welcome to barewire chat, you are NICK (/help)`. A new member's nick is
//!   `guest` and a number. The last lines said follow: [`DEFAULT_HISTORY`] by default, `/me` among them, but
//!   no joins and leaves.
//! - **Notices** start with `* `: `* NICK joined`, `* NICK left` (with the reason in brackets when it
//!   was not its own will), `* OLD is now NEW` (to all, who changed its nick too), `* NICK TEXT` for `/me TEXT`, and every private note
//!   of the server. No nick can start so, and none can be forged.
//! - **Commands**: `/nick NAME`, `/who`, `/msg NICK TEXT` (arrives as `(private) NICK: TEXT`),
//!   `/me TEXT`, `/quit`, `/help`; `//x` says `/x`. What cannot be done is answered by a private note.
//! - **Nicks** are unique, of 1 to [`MAX_NICK`] letters, digits or `-_.`, the first a letter or a
//!   digit. Whether two look alike is for the owner's [`SkeletonFn`] to say. `server` and everything
//!   that starts like `guest` are reserved, and so are the first words of the notices that a
//!   program reads ([`Line::welcome`], [`Line::is_refusal`]): nobody can make them with `/me`.
//! - A line over [`MAX_TEXT`](crate::text::MAX_TEXT) is refused with a note, and skipped to its end.
//! - What a member sends is made [printable](crate::printable) before it goes to the others: a plain
//!   terminal is safe as well.
//! - **Flood control**: [`DEFAULT_LINE_RATE`] lines a second over a burst of [`DEFAULT_LINE_BURST`];
//!   commands and lines that are too long or too late count, empty ones do not, and one that
//!   controls make longer than a text can be counts as several. What is over it is refused,
//!   with a note at most once a second; nobody else is affected, and the operator has no limit. A
//!   client that keeps the same [`RateLimiter`] loses nothing.
//! - **Sources**: each member comes from a [`Source`]. What is said from one is counted beyond its
//!   connections: all its members together may say as much as four of different sources,
//!   join [`DEFAULT_JOIN_BURST`] times and then [`DEFAULT_JOIN_RATE`] times a second, and be at most
//!   [`DEFAULT_MEMBERS_PER_SOURCE`] at a time.
//! - A client that ends its stream receives what was said before that; then the server closes.
//!
//! # The log
//!
//! Each line stands once in one bounded log, and each member has a cursor into it. What waits for
//! a member is lent as slices of the log itself, as much as lies together; so saying a line costs
//! the same for ten members and for ten thousand, and sending it needs no copy. A private note stands
//! in its place among the lines.
//!
//! When a line would overrun the slowest reader, its sender's input waits until there is room. If for
//! [`patience`](RoomConfig::patience) nobody gets on, those that are in the way are dropped (`* NICK
//! left (fell behind)`), and those not far from it that have read nothing in the meantime; then
//! everybody goes on. So a burst loses nothing, and one that has stalled costs the room a quarter
//! of a second once. The operator is not dropped; it [loses lines](Room::operator) instead.
//!
//! An eighth of the log is kept free for notices, so that a full room can still be told who comes
//! and goes. Only a storm of those that fills this as well drops a slow member at once.
//!
//! # Time
//!
//! What a peer has begun, it must finish. A line that takes longer than ten seconds to come in is
//! refused. A member that says no more and takes nothing of what is left for it, and a client whose
//! room does not end the chat after [its own end](Client::finish), fail after
//! [`DEFAULT_END_TIMEOUT`], or what their owners give them.
//!
//! A member or a client that is merely silent, or skips the rest of a line that was refused, is
//! waited for without an end: it holds nothing but its slot. **Whether a silent peer is still there is
//! for the owner to find out**, who has the connection: by TCP keepalive (RFC 9293 §3.8.4) or a limit
//! on how long it may be idle. So it is with one that takes nothing of what is sent, as long as it is
//! in nobody's way.
//!
//! # Memory
//!
//! All of it is given by the owner of the room, and none is ever added:
//!
//! | what | bytes |
//! |---|---|
//! | a member ([`MemberSlot`]) | at most 272 |
//! | the account of a source ([`SourceSlot`]) | 32 |
//! | a line in the log ([`LogEntry`]) | 16, and those of the line itself |
//! | a line that has begun to come in | [the longest text](RoomConfig::max_text); only so many at a time as there are [buffers](RoomConfig::line_buffers) |
//! | the rest ([`Room`]) | at most 512 |
//!
//! The bytes of the log and of the line buffers are one slice. This is a room for seven members and
//! the operator, with lines of full length, in 15.5 KiB:
//!
//! ```
//! use barewire_core::chat::{Room, RoomConfig, RoomStorage, Source};
//! use barewire_core::time::Instant;
//!
//! const CONFIG: RoomConfig = RoomConfig::new();
//! type Small = RoomStorage<8, 64, { CONFIG.bytes(9728) }>;
//! const { assert!(size_of::<Small>() + size_of::<Room<'_>>() <= 31 * 512) };
//! let mut storage = Small::new();
//! let mut room = storage.room(CONFIG)?;
//! let id = room.join(Instant::ZERO, Source(0x7f00_0001))?;
//! assert_eq!(room.nick(id), Some("guest1"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod client;
mod command;
mod config;
mod cursor;
mod delivery;
mod execute;
mod flood_control;
mod fragment;
mod limits;
mod line;
mod line_buffers;
mod log;
mod member;
mod member_event;
mod member_id;
mod member_slot;
mod membership;
mod nick;
mod rate_limiter;
mod room;
mod room_state;
mod room_storage;
mod skeleton;
mod source;
#[cfg(test)]
mod tests;

pub use client::{Client, ClientError, SayError};
pub use config::{
    DEFAULT_END_TIMEOUT, DEFAULT_HISTORY, DEFAULT_JOIN_BURST, DEFAULT_JOIN_RATE,
    DEFAULT_LINE_BUFFERS, DEFAULT_LINE_BUFFERS_PER_SOURCE, DEFAULT_LINE_BURST, DEFAULT_LINE_RATE,
    DEFAULT_MAX_TEXT, DEFAULT_MEMBERS_PER_SOURCE, DEFAULT_PATIENCE, RoomConfig,
};
pub use limits::{RoomError, max_line_bytes, min_log_bytes};
pub use line::{Kind, Line};
pub use log::LogEntry;
pub use member::Member;
pub use member_event::MemberEvent;
pub use member_id::MemberId;
pub use member_slot::MemberSlot;
pub use membership::{JoinError, LeaveReason, MemberError};
pub use nick::{MAX_NICK, NickError, OPERATOR_NICK};
pub use rate_limiter::RateLimiter;
pub use room::Room;
pub use room_storage::RoomStorage;
pub use skeleton::{SkeletonFn, skeleton};
pub use source::{Source, SourceSlot};
