//! The record of what was said: a file with a line for each, and the time.

use std::fmt;
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::time::SystemTime;

use crate::cli::failure::Failure;
use crate::output::system_error::describe;

/// A file that grows.
pub(super) struct Journal {
    file: File,
    name: String,
    /// It could not be written to, which was told.
    failed: bool,
}

impl Journal {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        match File::options().append(true).create(true).open(path) {
            Ok(file) => Ok(Self { file, name, failed: false }),
            Err(error) => {
                let why = describe(&error);
                Err(Failure::Conversation(format!("cannot write the record {name}: {why}")))
            }
        }
    }

    /// Adds a line, in one piece.
    pub(super) fn add(&mut self, line: impl fmt::Display) {
        let time = humantime::format_rfc3339_seconds(SystemTime::now());
        match self.file.write_all(format!("{time} {line}\n").as_bytes()) {
            Ok(()) => self.failed = false,
            Err(error) if !self.failed => {
                self.failed = true;
                log::warn!("cannot write the record {}: {}", self.name, describe(&error));
            }
            Err(_) => {}
        }
    }
}
