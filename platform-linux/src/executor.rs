//! One thread, one epoll instance, many tasks.
//!
//! An [`Executor`] gives [`Task`]s turns. A task gets one when a file descriptor that it
//! [registered](Context::register) becomes ready, when its [deadline](Context::set_deadline)
//! passes, when somebody [wakes](Context::wake) it, and first of all when it is spawned. A turn is
//! short: a task that could go on asks for [another](Context::yield_now), and everybody else comes
//! first.
//!
//! # Rounds
//!
//! The executor works in rounds. Each begins with one `epoll_wait(2)` (which does not wait if a
//! task asked for another turn) and one reading of the clock, then gives every task concerned one
//! turn. No task gets two turns in a round, so one that always has work delays the others by one
//! turn a round, and never a deadline.
//!
//! # The state of a thread
//!
//! The tasks of an executor share a value of the type `W`, their *state*, which each turn borrows
//! mutably. So there is nothing to lock and nothing to count references to.
//!
//! # An example
//!
//! A task that counts three deadlines:
//!
//! ```
//! use std::task::Poll;
//!
//! use barewire_core::time::Duration;
//! use barewire_linux::executor::{Context, Executor, Task};
//!
//! struct Metronome {
//!     beats: u32,
//! }
//!
//! impl Task<Vec<u32>> for Metronome {
//!     fn turn(&mut self, state: &mut Vec<u32>, cx: &mut Context<'_, Vec<u32>>) -> Poll<()> {
//!         state.push(self.beats);
//!         if self.beats == 0 {
//!             return Poll::Ready(());
//!         }
//!         self.beats -= 1;
//!         cx.set_deadline(Some(cx.now() + Duration::from_millis(1)));
//!         Poll::Pending
//!     }
//! }
//!
//! let mut executor = Executor::new()?;
//! executor.spawn(Box::new(Metronome { beats: 3 }));
//! let mut state = Vec::new();
//! executor.run(&mut state)?;
//! assert_eq!(state, [3, 2, 1, 0]);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # The end
//!
//! [`run`](Executor::run) returns when no task is left (save those in the
//! [background](Context::set_background)). An orderly stop gives every task a turn in which
//! [`stopping`](Context::stopping) is true, and a grace to finish; what is left then is
//! [abandoned](Task::abandon).

mod buffers;
mod context;
mod deadlines;
mod readiness;
mod run_queue;
mod task_id;
#[cfg(test)]
mod tests;
mod waker;

use core::fmt;
use core::task::Poll;
use std::io;

use barewire_core::time::Duration;

pub use buffers::SCRATCH;
pub use context::{Context, GRACE, MAX_LINGERING, Task};
pub use readiness::Readiness;
pub use task_id::{EventSource, MAX_EVENT_SOURCES, TaskId};
pub use waker::Waker;

pub(crate) use waker::StopGroup;

use crate::clock::{Clock, TimeSource};

/// Gives [`Task`]s turns. The [module](self) tells how.
///
/// Tasks may borrow for `'t`; those that a task spawns in its turn must be `'static`.
pub struct Executor<'t, W> {
    cx: Context<'t, W>,
}

impl<'t, W> Executor<'t, W> {
    /// An executor without tasks.
    ///
    /// # Errors
    /// Those of `epoll_create1(2)` and `eventfd(2)`: no descriptor or no memory is left.
    pub fn new() -> io::Result<Self> {
        Self::in_group(Clock::start(), &StopGroup::new())
    }

    pub(crate) fn in_group(clock: Clock, group: &StopGroup) -> io::Result<Self> {
        Ok(Self { cx: Context::new(TimeSource::Real(clock), group)? })
    }

    /// An executor whose clock stands at zero and jumps to the next deadline whenever nothing is
    /// ready.
    #[cfg(test)]
    pub(crate) fn simulated() -> Self {
        let time = TimeSource::Simulated(barewire_core::time::Instant::ZERO);
        Self { cx: Context::new(time, &StopGroup::new()).unwrap() }
    }

