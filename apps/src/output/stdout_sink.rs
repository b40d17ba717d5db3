//! Standard output of a server, off its loop.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use barewire_core::time::Duration;
use barewire_linux::lossy_writer::Sink;
use barewire_linux::standard_streams;
use barewire_linux::wait::writable;
use serde::Serialize;

use super::format::Format;
use super::standard_error::omitted_message;
use super::system_error::describe;

/// Something failed; for the reader of JSON, who sees no standard error.
#[derive(Serialize)]
#[serde(tag = "event", rename = "error")]
pub(super) struct ErrorEvent<'a> {
    pub(super) message: &'a str,
}

impl fmt::Display for ErrorEvent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

/// What to say of results that were lost.
pub(super) fn write_failed(error: &io::Error) -> String {
    format!("cannot write to standard output: {}", describe(error))
}

pub(super) struct StdoutSink {
    format: Format,
    /// Why results were lost.
    write_error: Arc<OnceLock<String>>,
}

impl StdoutSink {
    pub(super) fn new(format: Format, write_error: Arc<OnceLock<String>>) -> Self {
        Self { format, write_error }
    }
}

impl Sink for StdoutSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        standard_streams::write_output(bytes)
    }

    fn is_writable(&self, timeout: Duration) -> io::Result<bool> {
        writable(io::stdout(), Some(timeout))
    }

    fn note_lost(&mut self, count: u64) -> Option<String> {
        let message = &omitted_message(count);
        log::warn!("{message}");
        let mut note = String::new();
        if self.format == Format::Json {
            self.format.append(&mut note, &ErrorEvent { message });
        }
        Some(note).filter(|note| !note.is_empty())
    }

    /// A reader who has gone away wants no more of it. Any other error is told once, and fails the program
    /// at its end.
    fn failed(&mut self, error: &io::Error, _: u64) -> u64 {
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.write_error.get_or_init(|| {
                let message = write_failed(error);
                log::warn!("{message}; the server continues");
                message
            });
        }
        0
    }
}
