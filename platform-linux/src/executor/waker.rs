//! Reaching an executor from outside: waking its tasks, and stopping it.

use core::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use nix::sys::eventfd::{EfdFlags, EventFd};

use super::TaskId;

/// How far the end of a group of executors has been asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(super) enum StopLevel {
    /// Not at all.
    No,
    /// Finish what is under way, within the grace.
    Orderly,
    /// End at once.
    Now,
}

/// Reaches one executor from any thread; cheap to clone.
///
/// The one that [`Context::waker`](super::Context::waker) gives wakes the task that asked for it,
/// the one that [`Executor::waker`](super::Executor::waker) gives wakes every task. Both stop the
/// whole executor, and with it those that [`threads::run`](crate::threads::run) started together.
#[derive(Clone)]
pub struct Waker {
    shared: Arc<Shared>,
    task: Option<TaskId>,
}

impl Waker {
    pub(super) fn new(shared: &Arc<Shared>, task: Option<TaskId>) -> Self {
        Self { shared: Arc::clone(shared), task }
    }

    /// Gives the task a turn soon (every task, if the waker is the executor's own). Waking one that
    /// has ended does nothing; waking it twice before its turn gives one turn.
    pub fn wake(&self) {
        match self.task {
            Some(id) => lock(&self.shared.woken).push(id),
            None => self.shared.all_woken.store(true, Ordering::Release),
        }
        self.shared.notify();
    }

    /// Whether both wake the same: the same task, or all tasks of the same executor.
    pub fn will_wake(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared) && self.task == other.task
    }

    /// Starts the orderly stop: every task gets a turn in which
    /// [`stopping`](super::Context::stopping) is true, and has the grace to finish. Asking again
    /// changes nothing.
    pub fn stop(&self) {
        self.shared.group.request(StopLevel::Orderly);
    }

    /// Ends the grace: what is left is [abandoned](super::Task::abandon) at once.
    pub fn stop_now(&self) {
        self.shared.group.request(StopLevel::Now);
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Waker").field("task", &self.task).finish_non_exhaustive()
    }
}

/// The side of an executor that other threads may touch.
pub(super) struct Shared {
    /// Registered edge-triggered, so each write wakes and none needs to be read back.
    eventfd: EventFd,
    /// The eventfd has been written to since the last drain: doing it again would be a wasted system
    /// call.
    signalled: AtomicBool,
    woken: Mutex<Vec<TaskId>>,
    all_woken: AtomicBool,
    group: StopGroup,
}

impl Shared {
    pub(super) fn new(group: &StopGroup) -> io::Result<Arc<Self>> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let shared = Arc::new(Self {
            eventfd: EventFd::from_flags(flags)?,
            signalled: AtomicBool::new(false),
            woken: Mutex::default(),
            all_woken: AtomicBool::new(false),
            group: group.clone(),
        });
        lock(&group.0.members).push(Arc::downgrade(&shared));
        Ok(shared)
    }

    pub(super) fn eventfd(&self) -> &EventFd {
        &self.eventfd
    }

    /// Takes note of the signal, then hands over what was woken: the tasks by `each`; true if it was
    /// all of them. In this order a waker that comes in between signals again; and one that found it
    /// signalled has its writes seen, since this reads what it wrote last (`swap`, not `store`).
    pub(super) fn drain(&self, each: impl FnMut(TaskId)) -> bool {
        self.signalled.swap(false, Ordering::SeqCst);
        lock(&self.woken).drain(..).for_each(each);
        self.all_woken.swap(false, Ordering::AcqRel)
    }

    pub(super) fn stop(&self) -> StopLevel {
        self.group.level()
    }

    pub(super) fn request(&self, stop: StopLevel) {
        self.group.request(stop);
    }

    fn notify(&self) {
        if !self.signalled.swap(true, Ordering::SeqCst) {
            // The counter would have to reach 2^64 - 1 for this to fail (`eventfd(2)`).
            let _ = self.eventfd.write(1);
        }
    }
}

/// Executors that stop together.
#[derive(Clone)]
pub(crate) struct StopGroup(Arc<Group>);

struct Group {
    level: AtomicU8,
    members: Mutex<Vec<Weak<Shared>>>,
}

impl StopGroup {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Group {
            level: AtomicU8::new(StopLevel::No as u8),
            members: Mutex::default(),
        }))
    }

    pub(crate) fn stop(&self) {
        self.request(StopLevel::Orderly);
    }

    fn request(&self, stop: StopLevel) {
        if self.0.level.fetch_max(stop as u8, Ordering::AcqRel) < stop as u8 {
            lock(&self.0.members).iter().filter_map(Weak::upgrade).for_each(|one| one.notify());
        }
    }

    fn level(&self) -> StopLevel {
        match self.0.level.load(Ordering::Acquire) {
            0 => StopLevel::No,
            1 => StopLevel::Orderly,
            _ => StopLevel::Now,
        }
    }
}

/// None of what these locks guard can be left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
