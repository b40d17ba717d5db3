//! A bound on how many clients are served at once.

use core::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::executor::Waker;

/// Lets a bounded number of clients in at once. Its clones, on any thread, share the bound.
#[derive(Clone)]
pub struct Semaphore(Arc<Inner>);

struct Inner {
    free: AtomicUsize,
    /// Somebody is in `queue`; saves each released permit the lock.
    waited_for: AtomicBool,
    queue: Mutex<Vec<Waker>>,
}

/// The right to serve one client; dropping it lets the next one in.
#[must_use = "dropping the permit lets the next client in"]
pub struct Permit(Arc<Inner>);

impl Semaphore {
    /// A semaphore that lets `clients` in at once.
    pub fn new(clients: usize) -> Self {
        Self(Arc::new(Inner {
            free: AtomicUsize::new(clients),
            waited_for: AtomicBool::new(false),
            queue: Mutex::default(),
        }))
    }

    /// A permit, if one is free.
    pub fn try_acquire(&self) -> Option<Permit> {
        let free = &self.0.free;
        free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |free| free.checked_sub(1)).ok()?;
        Some(Permit(Arc::clone(&self.0)))
    }

    /// Whether no permit is free at this moment.
    pub fn is_exhausted(&self) -> bool {
        self.0.free.load(Ordering::SeqCst) == 0
    }

    /// A permit, or else `waker` is woken when one has been released. It may find that another has
    /// taken it.
    pub fn acquire_or_wake(&self, waker: impl FnOnce() -> Waker) -> Option<Permit> {
        if let Some(permit) = self.try_acquire() {
            return Some(permit);
        }
        let waker = waker();
        let mut queue = self.0.queue();
        if !queue.iter().any(|queued| queued.will_wake(&waker)) {
            queue.push(waker);
        }
        drop(queue);
        self.0.waited_for.store(true, Ordering::SeqCst);
        // A permit that was released before the store has woken nobody.
        self.try_acquire()
    }
}

impl Inner {
    fn queue(&self) -> MutexGuard<'_, Vec<Waker>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.free.fetch_add(1, Ordering::SeqCst);
        if self.0.waited_for.swap(false, Ordering::SeqCst) {
            self.0.queue().drain(..).for_each(|waker| waker.wake());
        }
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore").field("free", &self.0.free).finish_non_exhaustive()
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Permit")
    }
}
