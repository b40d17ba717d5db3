//! What every thread of a server does besides serving: it takes signals, and the service manager hears how
//! it does.

use core::task::Poll;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use barewire_core::time::{Duration, Instant};
use barewire_linux::activation::Notifier;
use barewire_linux::executor::{Context, Executor, Task};
use barewire_linux::signals::Signals;

use crate::cli::exit::Failure;
use crate::output::ending;
use crate::output::system_error::describe;

/// A server that listens, and has said so.
pub(crate) struct Service {
    pub(super) signals: Signals,
    pub(super) notifier: Notifier,
}

/// A thread's part of it.
pub(crate) struct ServiceThread {
    signals: Signals,
    report: ReportTask,
}

impl Service {
    /// Has `SIGHUP` call `reload` in place of stopping ([`Signals::on_hangup`]), which the service manager
    /// is told of.
    pub(crate) fn on_hangup(&mut self, reload: impl Fn() + Send + Sync + 'static) {
        let notifier = self.notifier.clone();
        self.signals.on_hangup(move || {
            note(notifier.reloading());
            reload();
            note(notifier.ready());
        });
    }

    /// What each thread gets: its sockets, and its part.
    pub(crate) fn share<S>(self, sockets: Vec<S>) -> Result<Vec<(S, ServiceThread)>, Failure> {
        let Self { signals, notifier } = self;
        let pulse = Arc::new(Mutex::new(Pulse::of(sockets.len())));
        let share = |socket| {
            let report = ReportTask {
                // A beat of each thread, and one of all, within the time that it waits.
                interval: notifier.watchdog().map(|limit| limit / 4),
                notifier: notifier.clone(),
                pulse: Arc::clone(&pulse),
                last_round: 0,
                next: Instant::ZERO,
            };
            Ok((socket, ServiceThread { signals: signals.try_clone()?, report }))
        };
        sockets.into_iter().map(share).collect::<io::Result<_>>().map_err(Failure::system)
    }
}

impl ServiceThread {
    pub(crate) fn spawn<W>(self, executor: &mut Executor<'_, W>) {
        executor.spawn(Box::new(self.signals));
        executor.spawn(Box::new(self.report));
    }
}

/// Which threads have shown that they are alive.
#[derive(Debug)]
struct Pulse {
    threads: usize,
    round: u64,
    /// How many have yet to show it in this round.
    left: usize,
    has_told_of_the_stop: bool,
}

impl Pulse {
    fn of(threads: usize) -> Self {
        Self { threads, round: 1, left: threads, has_told_of_the_stop: false }
    }

    /// A thread shows that it is alive, which has done so last in `last_round`: whether all have since.
    fn beat(&mut self, last_round: &mut u64) -> bool {
        if *last_round == self.round {
            return false;
        }
        *last_round = self.round;
        self.left -= 1;
        if self.left > 0 {
            return false;
        }
        (self.round, self.left) = (self.round + 1, self.threads);
        true
    }
}

/// The task, in the background, that tells the service manager of the stop, and as long as every thread
/// takes turns, that the server is alive.
#[derive(Debug)]
struct ReportTask {
    notifier: Notifier,
    interval: Option<Duration>,
    pulse: Arc<Mutex<Pulse>>,
    last_round: u64,
    next: Instant,
}

impl<W> Task<W> for ReportTask {
    fn turn(&mut self, _: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
        cx.set_background();
        let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = Ok(());
        if cx.stopping() && !std::mem::replace(&mut pulse.has_told_of_the_stop, true) {
            ending::begin();
            told = self.notifier.stopping();
        }
        if let Some(interval) = self.interval {
            if self.next <= cx.now() {
                if pulse.beat(&mut self.last_round) {
                    told = told.and(self.notifier.alive());
                }
                self.next = cx.now() + interval;
            }
            cx.set_deadline(Some(self.next));
        }
        note(told);
        Poll::Pending
    }
}

fn note(told: io::Result<()>) {
    if let Err(error) = told {
        log::debug!("cannot notify the service manager: {}", describe(&error));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_alive_as_long_as_each_of_its_threads_is() {
        let mut pulse = Pulse::of(2);
        let (mut one, mut other) = (0, 0);
        assert!(!pulse.beat(&mut one));
        assert!(!pulse.beat(&mut one), "the other is not heard of");
        assert!(pulse.beat(&mut other));
        assert!(!pulse.beat(&mut other));
        assert!(pulse.beat(&mut one));
    }
}
