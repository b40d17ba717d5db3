//! What the program says while it works.

use std::fmt;
use std::io;

use barewire_core::printable::Printable;
use serde::Serialize;

use crate::output::printer::Printer;

use super::progress::Progress;

/// Where everything that is said goes through, so that none of it spoils the progress.
#[derive(Debug)]
pub(super) struct Reporter<'o> {
    output: &'o mut Printer,
    pub(super) progress: Progress,
    has_failed: bool,
}

impl<'o> Reporter<'o> {
    pub(super) fn new(output: &'o mut Printer, progress: Progress) -> Self {
        Self { output, progress, has_failed: false }
    }

    /// A result. It is written by the next [`flush`](Self::flush).
    pub(super) fn show(&mut self, event: &(impl Serialize + fmt::Display)) {
        self.output.show(event);
    }

    /// A heading among the results.
    pub(super) fn heading(&mut self, folder: Printable<'_>) {
        self.output.heading(folder);
    }

    /// Writes contents to standard output.
    pub(super) fn write_raw(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_raw(bytes)
    }

    pub(super) fn flush(&mut self) {
        if self.output.has_pending() {
            self.progress.aside(|| self.output.flush());
        }
    }

    /// What was to be done is not.
    pub(super) fn fail(&mut self, message: &str) {
        self.has_failed = true;
        self.flush();
        self.progress.aside(|| self.output.error(message));
    }

    pub(super) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Something that the user should know, or a detail for `-v`. It fails nothing.
    pub(super) fn log(&self, level: log::Level, message: &str) {
        if log::log_enabled!(level) {
            self.progress.aside(|| log::log!(level, "{message}"));
        }
    }
}
