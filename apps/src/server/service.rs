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

use super::reload::{Reload, Reloads};

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
    /// is told of, and of the end once nobody has the [`Reload`] any more.
    pub(crate) fn on_hangup(&mut self, reload: impl Fn(&Reload) + Send + Sync + 'static) {
        let (notifier, reloads) = (self.notifier.clone(), Reloads::default());
        self.signals.on_hangup(move || {
            note(notifier.reloading());
            let ready = notifier.clone();
            reload(&reloads.begin(move || note(ready.ready())));
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
        self.end_round()
    }

    /// A thread that has shown so last in `last_round` has ended, and is waited for no more: in a stop some end
    /// long before others. Whether all others have shown that they are alive since.
    fn leave(&mut self, last_round: u64) -> bool {
        self.threads -= 1;
        if last_round != self.round {
            self.left -= 1;
        }
        self.end_round() && self.threads > 0
    }

    /// Begins the next round, if nobody is left in this one.
    fn end_round(&mut self) -> bool {
        let is_over = self.left == 0;
        if is_over {
            (self.round, self.left) = (self.round + 1, self.threads);
        }
        is_over
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

impl Drop for ReportTask {
    fn drop(&mut self) {
        let mut pulse = self.pulse.lock().unwrap_or_else(PoisonError::into_inner);
        if pulse.leave(self.last_round) && self.interval.is_some() {
            note(self.notifier.alive());
        }
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

    #[test]
    fn a_thread_that_has_ended_is_not_waited_for() {
        let mut pulse = Pulse::of(3);
        let (mut one, mut other, third) = (0, 0, 0);
        assert!(!pulse.beat(&mut one));
        assert!(!pulse.leave(one), "two are not heard of");
        assert!(!pulse.beat(&mut other));
        assert!(pulse.leave(third), "the one that is left has been heard of");
        for _ in 0..3 {
            assert!(pulse.beat(&mut other));
        }
        assert!(!pulse.leave(other));
        let (mut pulse, mut one, mut other) = (Pulse::of(2), 0, 0);
        assert!(!pulse.beat(&mut other) && pulse.beat(&mut one));
        assert!(!pulse.beat(&mut one) && pulse.leave(other));
        assert!(pulse.beat(&mut one));
    }
}
