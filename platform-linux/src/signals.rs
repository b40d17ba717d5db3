//! `SIGINT` and `SIGTERM` as events.

use core::task::Poll;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::executor::{Context, Readiness, Source, Task};

/// A task, in the background, that turns the first `SIGINT` or `SIGTERM` into the executor's orderly
/// [stop](Context::stop) and the second into its [end](Context::stop_now).
#[derive(Debug)]
pub struct Signals {
    fd: SignalFd,
    source: Option<Source>,
    caught: Caught,
}

/// Remembers the first signal that a [`Signals`] has caught; its clones share the memory.
#[derive(Clone, Debug, Default)]
pub struct Caught(Arc<AtomicU8>);

impl Signals {
    /// Blocks the two signals for the calling thread and those that it starts from now on, and
    /// receives them through a descriptor instead (`signalfd(2)`).
    ///
    /// To be called before any other thread is started: a thread that leaves them unblocked would
    /// be ended by them, and the process with it. Child processes that [`std::process::Command`]
    /// starts are not affected, since it resets their signal mask.
    ///
    /// # Errors
    /// Those of `sigprocmask(2)` and `signalfd(2)`.
    pub fn block() -> io::Result<Self> {
        handled().thread_block()?;
        Self::receive(Caught::default())
    }

    /// Another such task, for another thread's executor, with a descriptor of its own: each signal
    /// is received by one of them, and they know together which came first.
    ///
    /// [`threads::run`](crate::threads::run) needs one for each thread: the executors end one by
    /// one, and the second signal must find a task that still receives it.
    ///
    /// # Errors
    /// Those of `signalfd(2)`.
    pub fn try_clone(&self) -> io::Result<Self> {
        Self::receive(self.caught())
    }

    fn receive(caught: Caught) -> io::Result<Self> {
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        Ok(Self { fd: SignalFd::with_flags(&handled(), flags)?, source: None, caught })
    }

    /// A handle that tells, also after the task has gone, which signal came first.
    pub fn caught(&self) -> Caught {
        self.caught.clone()
    }
}

fn handled() -> SigSet {
    SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM])
}

impl Caught {
    /// The number of the signal that came first, if one came (`signal(7)`).
    pub fn number(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&number| number != 0)
    }

    /// The exit code by which shells show an end by this signal: 128 + its number.
    pub fn exit_code(&self) -> Option<u8> {
        self.number().map(|number| 128 + number)
    }
}

impl<W> Task<W> for Signals {
    fn turn(&mut self, _: &mut W, cx: &mut Context<'_, W>) -> Poll<()> {
        if self.source.is_none() {
            cx.set_background();
            match cx.register(&self.fd, Readiness::READABLE) {
                Ok(source) => self.source = Some(source),
                // The signals would be lost, and the process could not be ended in order.
                Err(error) => cx.fail(error),
            }
        }
        loop {
            let signal = match self.fd.read_signal() {
                Ok(Some(signal)) => signal,
                Err(Errno::EINTR) => continue,
                Ok(None) | Err(_) => break,
            };
            // SIGINT is 2 and SIGTERM is 15.
            let number = u8::try_from(signal.ssi_signo).unwrap_or(u8::MAX);
            let caught = &self.caught.0;
            match caught.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => cx.stop(),
                Err(_) => cx.stop_now(),
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use barewire_core::time::Instant;
    use nix::sys::signal::raise;

    use super::*;
    use crate::clock::Clock;
    use crate::executor::{Executor, GRACE, StopGroup};
    use crate::testing::task;

    /// Raises another signal when it is told to stop, and never finishes.
    #[derive(Default)]
    struct Stubborn {
        raised: bool,
    }

    impl Task<Vec<&'static str>> for Stubborn {
        fn turn(
            &mut self,
            log: &mut Vec<&'static str>,
            cx: &mut Context<'_, Vec<&'static str>>,
        ) -> Poll<()> {
            if cx.stopping() && !self.raised {
                self.raised = true;
                log.push("told to stop");
                raise(Signal::SIGINT).unwrap();
            }
            Poll::Pending
        }

        fn abandon(&mut self, log: &mut Vec<&'static str>) {
            log.push("abandoned");
        }
    }

    /// `raise(3)` sends to the calling thread, so other tests do not notice.
    #[test]
    fn the_first_starts_the_stop_and_the_second_ends_it() {
        let signals = Signals::block().unwrap();
        let caught = signals.caught();
        let mut executor = Executor::new().unwrap();
        executor.spawn(Box::new(signals));
        executor.spawn(Box::<Stubborn>::default());
        assert_eq!((caught.number(), caught.exit_code()), (None, None));
        raise(Signal::SIGTERM).unwrap();
        let mut log = Vec::new();
        executor.run(&mut log).unwrap();
        assert_eq!(log, ["told to stop", "abandoned"]);
        assert_eq!((caught.number(), caught.exit_code()), (Some(15), Some(143)));
    }

    #[test]
    fn the_second_is_received_when_the_first_executor_has_ended() {
        let signals = Signals::block().unwrap();
        let another = signals.try_clone().unwrap();
        let caught = another.caught();
        let (clock, group) = (Clock::start(), StopGroup::new());
        let mut log = Vec::new();
        let mut last = Executor::in_group(clock, &group).unwrap();
        last.spawn(Box::new(another));
        last.spawn(Box::<Stubborn>::default());
        let mut first = Executor::in_group(clock, &group).unwrap();
        first.spawn(Box::new(signals));
        first.spawn(task(
            |_, cx: &mut Context<'_, _>| {
                if cx.stopping() { Poll::Ready(()) } else { Poll::Pending }
            },
        ));
        raise(Signal::SIGTERM).unwrap();
        first.run(&mut log).unwrap();
        drop(first);
        last.run(&mut log).unwrap();
        assert_eq!(log, ["told to stop", "abandoned"]);
        assert_eq!(caught.number(), Some(15));
        assert!(clock.now() < Instant::ZERO + GRACE, "it was not the grace that ended");
    }
}
