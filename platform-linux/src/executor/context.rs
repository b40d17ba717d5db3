//! What a task may ask of its executor.

use core::task::Poll;
use core::{fmt, mem};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use barewire_core::driver::LINGER;
use barewire_core::time::{Duration, Instant};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use super::Readiness;
use super::buffers::Buffers;
use super::deadlines::Deadlines;
use super::run_queue::RunQueue;
use super::task_id::{EventSource, TaskId, WAKE_UP};
use super::waker::{Shared, StopGroup, StopLevel, Waker};
use crate::clock::TimeSource;
use crate::wait;

/// How many reports one `epoll_wait(2)` takes; what does not fit comes with the next.
const EVENTS: usize = 256;

/// How long an orderly stop waits for the tasks to finish, unless
/// [`set_grace`](super::Executor::set_grace) says otherwise.
pub const GRACE: Duration = Duration::from_secs(5);

/// How many connections whose conversations are over an executor keeps at once until their peers end, unless
/// [`set_max_lingering`](super::Executor::set_max_lingering) says otherwise.
pub const MAX_LINGERING: usize = 32;

/// Something that an [`Executor`](super::Executor) gives turns.
pub trait Task<W> {
    /// Does what there is to do, without waiting and within a budget.
    ///
    /// `Pending` waits for the next turn; whatever was not asked for through `cx` will not bring
    /// one. `Ready(())` ends the task: it is dropped, which closes what it owns.
    fn turn(&mut self, state: &mut W, cx: &mut Context<'_, W>) -> Poll<()>;

    /// Takes note that the grace of a stop is over: the task is dropped right after. A connection
    /// that is cut off here should be [reset](crate::stream::StreamSocket::abort), so that its peer
    /// cannot take the end for an orderly one.
    fn abandon(&mut self, state: &mut W) {
        let _ = state;
    }
}

/// What a task may ask of its executor during its turn.
pub struct Context<'t, W> {
    epoll: Epoll,
    pub(super) time: TimeSource,
    now: Instant,
    pub(super) tasks: RunQueue<Box<dyn Task<W> + 't>>,
    deadlines: Deadlines,
    shared: Arc<Shared>,
    pub(super) grace: Duration,
    grace_ends: Option<Instant>,
    /// Why the executor cannot go on.
    pub(super) failure: Option<io::Error>,
    events: Vec<EpollEvent>,
    pub(super) buffers: Buffers,
    /// How many connections linger in tasks of their own, how many may, and how long each.
    pub(crate) lingering: usize,
    pub(crate) max_lingering: usize,
    pub(crate) linger: Duration,
}

