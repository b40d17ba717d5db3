//! What the program says while it works, and how far it has come, on a terminal.

use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::output::events::file_client::Downloaded;
use crate::output::events::tree::TreeSummary;
use crate::output::peer_text::shown;
use crate::output::printer::Printer;

const SIZED: &str = "{wide_msg} {bar:20} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
const UNSIZED: &str = "{wide_msg} {binary_bytes}  {binary_bytes_per_sec}";

/// How many errors a person is shown one by one: a hostile server can cause as many as it likes.
const MOST_ERRORS: u64 = 100;

/// What is downloaded, as far as it makes a difference to how that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    File,
    Files,
    /// Summed up in the end.
    Tree {
        /// Each file is told besides.
        in_detail: bool,
    },
}

/// What tasks share that has something to report.
pub(super) trait Reports {
    fn reporter(&self) -> &Reporter<'_>;
}

/// Where everything that is said goes through, so that none of it spoils the progress.
#[derive(Debug)]
pub(super) struct Reporter<'o> {
    /// Results. They are written by the next [`flush`](Self::flush).
    pub(super) output: &'o mut Printer,
    scope: Scope,
    begun: Instant,
    /// What has become of the folders so far.
    pub(super) tree: TreeSummary,
    /// Hidden until it is drawn for the first time.
    bar: ProgressBar,
    name: String,
    /// How many files are there, or will not be.
    pub(super) done: u64,
    /// How many are known of.
    pub(super) known: u64,
}

impl<'o> Reporter<'o> {
    pub(super) fn new(output: &'o mut Printer, scope: Scope) -> Self {
        let style = style(if scope == Scope::File { UNSIZED } else { SIZED });
        Self {
            output,
            scope,
            begun: Instant::now(),
            tree: TreeSummary::default(),
            bar: ProgressBar::hidden().with_style(style),
            name: String::new(),
            done: 0,
            known: 0,
        }
    }

    pub(super) fn flush(&mut self) {
        if self.output.has_pending() {
            self.bar.suspend(|| self.output.flush());
        }
    }

    /// Whether more is to be told than everybody wants to know.
    pub(super) fn is_detailed(&self) -> bool {
        self.output.is_json() || log::log_enabled!(log::Level::Debug)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.tree.errors > 0
    }

    /// What was to be done is not.
    pub(super) fn fail(&mut self, message: &str) {
        self.tree.errors += 1;
        if self.tree.errors > MOST_ERRORS {
            return self.output.show_error(message);
        }
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
        match self.scope {
            Scope::File => {
                self.bar.set_style(style(if size.is_some() { SIZED } else { UNSIZED }));
                self.bar.set_length(size.unwrap_or_default());
                self.bar.set_position(offset);
                self.bar.reset_eta();
            }
            Scope::Files => self.bar.inc_length(size.unwrap_or_default().saturating_sub(offset)),
            // The listing has told it.
            Scope::Tree { .. } => {}
        }
    }

    /// A folder has so many files, of so many bytes together.
    pub(super) fn expect(&mut self, files: u64, bytes: u64) {
        self.known += files;
        self.bar.inc_length(bytes);
    }

    /// A file of so many bytes is there as the server has it.
    pub(super) fn unchanged(&mut self, bytes: u64) {
        self.tree.unchanged += 1;
        self.bar.dec_length(bytes);
    }

    /// More of the contents is there.
    pub(super) fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    /// A file is there as a whole.
    pub(super) fn complete(&mut self, done: &Downloaded<'_>) {
        self.tree.files += 1;
        self.tree.bytes += done.bytes;
        self.tree.unverified += u64::from(!done.verified);
        if self.output.is_json() || self.scope != (Scope::Tree { in_detail: false }) {
            self.output.show(done);
        }
    }

    /// Nothing more will come: sums up.
    pub(super) fn finish(&mut self) {
        let unseen = self.tree.errors.saturating_sub(MOST_ERRORS);
        if unseen > 0 {
            let message = format!("{unseen} more errors, not shown (--json shows all)");
            self.log(log::Level::Error, &message);
        }
        let is_told = !self.has_failed() || !self.tree.is_empty();
        if matches!(self.scope, Scope::Tree { .. }) && is_told {
            self.tree.seconds = self.begun.elapsed().into();
            self.output.show(&self.tree);
        }
    }

    /// Shows how far it has come.
    pub(super) fn draw(&self) {
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let name = shown(self.name.as_bytes());
        self.bar.set_message(if self.scope == Scope::File {
            name.to_string()
        } else {
            format!("{} of {} files  {name}", self.done, self.known)
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
