//! The task that draws the progress.

use core::task::Poll;

use barewire_core::time::Duration;
use barewire_linux::executor::{Context, Task};

use super::client::Client;

/// How often it is drawn; and a download that is over sooner shows none.
const PERIOD: Duration = Duration::from_millis(125);

#[derive(Debug, Default)]
pub(super) struct Ticker {
    has_waited: bool,
}

impl Task<Client<'_>> for Ticker {
    fn turn(&mut self, client: &mut Client<'_>, cx: &mut Context<'_, Client<'_>>) -> Poll<()> {
        cx.set_background();
        if std::mem::replace(&mut self.has_waited, true) {
            client.queue.reporter.draw();
        }
        cx.set_deadline(Some(cx.now() + PERIOD));
        Poll::Pending
    }
}
