//! The log of what was said: a file with a line for each, and the time.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;

use crate::cli::exit::Failure;
use crate::output::system_error::describe;

/// A file that grows.
pub(super) struct LogFile {
    file: File,
    name: String,
    /// It could not be written to, which was told.
    failed: bool,
}

impl LogFile {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        match File::options().append(true).create(true).open(path) {
            Ok(file) => Ok(Self { file, name, failed: false }),
            Err(error) => {
                let why = describe(&error);
                Err(Failure::Conversation(format!("cannot open the log file {name}: {why}")))
            }
        }
    }

    /// Adds a line, in one piece.
    pub(super) fn append(&mut self, line: impl fmt::Display) {
        let time = Timestamp::now();
        match self.file.write_all(format!("{time:.0} {line}\n").as_bytes()) {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                log::warn!("cannot write to the log file {}: {}", self.name, describe(&error));
            }
            Err(_) => {}
        }
    }
}
