//! What the program's tasks share, and how one connection follows another.

#[cfg(test)]
mod tests;

use std::rc::Rc;

use barewire_core::time::Instant;
use log::Level;

use super::messages;
use super::progress::Progress;
use super::queue::Queue;
use super::report::Reporter;
use super::retry::{Ending, Left, RetryPolicy, Step};
use super::settings::Settings;
use super::sink::Abort;
use super::transfer::Transfer;

#[derive(Debug)]
pub(super) struct Client<'o> {
    pub(super) settings: Rc<Settings>,
    pub(super) reporter: Reporter<'o>,
    pub(super) queue: Queue,
    pub(super) policy: RetryPolicy,
}

impl<'o> Client<'o> {
    pub(super) fn new(
        settings: Settings,
        reporter: Reporter<'o>,
        transfers: Vec<Transfer>,
    ) -> Self {
        let settings = Rc::new(settings);
        let queue = Queue::new(Rc::clone(&settings), transfers);
        let policy = RetryPolicy::new(settings.retries, settings.retry_pause, settings.plain);
        Self { settings, reporter, queue, policy }
    }

    /// When the next connection begins after one that has ended so; `None` if none does.
    pub(super) fn after(&mut self, ending: &Ending, now: Instant) -> Option<Instant> {
        self.queue.rewind();
        let left = self.left();
        let Self { settings, reporter, queue, policy } = self;
        let others = queue.len().saturating_sub(1);
        // With nothing left to do, all that was asked for is proven, whatever the ending.
        let next = queue.transfers().next()?;
        let why = messages::ended(ending, next, policy, settings);
        match policy.after(ending, left) {
            Step::Connect => return Some(now),
            Step::ConnectPlainly => {
                reporter.log(Level::Warn, &messages::fell_back(&settings.server));
                return Some(now);
            }
            Step::Retry { attempt, pause } => {
                let of = settings.retries;
                let message = format!("{why}; trying again in {pause} ({attempt} of {of})");
                reporter.log(Level::Warn, &message);
                return Some(now + pause);
            }
            Step::Skip => {
                let (held, _) = next.sink().held();
                let kept =
                    if held > 0 { format!("; {}", next.sink().kept()) } else { String::new() };
                reporter.fail(&format!("{why}{kept}"));
                queue.drop_next(reporter);
                return (!queue.is_empty()).then_some(now);
            }
            Step::Unreachable => reporter.fail(&why),
            Step::NoFolders => reporter.fail(&messages::no_folders(&settings.server)),
            Step::GiveUp => {
                let why = format!("{why}; {}", next.sink().kept());
                reporter.fail(&messages::and_more(why, others));
            }
            Step::End if matches!(ending, Ending::Aborted(Abort::Interrupted)) => self.interrupt(),
            Step::End => {}
        }
        None
    }

    fn left(&mut self) -> Left {
        let queue = &mut self.queue;
        let progressed = std::mem::take(&mut queue.progressed);
        let next = queue.transfers().next();
        Left {
            progressed,
            is_framed: queue.transfers().any(|transfer| transfer.sink().held().0 > 0),
            has_folders: queue.transfers().any(Transfer::is_listing),
            is_half_written: next.is_some_and(|next| next.sink().is_half_written()),
        }
    }

    /// A signal ends the program.
    pub(super) fn interrupt(&mut self) {
        self.queue.rewind();
        if let Some(next) = self.queue.transfers().next() {
            self.reporter.log(Level::Warn, &messages::interrupted(next));
        }
    }
}

impl AsMut<Progress> for Client<'_> {
    fn as_mut(&mut self) -> &mut Progress {
        &mut self.reporter.progress
    }
}
