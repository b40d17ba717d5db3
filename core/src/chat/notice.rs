//! What a room says itself: all of it, so that the list of it can be closed.

use super::fragment::Fragment::{self, NickOf, Number, OldNick, Shown, Text};
use super::membership::LeaveReason;
use super::nick_error::NickError;

/// A literal, so that a notice can be one.
macro_rules! too_fast {
    ($rest:literal) => {
        concat!("too fast: ", $rest)
    };
}

/// What notices start with, and nothing that a member says.
pub(super) const NOTICE: &str = "* ";

/// What a member is told of lines that flood control refuses starts with this.
pub(super) const TOO_FAST: &str = too_fast!("");

/// What a member is told that the operator wants to leave.
pub(super) const KICKED: &str = "you were kicked by the operator";

/// What a member is told that asks for help.
const HELP: &str = "/nick NAME, /who, /msg NICK TEXT, /me TEXT, /help, /quit; //TEXT says a line that starts with /";

/// A line of the room's own, but for the welcome, the answer to `/who` and the notice of a gap. The
/// [list](super#the-servers-own-lines) in the docs has the form of each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Notice<'n> {
    /// To all but the member that it is about.
    Joined(u32),
    Left(u32, LeaveReason),
    /// To all: so many have joined and left since the last of these notices.
    Moved {
        joined: u32,
        left: u32,
    },
    /// To all: the member's old nick is in `old_nick`.
    Renamed(u32),
    /// To a member: its line is refused.
    TooFast {
        rate: u32,
        burst: u32,
    },
    /// The same, for all members of its source.
    AllTooFast {
        rate: u32,
        burst: u32,
    },
    TooLong(u32),
    TooLate(u32),
    OthersWaited,
    /// To a member: its command cannot be done.
    Nobody(&'n str),
    SameNick,
    NoNick(NickError),
    Usage(&'static str),
    UnknownCommand,
    OperatorStays,
    /// To a member: the operator wants it to leave.
    Kicked,
    /// To a member that speaks another protocol.
    NoChat,
    /// To a member that asked.
    Help,
}

impl<'n> Notice<'n> {
    /// What stands behind [`NOTICE`].
    pub(super) const fn fragments(self) -> [Fragment<'n>; 5] {
        const END: Fragment<'_> = Text("");
        let [before, subject, after] = match self {
            Self::Joined(index) => [NickOf(index), Text(" joined"), END],
            Self::Left(index, why) => match why.reason() {
                None => [NickOf(index), Text(" left"), END],
                Some(why) => return [NickOf(index), Text(" left ("), Text(why), Text(")"), END],
            },
            Self::Moved { joined, left } => {
                return [Number(joined), Text(" joined, "), Number(left), Text(" left"), END];
            }
            Self::Renamed(index) => [OldNick, Text(" is now "), NickOf(index)],
            Self::TooFast { rate, burst } => {
                return limits(Text(too_fast!("your lines are refused (")), rate, burst);
            }
            Self::AllTooFast { rate, burst } => {
                let before = too_fast!("the lines of all at your address are refused (");
                return limits(Text(before), rate, burst);
            }
            Self::TooLong(longest) => {
                [Text("a line has at most "), Number(longest), Text(" bytes: yours was refused")]
            }
            Self::TooLate(seconds) => {
                [Text("your line took longer than "), Number(seconds), Text(" s: it was refused")]
            }
            Self::OthersWaited => {
                [Text("your line took too long while others waited: it was refused"), END, END]
            }
            Self::Nobody(name) => [
                Text("nobody here is called "),
                Shown(name.as_bytes()),
                Text("; /who tells who is here"),
            ],
            Self::SameNick => [Text("that is your nick already"), END, END],
            Self::NoNick(why) => [Text(why.as_str()), END, END],
            Self::Usage(usage) => [Text("write it as: "), Text(usage), END],
            Self::UnknownCommand => {
                [Text("no such command; /help tells which there are, //x says /x"), END, END]
            }
            Self::OperatorStays => [Text("the operator stays: end the server instead"), END, END],
            Self::Kicked => [Text(KICKED), END, END],
            Self::NoChat => {
                [Text("this is a chat room, which speaks neither HTTP nor TLS"), END, END]
            }
            Self::Help => [Text(HELP), END, END],
        };
        [before, subject, after, END, END]
    }
}

/// What of lines is not refused.
const fn limits(before: Fragment<'_>, rate: u32, burst: u32) -> [Fragment<'_>; 5] {
    [before, Number(rate), Text(" a second pass, "), Number(burst), Text(" at once)")]
}
