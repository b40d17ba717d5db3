//! How far it has come, on a terminal.

use core::task::Poll;

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

impl Progress {
    pub(super) fn new(several: bool) -> Self {
        let bar = ProgressBar::hidden().with_style(style(UNSIZED));
        Self { bar, several, name: String::new(), done: 0, known: 0 }
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

    pub(super) fn advance(&self, bytes: usize) {
        self.bar.inc(bytes as u64);
    }

    fn draw(&self) {
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

    /// Writes to the terminal without spoiling the bar, nor being spoilt by it.
    pub(super) fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        self.bar.suspend(write)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
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