    /// Wakes the task `id`, and gives turns until nothing more is ready at `now`. What `id` does in its
    /// own is `turn`; the last one's result is given. `idle` is a task that is woken all the time, so that
    /// the clock stands still.
    #[cfg(test)]
    pub(crate) fn turns_at<R>(
        &mut self,
        now: barewire_core::time::Instant,
        [id, idle]: [TaskId; 2],
        mut turn: impl FnMut(&mut Context<'t, W>) -> R,
    ) -> R
    where
        W: Default,
    {
        self.cx.time = TimeSource::Simulated(now);
        self.cx.wake(id);
        let (mut given, mut is_quiet) = (None, false);
        while !is_quiet {
            self.cx.wake(idle);
            self.cx.begin_round().unwrap();
            is_quiet = true;
            while let Some((current, mut task)) = self.cx.tasks.next_task() {
                is_quiet &= current == idle;
                if current == id {
                    given = Some(turn(&mut self.cx));
                } else if task.turn(&mut W::default(), &mut self.cx).is_ready() {
                    drop(task);
                    self.cx.remove(current);
                    continue;
                }
                self.cx.tasks.put_back(current, task);
            }
        }
        given.expect("it was woken")
    }

    #[cfg(test)]
    pub(crate) fn tasks(&self) -> usize {
        self.cx.tasks.len()
    }

    #[cfg(test)]
    pub(crate) fn next_deadline(&self) -> Option<barewire_core::time::Instant> {
        self.cx.next_deadline()
    }

    /// Changes how long an orderly stop waits for the tasks to finish; [`GRACE`] otherwise.
    pub fn set_grace(&mut self, grace: Duration) {
        self.cx.grace = grace;
    }

    /// Has a connection of a [link](crate::link::Link) that is to be closed wait no longer than that for
    /// the end of the peer's stream, where that is less than [`LINGER`](barewire_core::driver::LINGER).
    pub fn set_linger(&mut self, linger: Duration) {
        self.cx.linger = linger;
    }

    /// Changes how many connections wait so at once; [`MAX_LINGERING`] otherwise. Each keeps a descriptor, which a
    /// peer that never closes has for nothing.
    pub fn set_max_lingering(&mut self, count: usize) {
        self.cx.max_lingering = count;
    }

    /// Changes the size of the [scratch buffer](Context::scratch), in bytes, at least 1; [`SCRATCH`]
    /// otherwise. With a larger one a link reads more at once, which a digest of what it reads
    /// favours: each beginning and end of a read costs it some of its speed.
    pub fn set_scratch(&mut self, size: usize) {
        self.cx.buffers.set_scratch(size);
    }

    /// The clock's present reading, for a machine that is made before [`run`](Self::run).
    pub fn now(&self) -> barewire_core::time::Instant {
        self.cx.now()
    }

    /// Adds a task.
    pub fn spawn(&mut self, task: Box<dyn Task<W> + 't>) -> TaskId {
        self.cx.spawn(task)
    }

    /// A handle by which any thread can wake every task, or stop the executor.
    pub fn waker(&self) -> Waker {
        self.cx.executor_waker()
    }

    /// Gives the tasks turns until none is left, or until the grace of a stop is over.
    ///
    /// # Errors
    /// The one that a task has [failed](Context::fail) with, and those of `epoll_wait(2)`, which only
    /// a fault in this program can cause.
    pub fn run(&mut self, state: &mut W) -> io::Result<()> {
        while self.cx.tasks.has_foreground() {
            if self.cx.stop_is_over() {
                self.abandon(state);
                break;
            }
            self.cx.begin_round()?;
            while let Some((id, mut task)) = self.cx.tasks.next_task() {
                match task.turn(state, &mut self.cx) {
                    Poll::Pending => self.cx.tasks.put_back(id, task),
                    Poll::Ready(()) => {
                        drop(task);
                        self.cx.remove(id);
                    }
                }
            }
            if let Some(error) = self.cx.failure.take() {
                self.abandon(state);
                return Err(error);
            }
        }
        Ok(())
    }

    fn abandon(&mut self, state: &mut W) {
        for mut task in self.cx.tasks.drain() {
            task.abandon(state);
        }
    }
}

impl<W> fmt::Debug for Executor<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").field("cx", &self.cx).finish()
    }
}
