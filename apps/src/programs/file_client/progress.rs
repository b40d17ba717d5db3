//! How far it has come, on a terminal.

use core::task::Poll;
use std::io::{self, IsTerminal as _};

use barewire_core::printable::printable;
use barewire_core::time::Duration;
use barewire_linux::executor::{Context, Task};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::client::Client;

/// How often it is drawn; and a download that is over sooner shows none.
const PERIOD: Duration = Duration::from_millis(125);

const ONE: &str = "{wide_msg} {bar:20} {binary_bytes} of {binary_total_bytes}  {binary_bytes_per_sec}  {eta} left";
const UNSIZED: &str = "{wide_msg} {binary_bytes}  {binary_bytes_per_sec}";

/// Counts what comes in. Only the [`Ticker`] draws it, so counting costs nothing.
#[derive(Debug)]
pub(super) struct Progress {
    /// Absent where nobody would see it.
    bar: Option<ProgressBar>,
    /// Several files are counted together.
    several: bool,
    name: String,
    bytes: u64,
    done: u64,
    known: u64,
    /// What the bar does not show yet.
    restarted: Option<Start>,
}

/// Contents begin.
#[derive(Clone, Copy, Debug)]
struct Start {
    size: Option<u64>,
}

impl Progress {
    /// Shown on standard error if that is a terminal, and if it is `wanted`.
    pub(super) fn new(wanted: bool, several: bool) -> Self {
        let bar = (wanted && io::stderr().is_terminal()).then(|| {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(20))
                .with_style(style(UNSIZED))
        });
        let name = String::new();
        Self { bar, several, name, bytes: 0, done: 0, known: 0, restarted: None }
    }

    pub(super) fn is_shown(&self) -> bool {
        self.bar.is_some()
    }

    /// So many more files are to come.
    pub(super) fn expect(&mut self, files: u64) {
        self.known += files;
    }

    /// The contents of `name` begin at `offset`, of `size` bytes if that is known.
    pub(super) fn begin(&mut self, name: &str, offset: u64, size: Option<u64>) {
        if self.is_shown() {
            self.name.clear();
            self.name.push_str(name);
            if !self.several {
                self.bytes = offset;
                self.restarted = Some(Start { size });
            }
        }
    }

    pub(super) fn advance(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// So many are there, or will not be.
    pub(super) fn finish(&mut self, files: u64) {
        self.done += files;
    }

    fn draw(&mut self) {
        let Some(bar) = &self.bar else { return };
        if let Some(Start { size }) = self.restarted.take() {
            bar.set_style(style(if size.is_some() { ONE } else { UNSIZED }));
            if let Some(size) = size {
                bar.set_length(size);
            }
            bar.set_position(self.bytes);
            bar.reset_eta();
        }
        let name = printable(self.name.as_bytes());
        if self.several {
            bar.set_message(format!("{} of {} files  {name}", self.done, self.known));
        } else {
            bar.set_message(name.to_string());
        }
        bar.set_position(self.bytes);
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
#[derive(Debug)]
pub(super) struct Ticker {
    is_first: bool,
}

impl Ticker {
    pub(super) fn new() -> Self {
        Self { is_first: true }
    }
}

impl Task<Client<'_>> for Ticker {
    fn turn(&mut self, client: &mut Client<'_>, cx: &mut Context<'_, Client<'_>>) -> Poll<()> {
        cx.set_background();
        if !std::mem::take(&mut self.is_first) {
            client.voice.progress.draw();
        }
        cx.set_deadline(Some(cx.now() + PERIOD));
        Poll::Pending
    }
}
