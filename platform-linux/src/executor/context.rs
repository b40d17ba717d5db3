//! What a task may ask of its executor.

use core::{fmt, mem};
use std::collections::VecDeque;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use barewire_core::time::{Duration, Instant};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use slab::Slab;

use super::buffers::Buffers;
use super::deadlines::Deadlines;
use super::task_id::{MAX_SOURCES, Source, TaskId, WAKE_UP};
use super::waker::{Shared, StopGroup, StopLevel, Waker};
use super::{Readiness, Task};
use crate::clock::TimeSource;

/// How many reports one `epoll_wait(2)` takes; what does not fit comes with the next.
const EVENTS: usize = 256;

/// What a task may ask of its executor during its turn.
pub struct Context<'t, W> {
    epoll: Epoll,
    pub(super) time: TimeSource,
    now: Instant,
    pub(super) slots: Slab<Slot<'t, W>>,
    deadlines: Deadlines,
    /// The tasks to run in this round, each once.
    queue: VecDeque<u32>,
    /// The tasks to run in the next.
    next: VecDeque<u32>,
    round: u64,
    generation: u32,
    pub(super) current: TaskId,
    /// How many tasks keep the executor running.
    pub(super) foreground: usize,
    shared: Arc<Shared>,
    pub(super) grace: Duration,
    grace_ends: Option<Instant>,
    /// Why the executor cannot go on.
    pub(super) failure: Option<io::Error>,
    events: Vec<EpollEvent>,
    pub(super) buffers: Buffers,
}

