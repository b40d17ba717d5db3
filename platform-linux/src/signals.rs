//! `SIGINT`, `SIGTERM` and `SIGHUP` as events, or all signals that are sent to end a program.

use core::fmt;
use core::task::Poll;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

use crate::executor::{Context, EventSource, Readiness, Task};
use crate::job_control;
use crate::sys::{retry, startup};

/// A task, in the background, that turns the first of its signals into the executor's orderly
/// [stop](Context::stop) and the second into its [end](Context::stop_now).
///
/// `SIGHUP` starts the orderly stop as well, or else has [something reloaded](Self::on_hangup), and never
/// ends it: it may come several times, from the terminal and from the shell, and after a `SIGTERM`. If it
/// was ignored when the process was started, as by nohup(1), it still is.
pub struct Signals {
    handled: SigSet,
    fd: Arc<SignalFd>,
    source: Option<EventSource>,
    caught: Caught,
    reload: Option<Reload>,
}

type Reload = Arc<dyn Fn() + Send + Sync>;

/// Remembers the first signal that a [`Signals`] has caught, and whether more have come; its clones share the
/// memory.
#[derive(Clone, Debug)]
pub struct Caught {
    seen: Arc<Seen>,
    fd: Arc<SignalFd>,
}

#[derive(Debug, Default)]
struct Seen {
    first: AtomicU8,
    repeated: AtomicBool,
}

impl Signals {
    /// Blocks the signals for the calling thread and those that it starts from now on, and
    /// receives them through a descriptor instead (`signalfd(2)`).
    ///
    /// To be called before any other thread is started: a thread that leaves them unblocked would
    /// be ended by them, and the process with it. Child processes that [`std::process::Command`]
    /// starts are not affected, since it resets their signal mask.
    ///
    /// # Errors
    /// Those of `sigprocmask(2)` and `signalfd(2)`.
    pub fn block() -> io::Result<Self> {
        Self::block_these(usual())
    }

    /// As [`block`](Self::block), and with those all others that are sent to end a program: for one that
    /// has something to put back in order, such as the mode of its terminal.
    ///
    /// # Errors
    /// Those of `sigprocmask(2)` and `signalfd(2)`.
    pub fn block_all() -> io::Result<Self> {
        Self::block_these(usual() | SigSet::from_iter(OTHERS))
    }

    fn block_these(handled: SigSet) -> io::Result<Self> {
        handled.thread_block()?;
        Self::receive(handled, Arc::default(), None)
    }

    /// Has `SIGHUP` call `reload`, on the executor's thread, in place of stopping; unless the terminal
    /// has hung up, which nobody asks a server to survive.
    pub fn on_hangup(&mut self, reload: impl Fn() + Send + Sync + 'static) {
        self.reload = Some(Arc::new(reload));
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
        Self::receive(self.handled, Arc::clone(&self.caught.seen), self.reload.clone())
    }

    fn receive(handled: SigSet, seen: Arc<Seen>, reload: Option<Reload>) -> io::Result<Self> {
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let fd = Arc::new(SignalFd::with_flags(&handled, flags)?);
        let caught = Caught { seen, fd: Arc::clone(&fd) };
        Ok(Self { handled, fd, source: None, caught, reload })
    }

    /// A handle that tells, also after the task has gone, which signal came first.
    pub fn caught(&self) -> Caught {
        self.caught.clone()
    }
}

fn usual() -> SigSet {
    let hangup = (!startup::ignores_hangup()).then_some(Signal::SIGHUP);
    [Signal::SIGINT, Signal::SIGTERM].into_iter().chain(hangup).collect()
}

/// Those that end a program that does not catch them (`signal(7)`) besides the usual, save those that
/// tell of a fault in it, and `SIGPIPE`, which Rust ignores.
const OTHERS: [Signal; 9] = [
    Signal::SIGQUIT,
    Signal::SIGALRM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
    Signal::SIGVTALRM,
    Signal::SIGPROF,
    Signal::SIGXCPU,
    Signal::SIGIO,
    Signal::SIGPWR,
];

impl Caught {
    /// The number of the signal that came first, if one came (`signal(7)`).
    pub fn number(&self) -> Option<u8> {
        Some(self.seen.first.load(Ordering::Relaxed)).filter(|&number| number != 0)
    }

    /// Whether after the first another has come than `SIGHUP`: the program is to end at once.
    pub fn is_repeated(&self) -> bool {
        self.seen.repeated.load(Ordering::Relaxed)
    }

    /// Receives the next signal that has come, if one has. For after the executor's end, or in place
    /// of it: of what is received here the task learns nothing.
    pub fn receive(&self) -> Option<u8> {
        let number = self.take()?;
        self.note(number);
        Some(number)
    }

    /// The number of the next signal.
    fn take(&self) -> Option<u8> {
        let signal = retry(|| self.fd.read_signal()).ok()??;
        // SIGHUP is 1, and the highest 31.
        Some(u8::try_from(signal.ssi_signo).unwrap_or(u8::MAX))
    }

