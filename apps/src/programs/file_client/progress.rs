//! How far it has come, on a terminal.

use core::task::Poll;
use std::io::{self, IsTerminal as _};

use barewire_core::printable::printable;
use barewire_core::time::Duration;
use barewire_linux::executor::{Context, Task};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How often the bar is drawn; and a download that is over sooner shows none.
const PERIOD: Duration = Duration::from_millis(125);

const SIZED: &str = "{wide_msg} {bar:20} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
const UNSIZED: &str = "{wide_msg} {binary_bytes}  {binary_bytes_per_sec}";

/// Counts what comes in; the [`Ticker`] shows it.
#[derive(Debug)]
pub(super) struct Progress {
    /// Absent where nobody would see it.
    bar: Option<ProgressBar>,
    /// Several files are counted together.
    several: bool,
    name: String,
    done: u64,
    known: u64,
}

impl Progress {
    /// Shown on standard error if that is a terminal, and if it is `wanted`.
    pub(super) fn new(wanted: bool, several: bool) -> Self {
        let bar = (wanted && io::stderr().is_terminal())
            .then(|| ProgressBar::hidden().with_style(style(UNSIZED)));
        Self { bar, several, name: String::new(), done: 0, known: 0 }
    }

    pub(super) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// So many more files are to come.
    pub(super) fn expect(&mut self, files: u64) {
        self.known += files;
    }

    /// So many are there, or will not be.
    pub(super) fn finish(&mut self, files: u64) {
        self.done += files;
    }

    /// The contents of `name` begin at `offset`, of `size` bytes if that is known.
    pub(super) fn begin(&mut self, name: &str, offset: u64, size: Option<u64>) {
        let Some(bar) = &self.bar else { return };
        name.clone_into(&mut self.name);
        if !self.several {
            bar.set_style(style(if size.is_some() { SIZED } else { UNSIZED }));
            bar.set_length(size.unwrap_or_default());
            bar.set_position(offset);
            bar.reset_eta();
        }
    }

    pub(super) fn advance(&self, bytes: usize) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes as u64);
        }
    }

    fn draw(&self) {
        let Some(bar) = &self.bar else { return };
        if bar.is_hidden() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        let name = printable(self.name.as_bytes());
        bar.set_message(if self.several {
            format!("{} of {} files  {name}", self.done, self.known)
        } else {
            name.to_string()
        });
        bar.tick();
    }

    /// Writes to the terminal without spoiling the bar, nor being spoilt by it.
    pub(super) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates are well-formed")
}

/// The task that draws the progress.
#[derive(Debug, Default)]
pub(super) struct Ticker {
    has_waited: bool,
}

impl<S: AsMut<Progress>> Task<S> for Ticker {
    fn turn(&mut self, shared: &mut S, cx: &mut Context<'_, S>) -> Poll<()> {
        cx.set_background();
        if std::mem::replace(&mut self.has_waited, true) {
            shared.as_mut().draw();
        }
        cx.set_deadline(Some(cx.now() + PERIOD));
        Poll::Pending
    }
}
