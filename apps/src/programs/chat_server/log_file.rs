//! The log of what was said: a file with a line for each, and the time. It is written off the room's loop,
//! which waits for no disk and for no reader of a FIFO.

use std::fmt;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use barewire_core::time::Duration;
use barewire_linux::files::open_log;
use barewire_linux::lossy_writer::{LossyWriter, Sink};
use barewire_linux::wait::writable;
use jiff::Timestamp;

use crate::cli::exit::Failure;
use crate::output::ending::patience;
use crate::output::system_error::describe;
use crate::output::writable::has_stalled;
use crate::server::reload::{PendingReload, Reload};

/// So many bytes wait for a disk that is slow.
const QUEUE: usize = 8 << 20;

/// The file that is written to at present.
type Shared = Arc<Mutex<Arc<File>>>;

/// A file that grows. Its clones are the same.
#[derive(Clone, Debug)]
pub(super) struct LogFile {
    writer: LossyWriter<LogSink>,
    file: Shared,
    name: String,
    reload: PendingReload,
}

impl LogFile {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let name = path.display().to_string();
        let file = open_log(path).map_err(|error| {
            let why = describe(&error);
            Failure::Conversation(format!("cannot open the log file {name}: {why}"))
        })?;
        let file = Arc::new(Mutex::new(Arc::new(file)));
        let (path, shared) = (path.to_owned(), Arc::clone(&file));
        let reload = PendingReload::default();
        let sink = LogSink {
            path,
            name: name.clone(),
            file: shared,
            has_failed: false,
            reload: reload.clone(),
        };
        Ok(Self { writer: LossyWriter::new(sink, QUEUE), file, name, reload })
    }

    /// Adds a line, in one piece.
    pub(super) fn append(&self, line: impl fmt::Display) {
        self.writer.write(stamped(line).as_bytes());
    }

    /// Has what has that name now go on with the log: the old file was renamed, say. Then the reload is over.
    pub(super) fn reopen(&self, reload: Reload) {
        self.reload.put(reload);
        self.writer.reopen();
    }

    /// Waits until all is written, as long as that goes on and the end of the server may take.
    pub(super) fn finish(&self) {
        let lost = self.writer.finish(patience(|| has_stalled(&current(&self.file))));
        if lost > 0 {
            log::warn!("{lost} lines could not be written to the log file {}", self.name);
        }
    }
}

fn stamped(line: impl fmt::Display) -> String {
    stamped_at(Timestamp::now(), line)
}

fn stamped_at(time: Timestamp, line: impl fmt::Display) -> String {
    format!("{time:.0} {line}\n")
}

struct LogSink {
    path: PathBuf,
    name: String,
    file: Shared,
    /// It could not be written to, which was told.
    has_failed: bool,
    reload: PendingReload,
}

fn current(file: &Shared) -> Arc<File> {
    Arc::clone(&file.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Sink for LogSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = (&*current(&self.file)).write(bytes)?;
        self.has_failed = false;
        if count == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(count) }
    }

    fn is_writable(&self, timeout: Duration) -> io::Result<bool> {
        writable(current(&self.file), Some(timeout))
    }

    fn note_lost(&mut self, count: u64) -> Option<String> {
        Some(stamped(format_args!("* {count} lines are missing here: they could not be written")))
    }

    fn failed(&mut self, error: &io::Error, lines: u64) -> u64 {
        if !self.has_failed {
            self.has_failed = true;
            log::warn!("cannot write to the log file {}: {}", self.name, describe(error));
        }
        lines
    }

    fn reopen(&mut self) {
        let _reload = self.reload.take();
        match open_log(&self.path) {
            Ok(file) => {
                *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(file);
            }
            Err(error) => {
                let why = describe(&error);
                log::warn!("cannot reopen the log file {}: {why}; the old one goes on", self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_has_its_time_before_1970_too() {
        for (millis, time) in [
            (1_764_374_399_999, "2025-11-28T23:59:59Z"),
            (0, "1970-01-01T00:00:00Z"),
            (-1_500, "1969-12-31T23:59:58Z"),
            (-86_400_000, "1969-12-31T00:00:00Z"),
        ] {
            let at = Timestamp::from_millisecond(millis).unwrap();
            assert_eq!(stamped_at(at, "anna: hi"), format!("{time} anna: hi\n"), "{millis}");
        }
    }
}