/// A task and what the executor knows of it.
pub(super) struct Slot<'t, W> {
    /// Absent during its turn.
    pub(super) task: Option<Box<dyn Task<W> + 't>>,
    generation: u32,
    /// It waits in one of the queues.
    queued: bool,
    background: bool,
    /// The round of its last turn.
    round: u64,
    /// Which of its sources are in use, a bit each.
    sources: u8,
    ready: [Readiness; MAX_SOURCES],
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
            slots: Slab::new(),
            deadlines: Deadlines::default(),
            queue: VecDeque::new(),
            next: VecDeque::new(),
            round: 1,
            generation: 0,
            current: TaskId { index: u32::MAX, generation: 0 },
            foreground: 0,
            shared,
            grace: super::GRACE,
            grace_ends: None,
            failure: None,
            events: vec![EpollEvent::empty(); EVENTS],
            buffers: Buffers::new(),
        })
    }

    /// The running task's name.
    pub fn id(&self) -> TaskId {
        self.current
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
    /// [`MAX_SOURCES`].
    pub fn register(&mut self, fd: impl AsFd, interest: Readiness) -> io::Result<Source> {
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
    ) -> io::Result<Source> {
        self.watch(fd, interest.interest().difference(EpollFlags::EPOLLET))
    }

    fn watch(&mut self, fd: impl AsFd, flags: EpollFlags) -> io::Result<Source> {
        let slot = &mut self.slots[self.current.index as usize];
        let free = slot.sources.trailing_ones();
        let source = u8::try_from(free).ok().filter(|&source| usize::from(source) < MAX_SOURCES);
        let source = Source(source.ok_or(io::ErrorKind::OutOfMemory)?);
        let mut event = EpollEvent::new(flags, self.current.token(source));
        match self.epoll.add(&fd, event) {
            // Left behind by a task that ended without closing a file that others share.
            Err(Errno::EEXIST) => self.epoll.modify(&fd, &mut event)?,
            result => result?,
        }
        slot.sources |= 1 << source.0;
        slot.ready[usize::from(source.0)] = Readiness::NONE;
        Ok(source)
    }

    /// Changes what `source` is watched for; `fd` must be the one it was registered with. What is
    /// ready now is reported anew.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)`.
    pub fn modify(&self, source: Source, fd: impl AsFd, interest: Readiness) -> io::Result<()> {
        let mut event = EpollEvent::new(interest.interest(), self.current.token(source));
        Ok(self.epoll.modify(fd, &mut event)?)
    }

    /// Stops watching `source`; `fd` must be the one it was registered with. Needed before closing
    /// a descriptor whose file stays open elsewhere, and to use the source's place again.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)`. The place is free in any case.
    pub fn deregister(&mut self, source: Source, fd: impl AsFd) -> io::Result<()> {
        self.release(source);
        Ok(self.epoll.delete(fd)?)
    }

    /// Frees the place of a `source` whose file is closed, or is about to be: closing it ends the
    /// watch without a system call of its own.
    pub fn release(&mut self, source: Source) {
        self.slots[self.current.index as usize].sources &= !(1 << source.0);
    }

    /// What has been reported of `source` and not yet cleared.
    pub fn readiness(&self, source: Source) -> Readiness {
        self.slots[self.current.index as usize].ready[usize::from(source.0)]
    }

    /// Forgets that `source` is ready for `what`. To be called when an operation on it says
    /// `EAGAIN`: only from then on is another report certain.
    pub fn clear(&mut self, source: Source, what: Readiness) {
        let ready = &mut self.slots[self.current.index as usize].ready[usize::from(source.0)];
        *ready = ready.without(what);
    }

    /// Asks for a turn at `at` (or soon after: waits are rounded up to the millisecond of
    /// `epoll_wait(2)`), in place of the deadline that the task had. Its passing removes it.
    pub fn set_deadline(&mut self, at: Option<Instant>) {
        self.deadlines.set(self.current.index, at);
    }

    /// Asks for a turn in the next round, after everybody else's: the budget of this one is used
    /// up, and there is more to do.
    pub fn yield_now(&mut self) {
        self.enqueue(self.current.index);
    }

    /// Gives another task a turn soon: in this round if it has not had one, else in the next. Cheap
    /// (no system call), however often a task is woken before it runs. Waking one that has ended
    /// does nothing.
    pub fn wake(&mut self, id: TaskId) {
        if self.slots.get(id.index as usize).is_some_and(|slot| slot.generation == id.generation) {
            self.enqueue(id.index);
        }
    }

    /// Adds a task; its first turn comes in this round.
    ///
    /// # Panics
    /// If the executor already has 2²⁸ tasks.
    pub fn spawn(&mut self, task: Box<dyn Task<W> + 't>) -> TaskId {
        self.generation = self.generation.wrapping_add(1);
        let index = self.slots.insert(Slot {
            task: Some(task),
            generation: self.generation,
            queued: false,
            background: false,
            round: 0,
            sources: 0,
            ready: [Readiness::NONE; MAX_SOURCES],
        });
        assert!(index < 1 << 28, "more tasks than an event can name");
        #[expect(clippy::cast_possible_truncation, reason = "checked above")]
        let index = index as u32;
        self.foreground += 1;
        self.enqueue(index);
        TaskId { index, generation: self.generation }
    }

    /// Makes the running task one that serves the others and does not keep the executor running by
    /// itself: a signal handler, a reporter.
    pub fn set_background(&mut self) {
        let slot = &mut self.slots[self.current.index as usize];
        if !mem::replace(&mut slot.background, true) {
            self.foreground -= 1;
        }
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
        Waker::new(&self.shared, Some(self.current))
    }

    pub(super) fn executor_waker(&self) -> Waker {
        Waker::new(&self.shared, None)
    }

    fn enqueue(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        if !mem::replace(&mut slot.queued, true) {
            let queue = if slot.round == self.round { &mut self.next } else { &mut self.queue };
            queue.push_back(index);
        }
    }

    fn wake_all(&mut self) {
        let indices: Vec<usize> = self.slots.iter().map(|(index, _)| index).collect();
        for index in indices {
            self.enqueue(u32::try_from(index).unwrap_or(u32::MAX));
        }
    }

    /// Begins a round: waits until something is to be done, and queues the tasks concerned.
    pub(super) fn begin_round(&mut self) -> io::Result<()> {
        self.queue.append(&mut self.next);
        self.round += 1;
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
            self.enqueue(index);
        }
        Ok(())
    }

    fn epoll_timeout(&self) -> EpollTimeout {
        if !self.queue.is_empty() {
            return EpollTimeout::ZERO;
        }
        let Some(at) = self.next_deadline() else {
            return EpollTimeout::NONE;
        };
        match self.time {
            TimeSource::Real(clock) => {
                let millis = at.duration_since(clock.now()).as_millis_ceil();
                EpollTimeout::try_from(millis).unwrap_or(EpollTimeout::MAX)
            }
            #[cfg(test)]
            TimeSource::Simulated(_) => EpollTimeout::ZERO,
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next().into_iter().chain(self.grace_ends).min()
    }

    #[cfg(test)]
    fn skip_to_deadline(&mut self, events: usize) {
        let idle = events == 0 && self.queue.is_empty();
        let deadline = self.next_deadline().filter(|_| idle);
        if let (TimeSource::Simulated(now), Some(at)) = (&mut self.time, deadline) {
            *now = at.max(*now);
        }
    }

    /// Notes what epoll reports and queues the task concerned. A task that has ended since is
    /// recognised by its generation, even if another has its slot by now.
    fn note(&mut self, event: EpollEvent) {
        if event.data() == WAKE_UP {
            let shared = Arc::clone(&self.shared);
            if shared.drain(|id| self.wake(id)) {
                self.wake_all();
            }
            return;
        }
        let (id, source) = TaskId::from_token(event.data());
        if let Some(slot) = self.slots.get_mut(id.index as usize)
            && slot.generation == id.generation
            && slot.sources & 1 << source.0 != 0
        {
            slot.ready[usize::from(source.0)] |= Readiness::reported(event.events());
            self.enqueue(id.index);
        }
    }

    /// The next task of this round, taken out of its slot for its turn.
    pub(super) fn next_task(&mut self) -> Option<(TaskId, Box<dyn Task<W> + 't>)> {
        loop {
            let index = self.queue.pop_front()?;
            // A task that was abandoned in between has left its number behind.
            let Some(slot) = self.slots.get_mut(index as usize) else { continue };
            slot.queued = false;
            slot.round = self.round;
            let id = TaskId { index, generation: slot.generation };
            if let Some(task) = slot.task.take() {
                self.current = id;
                return Some((id, task));
            }
        }
    }

    pub(super) fn put_back(&mut self, id: TaskId, task: Box<dyn Task<W> + 't>) {
        self.slots[id.index as usize].task = Some(task);
    }

    /// Frees the slot of a task that has ended.
    pub(super) fn remove(&mut self, id: TaskId) {
        self.deadlines.set(id.index, None);
        let slot = self.slots.remove(id.index as usize);
        if slot.queued {
            self.queue.retain(|&index| index != id.index);
            self.next.retain(|&index| index != id.index);
        }
        if !slot.background {
            self.foreground -= 1;
        }
    }

    /// Takes note of a stop that was asked for; true when what is left must be abandoned.
    pub(super) fn stop_is_over(&mut self) -> bool {
        let stop = self.shared.stop();
        if stop != StopLevel::No && self.grace_ends.is_none() {
            self.grace_ends = Some(self.time.now() + self.grace);
            self.wake_all();
        }
        stop == StopLevel::Now || self.grace_ends.is_some_and(|end| end <= self.now)
    }
}

impl<W> fmt::Debug for Context<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context")
            .field("now", &self.now)
            .field("tasks", &self.slots.len())
            .field("current", &self.current)
            .field("stopping", &self.stopping())
            .finish_non_exhaustive()
    }
}
