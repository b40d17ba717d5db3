//! What is told on standard output.

use std::fmt;
use std::net::SocketAddr;

use anstyle::{AnsiColor, Style};
use barewire_core::datagram::Datagram;
use barewire_core::printable::Printable;
use barewire_core::time::Duration;
use serde::{Serialize, Serializer};

use crate::output::events::chat::{Notice, Said};
use crate::output::events::file_client::{Downloaded, Listed};
use crate::output::events::file_server::Served;
use crate::output::events::summary::Summary;

pub(crate) const ADDRESS: Style = AnsiColor::Cyan.on_default();

/// One thing to tell on standard output.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub(crate) enum Record<'a> {
    /// A server is ready.
    Listening { address: SocketAddr },
    /// A peer said something.
    Received(Received<'a>),
    /// A server has answered a request for a file.
    Served(Served<'a>),
    /// A file is there, whole.
    Downloaded(Downloaded<'a>),
    /// A folder has this entry.
    Entry(Listed<'a>),
    /// Somebody said something in a chat.
    Line(Said<'a>),
    /// A notice of a chat.
    Notice(Notice<fmt::Arguments<'a>>),
    /// Somebody has joined a chat.
    Joined { nick: &'a str },
    /// Somebody has left a chat, and why if it was not its own will.
    Left {
        nick: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
    },
    /// Many exchanges are over.
    Summary(Summary),
    /// Something failed; for the reader of JSON, who sees no standard error.
    Error { message: &'a str },
}

/// What a peer said.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Received<'a> {
    from: SocketAddr,
    #[serde(serialize_with = "as_shown")]
    text: Printable<'a>,
    #[serde(flatten)]
    datagram: Option<Size>,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Size {
    /// The true length.
    bytes: usize,
    truncated: bool,
}

impl<'a> Received<'a> {
    /// A text from a stream.
    pub(crate) fn text(from: SocketAddr, text: Printable<'a>) -> Self {
        Self { from, text, datagram: None }
    }

    /// A datagram.
    pub(crate) fn datagram(datagram: &Datagram<'a>) -> Self {
        let size = Size { bytes: datagram.length, truncated: datagram.is_truncated() };
        Self { from: datagram.source, text: datagram.printable(), datagram: Some(size) }
    }
}

pub(crate) fn seconds_of(span: Duration) -> f64 {
    std::time::Duration::from(span).as_secs_f64()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
pub(crate) fn in_seconds<S: Serializer>(span: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(seconds_of(*span))
}

pub(crate) fn as_shown<S: Serializer>(
    text: &Printable<'_>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(text)
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { address } => {
                write!(f, "listening on {ADDRESS}{address}{ADDRESS:#}")
            }
            Self::Received(Received { from, text, datagram }) => {
                write!(f, "{ADDRESS}{from}{ADDRESS:#}: {text}")?;
                match datagram {
                    Some(Size { bytes, truncated: true }) => {
                        write!(f, " [truncated: the datagram has {bytes} bytes]")
                    }
                    _ => Ok(()),
                }
            }
            Self::Served(served) => served.fmt(f),
            Self::Downloaded(downloaded) => downloaded.fmt(f),
            Self::Entry(entry) => entry.fmt(f),
            Self::Line(said) => said.fmt(f),
            Self::Notice(notice) => notice.fmt(f),
            Self::Joined { nick } => write!(f, "* {nick} joined"),
            Self::Left { nick, reason: None } => write!(f, "* {nick} left"),
            Self::Left { nick, reason: Some(reason) } => write!(f, "* {nick} left ({reason})"),
            Self::Summary(summary) => summary.fmt(f),
            Self::Error { message } => f.write_str(message),
        }
    }
}
