//! The task that draws the progress.

use core::task::Poll;

use barewire_core::time::Duration;
use barewire_linux::executor::{Context, Task};

use super::report::Reports;

/// How often it is drawn; and a download that is over sooner shows none.
const PERIOD: Duration = Duration::from_millis(125);

#[derive(Debug, Default)]
pub(super) struct Ticker {
    has_waited: bool,
}

impl<S: Reports> Task<S> for Ticker {
    fn turn(&mut self, shared: &mut S, cx: &mut Context<'_, S>) -> Poll<()> {
        cx.set_background();
        if std::mem::replace(&mut self.has_waited, true) {
            shared.reporter().draw();
        }
        cx.set_deadline(Some(cx.now() + PERIOD));
        Poll::Pending
    }
}
