//! What the program's tasks share, and how one connection follows another.

#[cfg(test)]
mod tests;

use barewire_core::time::Instant;
use barewire_linux::dialer::Dialer;
use log::Level;

use super::messages;
use super::pace::Pace;
use super::queue::Queue;
use super::report::{Reporter, Reports};
use super::retry::{Ending, Left, RetryPolicy, Step};
use super::settings::Settings;
use super::sink::Abort;
use super::transfer::Transfer;

#[derive(Debug)]
pub(super) struct Client<'o> {
    pub(super) queue: Queue<'o>,
    pub(super) policy: RetryPolicy,
    pub(super) dialer: Dialer,
    /// What all connections together are held to.
    pub(super) pace: Option<Pace>,
}

impl<'o> Client<'o> {
    pub(super) fn new(
        settings: Settings,
        dialer: Dialer,
        reporter: Reporter<'o>,
        transfers: Vec<Transfer>,
    ) -> Self {
        let policy = RetryPolicy::new(settings.retries, settings.retry_pause, settings.plain)
            .under_key(settings.key.is_some());
        let pace = settings.limit_rate.map(Pace::new);
        Self { queue: Queue::new(settings, reporter, transfers), policy, dialer, pace }
    }

    /// When the next connection begins after one that has ended so; `None` if none does.
    pub(super) fn after(&mut self, ending: &Ending, now: Instant) -> Option<Instant> {
        let Self { queue, policy, .. } = self;
        queue.publish();
        queue.rewind();
        let progressed = std::mem::take(&mut queue.progressed);
        let others = queue.len().saturating_sub(1);
        // With nothing left to do, all that was asked for is proven, whatever the ending.
        let next = queue.transfers().next()?;
        let left = Left {
            progressed,
            is_framed: queue.transfers().any(|transfer| transfer.sink().held().0 > 0),
            is_listing: next.is_listing(),
            is_half_written: next.sink().is_half_written(),
        };
        let is_held = next.sink().held().0 > 0;
        let why = messages::ended(ending, next, policy, &queue.settings);
        let why_and_kept = format!("{why}; {}", next.sink().kept());
        let reporter = &mut queue.reporter;
        match policy.after(ending, left) {
            Step::Connect => return Some(now),
            Step::ConnectPlainly => {
                reporter.log(Level::Warn, &messages::fell_back(&queue.settings.server));
                return Some(now);
            }
            Step::Retry { attempt, of, pause } => {
                let message = format!("{why}; trying again in {pause} ({attempt} of {of})");
                reporter.log(Level::Warn, &message);
                return Some(now + pause);
            }
            Step::Skip => {
                reporter.fail(if is_held { &why_and_kept } else { &why });
                queue.drop_next();
                return (!queue.is_empty()).then_some(now);
            }
            Step::Fail => reporter.fail(&why),
            Step::GiveUp => reporter.fail(&messages::and_more(why_and_kept, others)),
            Step::End if matches!(ending, Ending::Aborted(Abort::Interrupted)) => {
                reporter.log(Level::Warn, &why);
            }
            Step::End => reporter.log(Level::Debug, &why),
        }
        None
    }
}

impl Reports for Client<'_> {
    fn reporter(&self) -> &Reporter<'_> {
        &self.queue.reporter
    }
}
