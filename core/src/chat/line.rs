//! What a line from a room says.

use core::fmt;

use super::nick::is_nick;
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
    /// `(private) NICK: TEXT`.
    Private {
        /// Who said it.
        nick: &'a str,
        /// What was said.
        text: Printable<'a>,
    },
    /// `* TEXT`.
    Notice(Printable<'a>),
    /// None of these.
    Other,
}

/// How the notice begins by which a server tells that it refuses lines.
pub(super) const REFUSAL: &str = "too fast: ";

impl<'a> Line<'a> {
    /// Reads a line, without its line feed.
    pub fn read(bytes: &'a [u8]) -> Self {
        let kind = if let Some(notice) = bytes.strip_prefix(b"* ") {
            Kind::Notice(printable(notice))
        } else if let Some(rest) = bytes.strip_prefix(b"(private) ") {
            said(rest).map_or(Kind::Other, |(nick, text)| Kind::Private { nick, text })
        } else {
            said(bytes).map_or(Kind::Other, |(nick, text)| Kind::Said { nick, text })
        };
        Self { kind, bytes }
    }

    /// The whole line, made safe to show.
    pub const fn printable(self) -> Printable<'a> {
        printable(self.bytes)
    }

    /// The nick that a welcome gives, if this is one: then the server knows commands.
    pub fn welcome(self) -> Option<&'a str> {
        let rest = self.bytes.strip_prefix(b"* welcome to barewire chat, you are ")?;
        core::str::from_utf8(rest.strip_suffix(b" (/help)")?).ok().filter(|nick| is_nick(nick))
    }

    /// Whether it tells that flood control has refused lines of who receives it.
    pub fn is_refusal(self) -> bool {
        self.bytes.strip_prefix(b"* ").is_some_and(|note| note.starts_with(REFUSAL.as_bytes()))
    }
}

impl fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.printable())
    }
}

/// `NICK: TEXT`, taken apart.
fn said(bytes: &[u8]) -> Option<(&str, Printable<'_>)> {
    let end = bytes.windows(2).position(|pair| pair == b": ")?;
    let (nick, text) = bytes.split_at_checked(end)?;
    let nick = core::str::from_utf8(nick).ok().filter(|nick| is_nick(nick))?;
    Some((nick, printable(text.strip_prefix(b": ")?)))
}
