//! What the program says while it works.

use std::fmt;
use std::io;

use barewire_core::printable::Printable;
use serde::Serialize;

use crate::output::printer::Printer;

use super::progress::Progress;

/// Where everything that is said goes through, so that none of it spoils the progress.
#[derive(Debug)]
pub(super) struct Voice<'o> {
    output: &'o mut Printer,
    pub(super) progress: Progress,
    /// Something failed, and was reported.
    failed: bool,
    has_news: bool,
}

impl<'o> Voice<'o> {
    pub(super) fn new(output: &'o mut Printer, progress: Progress) -> Self {
        Self { output, progress, failed: false, has_news: false }
    }

    /// A result. It is written at the end of the turn.
    pub(super) fn show(&mut self, event: &(impl Serialize + fmt::Display)) {
        self.has_news = true;
        self.output.show(event);
    }

    /// A heading among the results.
    pub(super) fn head(&mut self, folder: Printable<'_>) {
        self.has_news = true;
        self.output.heading(folder);
    }

    /// What was to be done is not.
    pub(super) fn fail(&mut self, message: &str) {
        self.failed = true;
        self.flush();
        self.progress.aside(|| self.output.error(message));
    }

    pub(super) fn has_failed(&self) -> bool {
        self.failed
    }

    /// Something that the user should know, but that fails nothing.
    pub(super) fn warn(&self, message: &str) {
        self.progress.aside(|| log::warn!("{message}"));
    }

    /// A result that standard output has no place for.
    pub(super) fn mention(&self, message: &str) {
        self.progress.aside(|| log::info!("{message}"));
    }

    /// A detail, for `-v`.
    pub(super) fn explain(&self, message: &str) {
        if log::log_enabled!(log::Level::Debug) {
            self.progress.aside(|| log::debug!("{message}"));
        }
    }

    /// Writes contents to standard output.
    pub(super) fn pass_on(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_raw(bytes)
    }

    pub(super) fn flush(&mut self) {
        if std::mem::take(&mut self.has_news) {
            self.progress.aside(|| self.output.flush());
        }
    }
}
