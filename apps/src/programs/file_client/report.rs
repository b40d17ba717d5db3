//! What the program says while it works, and how far it has come, on a terminal.

use barewire_core::printable::printable;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::printer::Printer;

const SIZED: &str = "{wide_msg} {bar:20} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
const UNSIZED: &str = "{wide_msg} {binary_bytes}  {binary_bytes_per_sec}";

/// Where everything that is said goes through, so that none of it spoils the progress.
#[derive(Debug)]
pub(super) struct Reporter<'o> {
    /// Results. They are written by the next [`flush`](Self::flush).
    pub(super) output: &'o mut Printer,
    pub(super) has_failed: bool,
    /// Hidden until it is drawn for the first time.
    bar: ProgressBar,
    /// Several files are counted together.
    several: bool,
    name: String,
    /// How many files are there, or will not be.
    pub(super) done: u64,
    /// How many are known of.
    pub(super) known: u64,
}

impl<'o> Reporter<'o> {
    pub(super) fn new(output: &'o mut Printer, several: bool) -> Self {
        let bar = ProgressBar::hidden().with_style(style(UNSIZED));
        Self { output, has_failed: false, bar, several, name: String::new(), done: 0, known: 0 }
    }

    pub(super) fn flush(&mut self) {
        if self.output.has_pending() {
            self.bar.suspend(|| self.output.flush());
        }
    }

    /// What was to be done is not.
    pub(super) fn fail(&mut self, message: &str) {
        self.has_failed = true;
        self.flush();
        self.bar.suspend(|| self.output.error(message));
    }

    /// Something that the user should know, or a detail for `-v`. It fails nothing.
    pub(super) fn log(&self, level: log::Level, message: &str) {
        if log::log_enabled!(level) {
            self.bar.suspend(|| log::log!(level, "{message}"));
        }
    }

    /// The contents of `name` begin at `offset`, of `size` bytes if that is known.
    pub(super) fn begin(&mut self, name: &str, offset: u64, size: Option<u64>) {
        name.clone_into(&mut self.name);
        if !self.several {
            self.bar.set_style(style(if size.is_some() { SIZED } else { UNSIZED }));
            self.bar.set_length(size.unwrap_or_default());
            self.bar.set_position(offset);
            self.bar.reset_eta();
        }
    }

    /// More of the contents is there.
    pub(super) fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    /// Shows how far it has come.
    pub(super) fn draw(&self) {
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let name = printable(self.name.as_bytes());
        self.bar.set_message(if self.several {
            format!("{} of {} files  {name}", self.done, self.known)
        } else {
            name.to_string()
        });
        self.bar.tick();
    }
}

impl Drop for Reporter<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are well-formed")
}