    /// A signal has come that is to end the program. Tells whether it is the first.
    fn note(&self, number: u8) -> bool {
        let first = &self.seen.first;
        let is_first =
            first.compare_exchange(0, number, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if !is_first && i32::from(number) != Signal::SIGHUP as i32 {
            self.seen.repeated.store(true, Ordering::Relaxed);
        }
        is_first
    }

    /// The exit code by which shells show an end by this signal: 128 + its number.
    pub fn exit_code(&self) -> Option<u8> {
        self.number().map(|number| 128 + number)
    }
}

/// Readable while a signal has come that nobody has received, so that a wait for something else can
/// end with it.
impl AsFd for Caught {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
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
        while let Some(number) = self.caught.take() {
            let is_hangup = i32::from(number) == Signal::SIGHUP as i32;
            match &self.reload {
                Some(reload) if is_hangup && !job_control::has_hung_up() => reload(),
                _ if self.caught.note(number) || is_hangup => cx.stop(),
                _ => cx.stop_now(),
            }
        }
        Poll::Pending
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").field("caught", &self.caught).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::process::Stdio;

    use barewire_core::time::Instant;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::signal::raise;

    use super::*;
    use crate::clock::Clock;
    use crate::executor::{Executor, GRACE, StopGroup};
    use crate::testing::{in_child, task};

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
        assert!(caught.is_repeated());
    }

    #[test]
    fn a_hangup_reloads_or_starts_the_stop_and_never_ends_it() {
        // Also where the tests are started to ignore it.
        let block =
            || Signals::block_these([Signal::SIGHUP, Signal::SIGTERM].into_iter().collect());
        let mut signals = block().unwrap();
        let caught = signals.caught();
        let reloads = Arc::new(AtomicU8::new(0));
        let (counted, seen) = (Arc::clone(&reloads), caught.clone());
        signals.on_hangup(move || _ = counted.fetch_add(1, Ordering::Relaxed));
        let counted = Arc::clone(&reloads);
        let mut executor = Executor::new().unwrap();
        executor.spawn(Box::new(signals));
        // It stops by itself once it has seen the signal.
        executor.spawn(task(move |(), cx: &mut Context<'_, ()>| {
            if seen.number().is_some() {
                return Poll::Ready(());
            }
            let is_reloaded = counted.load(Ordering::Relaxed) > 0;
            raise(if is_reloaded { Signal::SIGTERM } else { Signal::SIGHUP }).unwrap();
            cx.yield_now();
            Poll::Pending
        }));
        executor.run(&mut ()).unwrap();
        assert_eq!((reloads.load(Ordering::Relaxed), caught.number()), (1, Some(15)));

        let signals = block().unwrap();
        let caught = signals.caught();
        let mut executor = Executor::new().unwrap();
        executor.spawn(Box::new(signals));
        let mut left = 3;
        executor.spawn(task(move |(), cx: &mut Context<'_, ()>| {
            raise(Signal::SIGHUP).unwrap();
            cx.yield_now();
            left -= u8::from(cx.stopping());
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        }));
        executor.run(&mut ()).unwrap();
        assert_eq!((caught.number(), caught.is_repeated()), (Some(1), false));
    }

    #[test]
    fn what_no_task_has_received_ends_a_wait_and_can_be_received() {
        let signals = Signals::block().unwrap();
        let caught = signals.caught();
        let is_readable = || {
            let mut fds = [PollFd::new(caught.as_fd(), PollFlags::POLLIN)];
            poll(&mut fds, PollTimeout::ZERO).unwrap() == 1
        };
        assert!(!is_readable());
        raise(Signal::SIGINT).unwrap();
        assert!(is_readable() && caught.number().is_none());
        assert_eq!((caught.receive(), caught.number()), (Some(2), Some(2)));
        assert!(!is_readable() && caught.receive().is_none() && !caught.is_repeated());
        raise(Signal::SIGINT).unwrap();
        assert_eq!((caught.receive(), caught.is_repeated()), (Some(2), true));
    }

    #[test]
    fn all_that_are_sent_to_end_a_program_are_caught_if_they_are_to_be() {
        const TEST: &str = concat!(
            "signals::tests::",
            "all_that_are_sent_to_end_a_program_are_caught_if_they_are_to_be"
        );
        if !in_child(TEST, Stdio::null(), "") {
            return;
        }
        let caught = Signals::block_all().unwrap().caught();
        let usual = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP];
        for signal in usual.into_iter().chain(OTHERS) {
            raise(signal).unwrap();
            assert_eq!(caught.receive().map(i32::from), Some(signal as i32), "{signal}");
        }
        assert_eq!(caught.exit_code(), Some(130), "the first");
    }

    #[test]
    fn a_hangup_that_was_ignored_from_the_start_still_is() {
        const TEST: &str = "signals::tests::a_hangup_that_was_ignored_from_the_start_still_is";
        if !in_child(TEST, Stdio::null(), "trap '' HUP;") {
            return;
        }
        for block in [Signals::block, Signals::block_all] {
            let caught = block().unwrap().caught();
            raise(Signal::SIGHUP).unwrap();
            raise(Signal::SIGTERM).unwrap();
            assert_eq!(caught.receive(), Some(15));
            assert_eq!((caught.receive(), caught.is_repeated()), (None, false));
        }
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
