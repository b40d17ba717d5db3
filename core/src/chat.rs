//! Chat: lines to everybody.
//!
//! Each [text](crate::text) that a client sends goes to every other member, and not back to its
//! sender, as `NICK: TEXT` with a line feed. The operator of the server is a member too, [`OPERATOR_NICK`].
//!
//! # The wire
//!
//! Over TCP, each side sends lines of UTF-8 that end with a line feed; nothing else frames them. What
//! follows is all that another implementation has to know.
//!
//! ## What a client sends
//!
//! | line | what it does |
//! |---|---|
//! | `TEXT` | says it to all others |
//! | `//TEXT` | says `/TEXT` |
//! | `/me TEXT` | says what the sender does; `//me TEXT` is the same |
//! | `/msg NICK TEXT` | says it to one member, whom its nick means in whatever case it is written |
//! | `/nick NAME` | asks for another nick |
//! | `/who` | asks who is here |
//! | `/help` | asks for the commands |
//! | `/quit` | ends the membership as the end of the stream does |
//!
//! - A line has at most [`RoomConfig::max_text`] bytes, 1,024 by default, its end left aside: a line feed, and a
//!   carriage return just before it. A longer one is refused with a notice, and skipped to its end.
//! - A line must have come in whole ten seconds after its first byte, the time left aside that the room
//!   was full and took nothing. One that has not is refused with a notice, and skipped to its end.
//! - The end of the stream ends the last line. So does silence, for a client that never sends a line
//!   feed: the [quiet rule](crate::text).
//! - Lines of blanks alone (ASCII) say nothing. Commands are written in small letters; blanks stand between their
//!   words, and those around what is in capitals above are left out. Any other line that begins with `/` is refused with a notice.
//! - **Flood control**: [`DEFAULT_LINE_RATE`] lines a second over a burst of [`DEFAULT_LINE_BURST`];
//!   commands and lines that are too long or too late count, blank ones do not, and one that
//!   controls make longer than a text can be counts as several. What is over it is refused,
//!   with a notice at most once a second; nobody else is affected, and the operator has no limit. A
//!   client that keeps the same [`RateLimiter`] loses nothing, as long as no more than four of its source talk.
//! - **Sources**: each member comes from a [`Source`](crate::source::Source). What is said from one is counted beyond its
//!   connections: all its members together may say as much as four of different sources,
//!   join [`DEFAULT_JOIN_BURST`] times and then [`DEFAULT_JOIN_RATE`] times a second, and be at most
//!   [`DEFAULT_MEMBERS_PER_SOURCE`] at a time. There is an account for each source as long as it counts something; those
//!   who come when all accounts do share one.
//! - After the end of its stream (a half-close) a client receives what was said before that; then the server
//!   closes.
//!
//! ### Other protocols
//!
//! A stream is none of lines
//!
//! - if its first two bytes are 22 and 3: a handshake of TLS (RFC 8446 §5.1);
//! - if its first line that is not blank is a request of HTTP (RFC 9112 §3), or the preface of HTTP/2:
//!   `METHOD TARGET HTTP/1.1` with one blank each, METHOD of capitals and hyphens, TARGET of anything, and any two
//!   digits in the version;
//! - if that line is longer than a text, and until then may become one.
//!
//! Whoever sends such a stream is told so and closed, and nothing of it is said: however it is cut, and even if its
//! first line was refused.
//!
//! What **may become a request** begins as one of the methods of RFC 9110, `PATCH` or `PRI`, or is METHOD,
//! a blank, and a TARGET that begins with `/`, `*` or `http`, or stands behind `CONNECT`. Silence ends no first line of this kind
//! before its ten seconds are over: so no pause makes a line of a request. Nobody is closed for such a line, or kept waiting by
//! any other: of a client that sends no line feeds, `GET it?` and `hello` are said after the quiet period, and `POST`
//! after ten seconds.
//!
//! An owner can tell by an [`Opening`] who speaks another protocol before it lets somebody join, and then nobody
//! hears of that one at all: `chat-server` does so.
//!
//! ## What a server sends
//!
//! | line | what it is |
//! |---|---|
//! | `NICK: TEXT` | a member said it to all |
//! | `NICK: /me TEXT` | a member did it: clients show `* NICK TEXT`, say |
//! | `(private) NICK: TEXT` | a member said it to the receiver alone |
//! | `* …` | the server says it: one of the [list below](#the-servers-own-lines) |
//!
//! There is no other line. **What a member causes to be said starts with its name**, and a line that starts with
//! `* ` is the server's own: no nick can start so. A receiver looks for `* ` first, then for `(private) `; then what stands before
//! the first `: ` is the nick, and an action is what begins with `/me`, a blank and something. TEXT
//! is [printable](crate::printable), so that a plain terminal is safe as well.
//!
//! - The first line is the welcome. It gives the nick, and tells that the server knows commands and ends
//!   each line with a line feed. The last lines said follow, [`DEFAULT_HISTORY`] by default, actions among
//!   them, but no private lines and no notices; then what happens from now on.
//! - A line has at most [`max_line_bytes`] bytes with its line feed, whoever says it: 4 times the longest
//!   text, and 128. It ends at the line feed and nowhere else: what stops in the middle of one goes on later.
//! - Everybody receives the lines in one order, in which private ones have their place as well.
//! - **Nicks** are unique, of 1 to [`MAX_NICK`] letters, digits or `-_.`, the first a letter or a
//!   digit: at most 96 bytes, without a blank or a colon. Which letters there may be, and which nicks look alike, is for the owner's [`NickRules`] to
//!   say: by default it is [ASCII](NickRules::ASCII) alone. `server` and everything
//!   that starts like `guest` are reserved: a new member's nick is `guest` and a number. Whom the owner
//!   knows by a name, such as that of a key, has [that](Room::join_named) instead, and keeps it.
//!
//! ## The server's own lines
//!
//! Names in braces stand for nicks (`old`, `nick`; `nicks` are several, with `, ` between them), for numbers
//! (`count`, `rate`, `burst`, `bytes`), and for what the receiver itself has typed (`name`).
//!
//! | line | to whom, and why |
//! |---|---|
//! | `* welcome to barewire chat, you are {nick} (/help)` | to a new member, before all else |
//! | `* {nick} joined` | to all others |
//! | `* {nick} left` | to all others: it wanted to |
//! | `* {nick} left (connection lost)` | to all others |
//! | `* {nick} left (fell behind)` | to all others: it did not read what was said |
//! | `* {nick} left (the server stops)` | to all others |
//! | `* {nick} left (kicked)` | to all others: the operator wanted it |
//! | `* you were kicked by the operator` | to that member, before the close, if the log has room |
//! | `* {count} joined, {count} left` | to all: so many since they were told last, see [below](#joins-and-leaves) |
//! | `* {old} is now {nick}` | to all, who changed its nick too |
//! | `* here: {nicks}` | answers `/who` |
//! | `* here: {nicks} and {count} more` | the same, if they do not all fit in a line |
//! | `* /nick NAME, /who, /msg NICK TEXT, /me TEXT, /help, /quit; //TEXT says a line that starts with /` | answers `/help` |
//! | `* nobody here is called {name}; /who tells who is here` | answers `/msg`; a name that is no nick is `that` |
//! | `* that is your nick already` | answers `/nick` |
//! | `* a nick has 1 to 24 characters` | answers `/nick` |
//! | `* a nick has letters in everyday use, digits and -_. only, and starts with a letter or digit` | answers `/nick` |
//! | `* this room takes nicks of a to z, 0 to 9 and -_. only` | answers `/nick`, where there are no tables |
//! | `* the letters of a nick are of one script (Latin goes with Chinese, Japanese and Korean)` | answers `/nick`, where there are |
//! | `* a letter of a nick has at most 4 marks above and below it, each of them once` | the same |
//! | `* this nick is reserved, or looks like one that is` | answers `/nick` |
//! | `* this nick is taken, or looks like one that is` | answers `/nick` |
//! | `* this server gives you your nick, and you keep it` | answers `/nick`, of one who was given it |
//! | `* write it as: /me TEXT` | answers a command that lacks something |
//! | `* write it as: /msg NICK TEXT` | the same |
//! | `* write it as: /nick NAME` | the same |
//! | `* no such command; /help tells which there are, //x says /x` | answers any other command |
//! | `* the operator stays: end the server instead` | answers the operator's `/quit` |
//! | `* this is a chat room, which speaks neither HTTP nor TLS` | to one that does, before the close |
//! | `* a line has at most {bytes} bytes: yours was refused` | to its sender |
//! | `* your line took longer than 10 s: it was refused` | to its sender |
//! | `* your line took too long while others waited: it was refused` | to its sender: it held the buffer that they needed |
//! | `* too fast: your lines are refused ({rate} a second pass, {burst} at once)` | to their sender |
//! | `* too fast: the lines of all at your address are refused ({rate} a second pass, {burst} at once)` | the same |
//! | `* you fell behind: some lines are missing here` | to the operator, in their place |
//! | `* the room is full: come back later` | to one who cannot join ([`JoinError`]), before the close |
//! | `* too many members come from this address: come back later` | the same |
//! | `* members from this address join too often: come back later` | the same |
//! | `* there is no nick left for you: come back later` | the same, to one whom the owner knows by a name |
//!
//! ### Lines of the owner's
//!
//! The owner of a room may say four more, which no member causes. `chat-server` does.
//!
//! | line | to whom, and why |
//! |---|---|
//! | `* motd: {text}` | to a new member behind its welcome: a line of the message of the day |
//! | `* you are banned from this room` | to one who cannot join, before the close |
//! | `* you are banned from this room until {time}` | the same; the time is as in RFC 3339 |
//! | `* connections from this address keep failing: come back later` | to one who has connected from there, before the close |
//!
//! # The log
//!
//! Each line stands once in one bounded log, and each member has a cursor into it. What waits for
//! a member is lent as slices of the log itself, as much as lies together; so saying a line costs
//! the same for ten members and for ten thousand, and sending it needs no copy. A private note stands
//! in its place among the lines.
//!
//! When a line would overrun the slowest reader, its sender's input waits until there is room. Those who
//! wait are served in turn: a line is said when there is room for it and for one of each that waits before it.
//! While anybody waits, a reader has the [`patience`](RoomConfig::patience) of the room, a quarter of a second, to read what was in
//! the older half of the log when the wait began; who has had a turn in that time and has not is dropped (`* NICK left
//! (fell behind)`). Who gets through meanwhile makes no difference: until a reader has read that, its time goes on, and
//! one who has long stood there has none left when somebody waits anew. So:
//!
//! - A burst loses nothing, and one that has stalled costs the room a quarter of a second once.
//! - Nobody waits for room longer than the patience for each that waits for it before, and once for itself; and who reads
//!   a line now and then cannot hold the room to its pace. A wait for a [buffer](#lines-that-have-begun) is another.
//! - Who takes at each of its turns all that waits for it is never dropped, however small the log, and however
//!   long the owner takes to give it a turn.
//!
//! The operator is not dropped; it [loses lines](Room::operator) instead.
//!
//! ## Joins and leaves
//!
//! An eighth of the log is kept free of what is said, so that a full room can still be told who comes
//! and goes. Joins and leaves are told one by one, 20 at once and one a second in the long run. Those that come
//! thicker, or find no room, are gathered for a second and told together: `* 14 joined, 9 left`, both numbers in any
//! case (`* 14 joined` tells of a member that is called so), to all who are there then.
//!
//! The nick of a member that lost its connection or fell behind is kept for its [source](crate::source::Source) for a
//! minute, unless its slot is needed for somebody else: the one that was left first is.
//!
//! ## Lines that have begun
//!
//! A line that comes in by parts needs one of the [buffers](RoomConfig::line_buffers). Those who wait for one
//! are served in turn. After the patience, which begins anew whenever one of them is served, a buffer is taken from who has
//! held it for longest, of the source that has most: the line that had begun in it is refused with a notice.
//!
//! A source has its [share](RoomConfig::line_buffers_per_source) of the buffers; the operator is of none. Beyond it, a member
//! waits for one of its source's, in nobody's way. After the patience, and not before it has been held for as long, the one that
//! was held for longest is taken. Within a source nobody has a turn: what is free has who asks for it first.
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
//! | a member ([`MemberSlot`]) | at most 256 |
//! | the account of a source ([`SourceSlot`]) | 32 |
//! | a line in the log ([`LogEntry`]) | 16, and those of the line itself |
//! | a line that has begun to come in | [the longest text](RoomConfig::max_text); only so many at a time as there are [buffers](RoomConfig::line_buffers) |
//! | the rest ([`Room`]) | at most 512 |
//!
//! The bytes of the log and of the line buffers are one slice. This is a room for seven members and
//! the operator, with lines of full length, in 15.5 KiB:
//!
//! ```
//! use barewire_core::chat::{Room, RoomConfig, RoomStorage};
//! use barewire_core::source::Source;
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

