//! Why something was not downloaded, in words for people.

use barewire_core::file::{Operation, ReceiverError, Refusal, is_acceptable};
use barewire_core::secure::ChannelError;
use barewire_linux::dialer::DialError;
use barewire_linux::link::LinkError;
use indicatif::HumanBytes;

use crate::client::channel::{channel_error, is_refusal};
use crate::client::destination::connect_error;
use crate::client::hints::{broken, in_parentheses, key_hint};
use crate::output::peer_text::Shown;
use crate::output::system_error::describe;

use super::retry::{Ending, RetryPolicy};
use super::settings::Settings;
use super::sink::Abort;
use super::transfer::Transfer;

/// What a server means that is busy: of a source that is paused it says the same.
pub(super) const BUSY: &str =
    "is busy, or has paused this address because too many of its requests failed";

/// For servers that close, or are silent, at what they do not understand.
const PLAIN_HINT: &str = "for the simplest servers there is --plain";

/// So many entries of a folder the server cannot tell the names of.
pub(super) fn left_out(folder: Shown<'_>, entries: u64) -> String {
    let are = if entries == 1 { "entry is" } else { "entries are" };
    format!(
        "{folder}: {entries} {are} left out, as a listing cannot tell such names (not UTF-8, or with \
         control characters, or files' with `@` at the end)"
    )
}

/// The server does not send what was asked for.
pub(super) fn refused(transfer: &Transfer, refusal: Refusal, settings: &Settings) -> String {
    let Settings { server, key, .. } = settings;
    let is_listing = transfer.is_listing();
    let operation = if is_listing { Operation::List } else { Operation::Get };
    let why = match refusal {
        Refusal::NotFound if is_listing => "has no such folder (--list shows what there is)",
        Refusal::NotFound => "has no such file (--list shows what there is)",
        Refusal::Refused if !is_acceptable(operation, transfer.name.as_bytes()) => {
            "refused it: it is no name in the folder that is served (names begin there, without `/`, and stay inside)"
        }
        Refusal::Refused if is_listing => "refused to list it: permission denied (is it a folder?)",
        Refusal::Refused => {
            "refused it: permission denied (is it a file that may be read? -r downloads folders)"
        }
        Refusal::Failed => "cannot read it",
        Refusal::PastEnd => "has less of it than is here already (--no-resume starts over)",
        Refusal::Busy => return format!("{}: {server} {BUSY} (try later)", transfer.shown()),
        Refusal::Malformed => "does not understand the request",
        Refusal::NotSupported if key.is_some() => "does not support the request",
        Refusal::NotSupported => "does not support the request (--plain asks in the plain form)",
        _ => "does not send it",
    };
    format!("{}: {server} {why}", transfer.shown())
}

/// What is said when the plain form is gone over to.
pub(super) fn fell_back(server: &str) -> String {
    format!(
        "{server} seems to speak the plain form only: nothing can prove that what it sends is whole"
    )
}

/// Why a connection has ended on which `transfer` was next.
pub(super) fn ended(
    ending: &Ending,
    transfer: &Transfer,
    policy: &RetryPolicy,
    settings: &Settings,
) -> String {
    let Settings { server, timeout, stall, key, .. } = settings;
    let is_keyed = key.is_some();
    let plain = if is_keyed || policy.is_plain() { "" } else { PLAIN_HINT };
    let (name, (held, _)) = (transfer.shown(), transfer.sink().held());
    let after = if held > 0 { format!(" after {}", HumanBytes(held)) } else { String::new() };
    let broke_off = |how: &str| format!("{name}: {server} broke off{after}: {how}");
    match ending {
        Ending::Unconnected(DialError::Unreached { last, .. }) if policy.fell_back() => format!(
            "{server} speaks the plain form only and takes no second connection: {} (it is \
             probably a server for one connection: --plain asks it plainly from the start)",
            describe(last)
        ),
        Ending::Unconnected(error) => connect_error(server, *timeout, error),
        Ending::Closed => broke_off("the connection was closed"),
        Ending::Broken(LinkError::Channel(ChannelError::Cut)) => {
            broke_off("the connection was cut")
        }
        Ending::Broken(LinkError::Channel(error)) => {
            format!("{name}: {}", channel_error(server, *error, *timeout))
        }
        Ending::Broken(LinkError::Connection(error))
            if is_refusal(error, !is_keyed || policy.was_heard) =>
        {
            format!("{name}: {}", channel_error(server, ChannelError::Refused, *timeout))
        }
        Ending::Broken(LinkError::Connection(error)) => {
            broke_off(&broken(error, policy.may_want_key(), plain))
        }
        Ending::Broken(LinkError::Session(ReceiverError::TimedOut)) => format!(
            "{name}: {server} did not answer in {timeout}{}",
            in_parentheses(&["--timeout allows more", plain])
        ),
        Ending::Broken(LinkError::Session(ReceiverError::Stalled)) => {
            broke_off(&format!("too little came for {stall} (--stall allows more)"))
        }
        Ending::Broken(LinkError::Session(ReceiverError::NotFramed))
            if transfer.is_listing() && !policy.was_heard =>
        {
            format!(
                "{server} seems to speak the plain form only, which has no folders{}",
                in_parentheses(&["ask for files by their names", key_hint(policy.may_want_key())])
            )
        }
        Ending::Broken(LinkError::Session(ReceiverError::NotFramed)) if is_keyed => {
            broke_off("the server gave no answer")
        }
        // It did know it before.
        Ending::Broken(LinkError::Session(ReceiverError::NotFramed)) => broke_off(
            "the server gave no answer (--plain starts over, for a server that knows no other form)",
        ),
        Ending::Broken(LinkError::Session(ReceiverError::Nothing)) => format!(
            "{name}: {server} sent nothing: there is no such file, it was refused, or it is empty{}",
            in_parentheses(&[key_hint(policy.may_want_key())])
        ),
        Ending::Broken(LinkError::Session(error)) => broke_off(&error.to_string()),
        Ending::Broken(fault) => format!("{name}: {fault}"),
        Ending::Aborted(Abort::Busy) => format!("{name}: {server} {BUSY}"),
        Ending::Aborted(Abort::Changed) => format!("{name}: it has changed meanwhile"),
        Ending::Aborted(Abort::Skip(why) | Abort::GiveUp(why)) => why.clone(),
        Ending::Aborted(Abort::Interrupted) => {
            format!("{name}: interrupted ({})", transfer.sink().kept())
        }
        Ending::Aborted(Abort::ReaderGone) => {
            format!("{name}: nobody reads any more ({})", transfer.sink().kept())
        }
    }
}

/// How many there are besides the one that `message` tells of.
pub(super) fn and_more(message: String, others: usize) -> String {
    match others {
        0 => message,
        others => format!("{message}; {others} more not downloaded"),
    }
}
