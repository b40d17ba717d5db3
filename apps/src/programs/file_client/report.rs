//! What the program says while it works.

use crate::output::printer::Printer;

use super::progress::Progress;

/// Where everything that is said goes through, so that none of it spoils the progress.
#[derive(Debug)]
pub(super) struct Reporter<'o> {
    /// Results. They are written by the next [`flush`](Self::flush).
    pub(super) output: &'o mut Printer,
    pub(super) progress: Progress,
    pub(super) has_failed: bool,
}

impl<'o> Reporter<'o> {
    pub(super) fn new(output: &'o mut Printer, progress: Progress) -> Self {
        Self { output, progress, has_failed: false }
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

    /// Something that the user should know, or a detail for `-v`. It fails nothing.
    pub(super) fn log(&self, level: log::Level, message: &str) {
        if log::log_enabled!(level) {
            self.progress.aside(|| log::log!(level, "{message}"));
        }
    }
}
