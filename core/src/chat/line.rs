//! What a line from a room says.

use core::fmt;

use super::nick::check_nick;
use super::notice::{KICKED, NOTICE, TOO_FAST};
use super::welcome;
use crate::printable::{Printable, printable};

/// A line that a server has sent, read as far as it can be: a server of another make may mean
/// something else by it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// What kind of line it is.
    pub kind: Kind<'a>,
    bytes: &'a [u8],
}

/// The kinds of lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind<'a> {
    /// `NICK: TEXT`.
    Said {
        /// Who said it.
        nick: &'a str,
        /// What was said.
        text: Printable<'a>,
    },
    /// `NICK: /me TEXT`: an action, which a client shows as `* NICK TEXT`, say. On the wire it starts with
    /// the name of who does it, as all that a member can cause.
    Acted {
        /// Who does it.
        nick: &'a str,
        /// What is done.
        text: Printable<'a>,
    },
    /// `(private) NICK: TEXT`.
    Private {
        /// Who said it.
        nick: &'a str,
        /// What was said.
        text: Printable<'a>,
    },
    /// `* TEXT`: the server's own, one of the [list](super#the-servers-own-lines).
    Notice(Printable<'a>),
    /// None of these.
    Other,
}

impl<'a> Line<'a> {
    /// Reads a line, without its line feed.
    pub fn read(bytes: &'a [u8]) -> Self {
        let kind = if let Some(notice) = bytes.strip_prefix(NOTICE.as_bytes()) {
            Kind::Notice(printable(notice))
        } else if let Some(rest) = bytes.strip_prefix(b"(private) ") {
            said(rest)
                .map_or(Kind::Other, |(nick, text)| Kind::Private { nick, text: printable(text) })
        } else if let Some((nick, text)) = said(bytes) {
            match action(text) {
                Some(text) => Kind::Acted { nick, text: printable(text) },
                None => Kind::Said { nick, text: printable(text) },
            }
        } else {
            Kind::Other
        };
        Self { kind, bytes }
    }

    /// The whole line as it is on the wire, without its line feed.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The whole line as a string, if it is UTF-8. A server of another make may send control characters.
    ///
    /// # Errors
    /// The position of the first byte that is not UTF-8.
    pub const fn to_str(self) -> Result<&'a str, core::str::Utf8Error> {
        core::str::from_utf8(self.bytes)
    }

    /// The whole line, made safe to show.
    pub const fn printable(self) -> Printable<'a> {
        printable(self.bytes)
    }

    /// The nick that a welcome gives, if this is one: then the server knows commands.
    pub fn welcome(self) -> Option<&'a str> {
        let nick = core::str::from_utf8(welcome::nick(self.bytes)?).ok()?;
        check_nick(nick).is_ok().then_some(nick)
    }

    /// What the server says, if it is the server's own.
    fn notice(self) -> Option<&'a [u8]> {
        self.bytes.strip_prefix(NOTICE.as_bytes())
    }

    /// Whether it tells that flood control has refused lines of who receives it.
    pub fn is_refusal(self) -> bool {
        self.notice().is_some_and(|notice| notice.starts_with(TOO_FAST.as_bytes()))
    }

    /// Whether it tells who receives it that the operator does not want it in the room: a client does
    /// not come back by itself.
    pub fn is_dismissal(self) -> bool {
        self.notice().is_some_and(|notice| {
            notice == KICKED.as_bytes() || notice.starts_with(b"you are banned from this room")
        })
    }
}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.printable())
    }
}

/// What is done, if a text says an action: it begins with `/me`, and a blank.
pub(super) fn action(text: &[u8]) -> Option<&[u8]> {
    let rest = text.strip_prefix(b"/me")?;
    let action = rest.strip_prefix(b" ").or_else(|| rest.strip_prefix(b"\t"))?;
    (!action.trim_ascii().is_empty()).then_some(action)
}

/// `NICK: TEXT`, taken apart.
fn said(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|pair| pair == b": ")?;
    let (nick, text) = bytes.split_at_checked(end)?;
    let nick = core::str::from_utf8(nick).ok().filter(|nick| check_nick(nick).is_ok())?;
    Some((nick, text.strip_prefix(b": ")?))
}
