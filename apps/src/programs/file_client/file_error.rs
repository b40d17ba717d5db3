//! Why a file cannot be written, in words for people.

use std::fmt;
use std::io::{self, ErrorKind};

use indicatif::HumanBytes;

use crate::output::system_error::describe;

/// Why the file at `path` cannot be begun, written or, if all of it is there, completed. So many bytes of
/// it are missing, if that is known.
pub(super) fn explain(
    path: &impl fmt::Display,
    error: &io::Error,
    missing: Option<u64>,
    is_complete: bool,
) -> String {
    let why = describe(error);
    match error.kind() {
        ErrorKind::AlreadyExists if is_complete => format!(
            "something else has become {path} meanwhile (--force replaces it, and downloads nothing \
             anew)"
        ),
        _ if is_complete => format!("cannot complete {path}: {why}"),
        ErrorKind::AlreadyExists => format!("{path} is there already (--force replaces it)"),
        ErrorKind::IsADirectory => format!("{path} is a folder (-d writes into one)"),
        // The system's own error of that kind is another: a call that it does not have.
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
