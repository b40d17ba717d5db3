//! The threads, and the queue in front of them.

use core::{error, fmt, mem};
use std::collections::VecDeque;
use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::executor::Waker;

/// How many jobs wait for a thread at most.
pub const QUEUE: usize = 1024;

/// How many of one [`Share`] do.
pub const SHARE_QUEUE: usize = 256;

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);

/// A bounded number of threads with a bounded queue. Its clones are the same; with the last of them the
/// threads end, each after the job that it has.
#[derive(Clone)]
pub struct WorkerPool(Arc<Owner>);

/// Apart from what the threads hold, so that they know when nobody can give them work any more.
struct Owner(Arc<Pool>);

struct Pool {
    threads: usize,
    /// How many threads work for one share at a time.
    per_share: usize,
    queue: Mutex<Queue>,
    work_came: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Queued>,
    /// How many places are taken: by the jobs, and by those that are about to come.
    taken: usize,
    threads: usize,
    /// How many of the threads wait for work.
    idle: usize,
    closed: bool,
    /// Who found the queue full.
    waiting: Vec<Waker>,
}

struct Queued {
    share: Arc<Usage>,
    job: Box<dyn Job>,
}

/// What one share has of the pool; changed only under the queue's lock.
#[derive(Default)]
struct Usage {
    queued: AtomicUsize,
    running: AtomicUsize,
}

/// Something for a thread to do.
pub(super) trait Job: Send {
    /// Whether anybody still wants it done.
    fn is_wanted(&self) -> bool;
    fn run(self: Box<Self>);
}

/// What one source of work may use of a [`WorkerPool`]: [`SHARE_QUEUE`] places in the queue, and half of
/// the threads. Its clones are the same share.
#[derive(Clone)]
pub struct Share {
    pool: WorkerPool,
    usage: Arc<Usage>,
}

/// The queue is full, as a whole or for this share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl WorkerPool {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.0.lock()
    }

    /// A pool of at most `threads`. None is started before there is work, so what the thread that asks
    /// for it is confined to holds for it, too (`landlock(7)`).
    pub fn new(threads: NonZero<usize>) -> Self {
        let threads = threads.get();
        let (queue, work_came) = (Mutex::default(), Condvar::new());
        let pool = Pool { threads, per_share: threads.div_ceil(2), queue, work_came };
        Self(Arc::new(Owner(Arc::new(pool))))
    }

    /// How many jobs wait for a thread.
    pub fn queued(&self) -> usize {
        self.lock().jobs.len()
    }

    /// Another share.
    pub fn share(&self) -> Share {
        Share { pool: self.clone(), usage: Arc::default() }
    }
}

/// The right to put one job in the queue.
pub(super) struct Place<'a> {
    share: &'a Share,
    is_used: bool,
}

impl Share {
    /// Takes a place in the queue; or else `waker` is woken when one may be free.
    pub(super) fn reserve(&self, waker: impl FnOnce() -> Waker) -> Result<Place<'_>, Full> {
        let mut queue = self.pool.lock();
        if !queue.has_room(&self.usage) {
            queue.drop_unwanted();
        }
        if !queue.has_room(&self.usage) {
            queue.waiting.push(waker());
            return Err(Full);
        }
        queue.taken += 1;
        self.usage.queued.fetch_add(1, Ordering::Relaxed);
        Ok(Place { share: self, is_used: false })
    }
}

impl Place<'_> {
    /// Puts a job there. Where there can be no thread at all, it is done before this returns.
    pub(super) fn submit(mut self, job: Box<dyn Job>) {
        self.is_used = true;
        let pool = &self.share.pool.0.0;
        let mut queue = pool.lock();
        queue.jobs.push_back(Queued { share: Arc::clone(&self.share.usage), job });
        if queue.jobs.len() <= queue.idle || queue.threads == pool.threads {
            drop(queue);
            pool.work_came.notify_one();
            return;
        }
        queue.threads += 1;
        drop(queue);
        let started = Arc::clone(pool);
        let thread = thread::Builder::new().name("worker".into());
        if thread.spawn(move || started.work(true)).is_err() {
            let mut queue = pool.lock();
            if queue.threads == 1 {
                drop(queue);
                pool.work(false);
            } else {
                queue.threads -= 1;
            }
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_used {
            self.share.pool.lock().free(&self.share.usage);
        }
    }
}

impl Queue {
    fn has_room(&self, share: &Usage) -> bool {
        self.taken < QUEUE && share.queued.load(Ordering::Relaxed) < SHARE_QUEUE
    }

    fn free(&mut self, share: &Usage) {
        self.taken -= 1;
        share.queued.fetch_sub(1, Ordering::Relaxed);
        self.waiting.drain(..).for_each(|waker| waker.wake());
    }

    fn drop_unwanted(&mut self) {
        for queued in mem::take(&mut self.jobs) {
            if queued.job.is_wanted() {
                self.jobs.push_back(queued);
            } else {
                self.free(&queued.share);
            }
        }
    }

    /// Takes the first job whose share has not all the threads that it may have.
    fn take(&mut self, per_share: usize) -> Option<Queued> {
        let may_run = |queued: &Queued| queued.share.running.load(Ordering::Relaxed) < per_share;
        let at = self.jobs.iter().position(may_run)?;
        let queued = self.jobs.remove(at)?;
        self.free(&queued.share);
        queued.share.running.fetch_add(1, Ordering::Relaxed);
        Some(queued)
    }
}

impl Pool {
    /// What a thread does, until there is nothing to do: for a while if it `stays`.
    fn work(&self, stays: bool) {
        let mut queue = self.lock();
        loop {
            if let Some(Queued { share, job }) = queue.take(self.per_share) {
                drop(queue);
                // Whoever waits for it is told that it was lost, and has nobody else to tell.
                let _ = catch_unwind(AssertUnwindSafe(|| job.run()));
                queue = self.lock();
                share.running.fetch_sub(1, Ordering::Relaxed);
                continue;
            }
            if !stays || queue.closed {
                break;
            }
            queue.idle += 1;
            let waited = self.work_came.wait_timeout(queue, IDLE);
            let (woken, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
            queue = woken;
            queue.idle -= 1;
            if timeout.timed_out() && queue.jobs.is_empty() {
                break;
            }
        }
        queue.threads -= 1;
    }

    /// Nothing that it guards can be left half-changed by a panic.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work_came.notify_all();
    }
}

impl fmt::Debug for WorkerPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let queue = self.lock();
        f.debug_struct("WorkerPool")
            .field("threads", &queue.threads)
            .field("queued", &queue.jobs.len())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("queued", &self.usage.queued)
            .field("running", &self.usage.running)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too much work is waiting")
    }
}

impl error::Error for Full {}