mod begun_lines;
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
mod line_draft;
mod log;
mod member;
mod member_event;
mod member_id;
mod member_slot;
mod membership;
mod membership_notices;
mod nick;
mod nick_error;
mod nick_rules;
mod notice;
mod opening;
mod queue;
mod rate_limiter;
mod room;
mod room_state;
mod room_storage;
mod skeleton;
mod source;
#[cfg(test)]
mod tests;
mod wait;
mod welcome;

pub use client::{Client, ClientError};
pub use config::{
    DEFAULT_END_TIMEOUT, DEFAULT_HISTORY, DEFAULT_JOIN_BURST, DEFAULT_JOIN_RATE,
    DEFAULT_LINE_BUFFERS, DEFAULT_LINE_BUFFERS_PER_SOURCE, DEFAULT_LINE_BURST, DEFAULT_LINE_RATE,
    DEFAULT_MAX_TEXT, DEFAULT_MEMBERS_PER_SOURCE, DEFAULT_PATIENCE, RoomConfig,
};
pub use limits::{RoomError, max_line_bytes, min_log_bytes};
pub use line::{Kind, Line};
pub use line_draft::SayError;
pub use log::LogEntry;
pub use member::Member;
pub use member_event::MemberEvent;
pub use member_id::MemberId;
pub use member_slot::MemberSlot;
pub use membership::{JoinError, LeaveReason, MemberError};
pub use nick::{MAX_NICK, OPERATOR_NICK, check_nick, choose_nick};
pub use nick_error::NickError;
pub use nick_rules::NickRules;
pub use opening::{Opening, Protocol};
pub use rate_limiter::RateLimiter;
pub use room::Room;
pub use room_storage::RoomStorage;
pub use skeleton::{Skeleton, skeleton};
pub use source::SourceSlot;