impl<'t, W> Context<'t, W> {
    pub(super) fn new(time: TimeSource, group: &StopGroup) -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let shared = Shared::new(group)?;
        epoll.add(shared.eventfd(), EpollEvent::new(Readiness::READABLE.interest(), WAKE_UP))?;
        Ok(Self {
            epoll,
            time,
            now: time.now(),
            tasks: RunQueue::new(),
            deadlines: Deadlines::default(),
            shared,
            grace: GRACE,
            grace_ends: None,
            failure: None,
            events: vec![EpollEvent::empty(); EVENTS],
            buffers: Buffers::new(),
            lingering: 0,
            max_lingering: MAX_LINGERING,
            linger: LINGER,
        })
    }

    /// The running task's name.
    pub fn id(&self) -> TaskId {
        self.tasks.current()
    }

    /// The time, as read once at the start of this round of turns.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Watches `fd` for `interest` on behalf of the running task, edge-triggered (`epoll(7)`): a
    /// turn follows whenever it becomes ready, and [`readiness`](Self::readiness) keeps what was
    /// reported until it is [cleared](Self::clear). Nothing is assumed ready before the first
    /// report, which comes at once if something is.
    ///
    /// Closing the last descriptor of the file ends the watch by itself.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)`, `EPERM` ([`PermissionDenied`](io::ErrorKind::PermissionDenied))
    /// among them for what cannot be watched because it is always ready: a regular file or a
    /// directory. [`OutOfMemory`](io::ErrorKind::OutOfMemory) if the task already has
    /// [`MAX_EVENT_SOURCES`](super::MAX_EVENT_SOURCES).
    pub fn register(&mut self, fd: impl AsFd, interest: Readiness) -> io::Result<EventSource> {
        self.watch(fd, interest.interest())
    }

    /// As [`register`](Self::register), but level-triggered: each round reports what `fd` is ready
    /// for, as long as it is. So an operation that takes only a part of what waits need not find out
    /// whether there is more; but whatever is reported must be used up, or the executor never rests.
    ///
    /// # Errors
    /// As for [`register`](Self::register).
    pub(crate) fn register_level(
        &mut self,
        fd: impl AsFd,
        interest: Readiness,
    ) -> io::Result<EventSource> {
        self.watch(fd, interest.interest().difference(EpollFlags::EPOLLET))
    }

    fn watch(&mut self, fd: impl AsFd, flags: EpollFlags) -> io::Result<EventSource> {
        let source = self.tasks.free_source().ok_or(io::ErrorKind::OutOfMemory)?;
        let mut event = EpollEvent::new(flags, self.id().token(source));
        match self.epoll.add(&fd, event) {
            // Left behind by a task that ended without closing a file that others share.
            Err(Errno::EEXIST) => self.epoll.modify(&fd, &mut event)?,
            result => result?,
        }
        self.tasks.take_source(source);
        Ok(source)
    }

    /// Changes what `source` is watched for; `fd` must be the one it was registered with. What is
    /// ready now is reported anew.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)`.
    pub fn modify(
        &self,
        source: EventSource,
        fd: impl AsFd,
        interest: Readiness,
    ) -> io::Result<()> {
        let mut event = EpollEvent::new(interest.interest(), self.id().token(source));
        Ok(self.epoll.modify(fd, &mut event)?)
    }

    /// Stops watching `source`; `fd` must be the one it was registered with. Needed before closing
    /// a descriptor whose file stays open elsewhere, and to use the source's place again.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)`. The place is free in any case.
    pub fn deregister(&mut self, source: EventSource, fd: impl AsFd) -> io::Result<()> {
        self.release(source);
        Ok(self.epoll.delete(fd)?)
    }

    /// Frees the place of a `source` whose file is closed, or is about to be: closing it ends the
    /// watch without a system call of its own.
    pub fn release(&mut self, source: EventSource) {
        self.tasks.free(source);
    }

    /// What has been reported of `source` and not yet cleared.
    pub fn readiness(&self, source: EventSource) -> Readiness {
        self.tasks.ready(source)
    }

    /// Forgets that `source` is ready for `what`. To be called when an operation on it says
    /// `EAGAIN`: only from then on is another report certain.
    pub fn clear(&mut self, source: EventSource, what: Readiness) {
        self.tasks.clear(source, what);
    }

    /// Asks for a turn at `at` (or soon after: as soon as the system's timers allow), in place of the deadline that the task had. Its passing removes it.
    pub fn set_deadline(&mut self, at: Option<Instant>) {
        self.deadlines.set(self.id().index, at);
    }

    /// Asks for a turn in the next round, after everybody else's: the budget of this one is used
    /// up, and there is more to do.
    pub fn yield_now(&mut self) {
        self.tasks.enqueue(self.id().index);
    }

    /// Whether this task has another turn already, which it was [woken](Self::wake) for or has
    /// [asked for](Self::yield_now).
    pub fn has_next_turn(&self) -> bool {
        self.tasks.is_queued(self.id().index)
    }

    /// Gives another task a turn soon: in this round if it has not had one, else in the next. Cheap
    /// (no system call), however often a task is woken before it runs. Waking one that has ended
    /// does nothing.
    pub fn wake(&mut self, id: TaskId) {
        self.tasks.wake(id);
    }

    /// Adds a task; its first turn comes in this round.
    ///
    /// # Panics
    /// If the executor already has 2²⁸ tasks.
    pub fn spawn(&mut self, task: Box<dyn Task<W> + 't>) -> TaskId {
        self.tasks.spawn(task)
    }

    /// Makes the running task one that serves the others and does not keep the executor running by
    /// itself: a signal handler, a reporter.
    pub fn set_background(&mut self) {
        self.tasks.set_background();
    }

    /// Whether an orderly stop is under way: listeners end, others finish what they have begun.
    pub fn stopping(&self) -> bool {
        self.grace_ends.is_some()
    }

    /// Starts the orderly stop. See [`Waker::stop`].
    pub fn stop(&self) {
        self.shared.request(StopLevel::Orderly);
    }

    /// Ends the grace of the stop. See [`Waker::stop_now`].
    pub fn stop_now(&self) {
        self.shared.request(StopLevel::Now);
    }

    /// Ends the executor with this round: what no task can do without is missing. The tasks are
    /// [abandoned](Task::abandon), and [`run`](super::Executor::run) gives the error, the first if
    /// there are several.
    pub fn fail(&mut self, error: io::Error) {
        self.failure.get_or_insert(error);
    }

    /// A handle by which any thread can wake the running task.
    pub fn waker(&self) -> Waker {
        Waker::new(&self.shared, Some(self.id()))
    }

    pub(super) fn executor_waker(&self) -> Waker {
        Waker::new(&self.shared, None)
    }

    /// A buffer, of [`SCRATCH`](super::SCRATCH) bytes as a rule, that all tasks share, so that an idle
    /// one owns none. Its contents last until the end of the turn at most, or until a link is driven.
    pub fn scratch(&mut self) -> &mut [u8] {
        &mut self.buffers.scratch
    }

    /// Lends the scratch buffer apart from the context; to be given back in the same turn.
    pub(crate) fn take_scratch(&mut self) -> Box<[u8]> {
        mem::take(&mut self.buffers.scratch)
    }

    pub(crate) fn give_scratch(&mut self, scratch: Box<[u8]>) {
        self.buffers.scratch = scratch;
    }

    /// An empty buffer with room for `capacity` bytes, to be kept for as long as it is needed. As a
    /// rule it is one that was [given back](Self::give_buffer) before.
    pub(crate) fn take_buffer(&mut self, capacity: usize) -> Vec<u8> {
        self.buffers.take(capacity)
    }

    /// Keeps `buffer` for the next who takes one, if it is the larger of two.
    pub(crate) fn give_buffer(&mut self, buffer: Vec<u8>) {
        self.buffers.give(buffer);
    }

    /// Begins a round: waits until something is to be done, and queues the tasks concerned.
    pub(super) fn begin_round(&mut self) -> io::Result<()> {
        self.tasks.begin_round();
        let mut events = mem::take(&mut self.events);
        let wait = self.epoll_timeout();
        let count = match self.epoll.wait(&mut events, wait) {
            Err(Errno::EINTR) => 0,
            result => result?,
        };
        #[cfg(test)]
        self.skip_to_deadline(count);
        self.now = self.time.now();
        for event in &events[..count] {
            self.note(*event);
        }
        self.events = events;
        while let Some(index) = self.deadlines.pop_due(self.now) {
            self.tasks.enqueue(index);
        }
        Ok(())
    }

    fn epoll_timeout(&self) -> EpollTimeout {
        if !self.tasks.is_empty() {
            return EpollTimeout::ZERO;
        }
        let Some(at) = self.next_deadline() else {
            return EpollTimeout::NONE;
        };
        match self.time {
            TimeSource::Real(clock) => {
                let left = at.duration_since(clock.now());
                match left.as_micros() / 1_000 {
                    // `epoll_wait(2)` counts milliseconds. What is left of one is waited for as it is.
                    0 if !left.is_zero()
                        && wait::readable_precisely(&self.epoll.0, left).is_ok() =>
                    {
                        EpollTimeout::ZERO
                    }
                    0 => EpollTimeout::try_from(left.as_millis_ceil()).unwrap_or(EpollTimeout::MAX),
                    millis => EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::MAX),
                }
            }
            #[cfg(test)]
            TimeSource::Simulated(_) => EpollTimeout::ZERO,
        }
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next().into_iter().chain(self.grace_ends).min()
    }

    #[cfg(test)]
    fn skip_to_deadline(&mut self, events: usize) {
        let idle = events == 0 && self.tasks.is_empty();
        let deadline = self.next_deadline().filter(|_| idle);
        if let (TimeSource::Simulated(now), Some(at)) = (&mut self.time, deadline) {
            *now = at.max(*now);
        }
    }

    fn note(&mut self, event: EpollEvent) {
        if event.data() == WAKE_UP {
            let all = self.shared.drain(|id| self.tasks.wake(id));
            if all {
                self.tasks.wake_all();
            }
            return;
        }
        let (id, source) = TaskId::from_token(event.data());
        self.tasks.report(id, source, Readiness::reported(event.events()));
    }

    pub(super) fn remove(&mut self, id: TaskId) {
        self.deadlines.set(id.index, None);
        self.tasks.remove(id);
    }

    /// Takes note of a stop that was asked for; true when what is left must be abandoned.
    pub(super) fn stop_is_over(&mut self) -> bool {
        let stop = self.shared.stop();
        if stop != StopLevel::No && self.grace_ends.is_none() {
            self.grace_ends = Some(self.time.now() + self.grace);
            self.tasks.wake_all();
        }
        stop == StopLevel::Now || self.grace_ends.is_some_and(|end| end <= self.now)
    }
}

impl<W> fmt::Debug for Context<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("tasks", &self.tasks.len())
            .field("current", &self.id())
            .field("stopping", &self.stopping())
            .finish_non_exhaustive()
    }
}
