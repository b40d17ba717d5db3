//! A connection whose conversation is over, until the peer has ended its direction.

use core::task::Poll;

use barewire_core::driver::{Driver, LastStep};
use barewire_core::time::Instant;

use super::connection::{Budget, Connection};
use super::transport::LinkTransport;
use crate::executor::{Context, Task};

/// A task of its own, so that who had the conversation need not wait.
#[derive(Debug)]
pub(super) struct Lingering {
    pub(super) driver: Driver,
    /// It has left the task that it belonged to.
    pub(super) connection: Connection,
    /// When it has taken too long for this executor.
    pub(super) until: Instant,
    /// Nobody waits for it: the executor may end before it does, as it may in an orderly stop.
    pub(super) is_background: bool,
}

impl<W> Task<W> for Lingering {
    fn turn(&mut self, _state: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
        if self.is_background || cx.stopping() {
            cx.set_background();
        }
        self.connection.budget = Budget::TURN;
        let now = cx.now();
        let last = self.driver.end(now, &mut LinkTransport::new(cx, &mut self.connection));
        match last {
            LastStep::Wait(until) if now < self.until => {
                cx.set_deadline(Some(until.min(self.until)));
                Poll::Pending
            }
            _ => {
                cx.lingering -= 1;
                Poll::Ready(())
            }
        }
    }
}
