//! What a server tells of the files that it has sent.

use std::fmt;

use barewire_core::file::{Operation, Refusal};
use barewire_core::printable::{Printable, printable};
use barewire_core::time::Duration;
use barewire_linux::address::PeerAddress;
use serde::Serialize;

use crate::output::format::{self, ADDRESS, KeyName, serialize_seconds, serialize_shown};
use crate::output::peer_text::{Shown, serialize_name};

/// How a server has answered a request for a file.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename = "served")]
pub(crate) struct Served<'a> {
    #[serde(flatten, serialize_with = "serialize_name")]
    name: Printable<'a>,
    #[serde(serialize_with = "serialize_shown")]
    from: PeerAddress,
    #[serde(serialize_with = "serialize_shown")]
    status: Status,
    bytes: u64,
    #[serde(serialize_with = "serialize_seconds")]
    seconds: Duration,
    /// Why who asked was turned away.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the client's key is called, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
}

/// What became of the request.
#[derive(Clone, Copy, Debug)]
enum Status {
    Sent,
    Refused(Refusal),
    TurnedAway,
}

impl<'a> Served<'a> {
    /// All `bytes` that were wanted of it went out.
    pub(crate) fn sent(from: PeerAddress, name: &'a [u8], bytes: u64, seconds: Duration) -> Self {
        let (name, status) = (printable(name), Status::Sent);
        Self { name, from, status, bytes, seconds, reason: None, key: None }
    }

    /// It was refused.
    pub(crate) fn refused(from: PeerAddress, name: &'a [u8], why: Refusal) -> Self {
        Self { status: Status::Refused(why), ..Self::sent(from, name, 0, Duration::ZERO) }
    }

    /// Who asked was not let in at all.
    pub(crate) fn turned_away(from: PeerAddress, name: &'a [u8], why: impl fmt::Display) -> Self {
        let (status, reason) = (Status::TurnedAway, Some(why.to_string()));
        Self { status, reason, ..Self::sent(from, name, 0, Duration::ZERO) }
    }

    pub(crate) fn with_key(self, key: Option<&'a str>) -> Self {
        Self { key, ..self }
    }
}

impl fmt::Display for Served<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, from, status, bytes, seconds, reason, key } = self;
        write!(f, "{ADDRESS}{from}{ADDRESS:#}{}: ", KeyName(*key))?;
        // A request that makes no sense has none.
        if !name.is_empty() {
            write!(f, "{}: ", Shown::from(*name))?;
        }
        match status {
            // What could not be read is told of nowhere else.
            Status::Refused(Refusal::Malformed) if name.is_empty() => f.write_str(
                "malformed request (if the client has a key, --key FILE is needed here)",
            ),
            Status::Sent => write!(f, "{bytes} bytes in {:.3} s", format::seconds(*seconds)),
            other => match reason {
                Some(reason) => write!(f, "{other}, as {reason}"),
                None => other.fmt(f),
            },
        }
    }
}

/// The name in reports; that of a listing ends in a slash.
pub(crate) fn reported_name(operation: Operation, name: Vec<u8>) -> Vec<u8> {
    match (operation, &name[..]) {
        (Operation::List, b"") => b"./".to_vec(),
        (Operation::List, name) => [name.strip_suffix(b"/").unwrap_or(name), b"/"].concat(),
        _ => name,
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent => f.write_str("ok"),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::TurnedAway => f.write_str("turned away"),
        }
    }
}
