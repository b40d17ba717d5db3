//! Why a file, or a folder, cannot be written, in words for people.

use std::fmt;
use std::io::{self, ErrorKind};

use indicatif::HumanBytes;

use crate::output::system_error::describe;

/// How far a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Alone,
    /// It is one of a tree.
    OfTree,
    /// All of it is there, tree or not.
    Complete,
}

/// Why the file at `path` cannot be begun, written or, if all of it is there, completed. So many bytes of
/// it are missing, if that is known.
pub(super) fn explain(
    path: &impl fmt::Display,
    error: &io::Error,
    missing: Option<u64>,
    state: State,
) -> String {
    let why = describe(error);
    match error.kind() {
        ErrorKind::AlreadyExists if state == State::Complete => {
            format!("something else has become {path} meanwhile (--force replaces it)")
        }
        _ if state == State::Complete => format!("cannot complete {path}: {why}"),
        ErrorKind::AlreadyExists => format!("{path} is there already (--force replaces it)"),
        ErrorKind::IsADirectory if state == State::OfTree => {
            format!(
                "{path} is a folder here, and a file on the server (move the folder away first)"
            )
        }
        ErrorKind::IsADirectory => format!("{path} is a folder (-d writes into one)"),
        // The system's own error of that kind is another: a call that it does not have.
        ErrorKind::Unsupported if error.raw_os_error().is_none() && state == State::OfTree => {
            format!("{path} is a device, FIFO or socket here, and a file on the server")
        }
        ErrorKind::Unsupported if error.raw_os_error().is_none() => {
            format!(
                "{path} is a device, FIFO or socket, not a file (-o writes to devices and FIFOs)"
            )
        }
        ErrorKind::ResourceBusy => {
            format!("another program is downloading to {path} at this moment")
        }
        ErrorKind::FileTooLarge => {
            format!("cannot write {path}: {why} (`ulimit -f` tells whether there is a limit)")
        }
        ErrorKind::StorageFull => {
            // Where room is reserved beforehand, the error says how much is missing.
            let missing = missing.filter(|_| error.raw_os_error().is_some());
            let missing = missing.map_or(String::new(), |missing| {
                format!(", {} are still to come", HumanBytes(missing))
            });
            format!("no room for {path}: {why}{missing} (make room there first)")
        }
        _ => format!("cannot write {path}: {why}"),
    }
}

/// Why the folder at `path` cannot be made.
pub(super) fn explain_folder(path: &impl fmt::Display, error: &io::Error) -> String {
    if error.kind() == ErrorKind::NotADirectory {
        return format!(
            "a file or a link has the name of the folder {path} (no link is followed there)"
        );
    }
    format!("cannot make the folder {path}: {}", describe(error))
}
