//! Why something was not downloaded, in words for people.

use std::fmt;
use std::io;

use barewire_core::file::{ReceiverError, Refusal};
use barewire_linux::link::DriveError;

use crate::output::events::file_client::Bytes;
use crate::output::system_error::describe;

use super::client::Settings;
use super::transfer::Job;

/// A server that does not know the framed form takes no second connection.
pub(super) fn one_shot(settings: &Settings, error: &io::Error) -> String {
    format!(
        "{} speaks the plain form only and takes no second connection: {} (it is probably a server \
         for one connection: --plain asks it plainly from the start)",
        settings.server,
        describe(error)
    )
}

/// The server does not send what was asked for.
pub(super) fn refused(job: &Job, refusal: Refusal, settings: &Settings) -> String {
    let (name, server) = (job.shown(), &settings.server);
    let kind = if job.is_listing() { "folder" } else { "file" };
    match refusal {
        Refusal::NotFound => {
            format!("{name}: {server} has no such {kind} (--list shows what there is)")
        }
        Refusal::Refused if job.is_listing() => {
            format!("{name}: {server} does not list that (is it a folder?)")
        }
        Refusal::Refused => format!(
            "{name}: {server} does not give that out (is it a file that may be read? -r downloads folders)"
        ),
        Refusal::Failed => format!("{name}: {server} cannot read it"),
        Refusal::PastEnd => format!(
            "{name}: {server} has less of it than is here already (--no-resume starts over)"
        ),
        Refusal::Busy => format!("{name}: {server} is too busy (try later)"),
        Refusal::Malformed => format!("{name}: {server} does not understand the request"),
        Refusal::NotSupported => {
            format!(
                "{name}: {server} does not support the request (--plain asks in the oldest way)"
            )
        }
    }
}

/// So many files were not asked for.
pub(super) fn there(files: u64) -> String {
    let were = if files == 1 { "file was" } else { "files were" };
    format!("{files} {were} there already, with the size that the server tells (--force replaces)")
}

/// What a conversation ended with.
#[derive(Debug)]
pub(super) enum Why {
    /// The server broke off: how.
    BrokeOff(String),
    /// It was something else.
    Other(String),
}

/// Why a conversation broke off with a server that has `answered` before, or not.
pub(super) fn fault(fault: &DriveError<ReceiverError>, answered: bool, settings: &Settings) -> Why {
    let Settings { server, timeout, plain, .. } = settings;
    match fault {
        DriveError::Connection(error) if answered || *plain => {
            Why::BrokeOff(describe(error).to_string())
        }
        DriveError::Connection(error) => Why::BrokeOff(format!(
            "{}, with no answer (--plain suits the simplest servers)",
            describe(error)
        )),
        DriveError::Session(ReceiverError::TimedOut) => Why::Other(format!(
            "{server} did not answer in {timeout} (--timeout allows more, and --plain suits \
                 the simplest servers)"
        )),
        DriveError::Session(ReceiverError::Stalled) => {
            Why::BrokeOff(format!("nothing came for {} (--stall allows more)", settings.stall))
        }
        // It did know it before.
        DriveError::Session(ReceiverError::NotFramed) => Why::BrokeOff(
            "the server gave no answer (--plain starts over, for a server that knows no other \
             form)"
                .to_owned(),
        ),
        DriveError::Session(error) => Why::BrokeOff(error.to_string()),
        _ => Why::Other(fault.to_string()),
    }
}

/// How far it had come, if anywhere.
struct After(u64);

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            bytes => write!(f, " after {}", Bytes(bytes)),
        }
    }
}

/// It broke off.
pub(super) fn broke(job: &Job, why: &Why, settings: &Settings) -> String {
    let (name, server) = (job.shown(), &settings.server);
    let (certain, _) = job.kept();
    match why {
        Why::BrokeOff(how) => format!("{name}: {server} broke off{}: {how}", After(certain)),
        Why::Other(why) => format!("{name}: {why}"),
    }
}

/// It broke off for good.
pub(super) fn broke_off(job: &Job, why: &Why, settings: &Settings) -> String {
    let (_, kept) = job.kept();
    format!("{}; {kept}", broke(job, why, settings))
}

/// The server sent nothing, plainly.
pub(super) fn nothing(job: &Job, settings: &Settings) -> String {
    let (name, server) = (job.shown(), &settings.server);
    format!("{name}: {server} sent nothing: there is no such file, it was refused, or it is empty")
}
