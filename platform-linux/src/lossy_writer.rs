//! Writing lines without ever waiting: a bounded queue, and a thread that writes what is in it.
//!
//! A disk that is slow, a pipe that nobody reads and a terminal that is held keep whoever writes to them
//! waiting, and no look beforehand can exclude it. A [`LossyWriter`] has a thread of its own wait. What
//! comes while the queue is full is left out; how many lines that were is told in their place as soon as
//! something can be written again.

mod queue;
#[cfg(test)]
mod tests;

use core::{fmt, mem};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;

use barewire_core::time::Duration;
use queue::{Queue, Thread, count_lines};

/// So much is written at once where there is no thread that could wait: a pipe that has room has room for
/// that (`PIPE_BUF`, `pipe(7)`).
const PIECE: usize = 2048;

/// How often a thread that waits for room looks whether it is to wait for another.
const LOOK: Duration = Duration::from_secs(1);

/// How often the end asks whether to wait on.
const FINISH_LOOK: Duration = Duration::from_millis(20);

/// Where the lines of a [`LossyWriter`] go. All is called on its thread.
pub trait Sink: Send + 'static {
    /// Writes some of `bytes`, which are not empty, and tells how many: at least one. It may wait.
    ///
    /// # Errors
    /// Why what it was given cannot be written. After [`Interrupted`](io::ErrorKind::Interrupted) it is
    /// asked again, after [`WouldBlock`](io::ErrorKind::WouldBlock) when there is room.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Waits until there is room for a write, for `timeout` at most, and tells whether there is.
    ///
    /// # Errors
    /// As for [`write`](Self::write).
    fn is_writable(&self, timeout: Duration) -> io::Result<bool>;

    /// The line that stands in the place of `count` lines that were lost, with its line feed; none if that
    /// is told elsewhere, which is to be done now.
    fn note_lost(&mut self, count: u64) -> Option<String>;

    /// Takes note of an error by which `lines` were lost. Gives how many of them
    /// [`note_lost`](Self::note_lost) is to tell of.
    fn failed(&mut self, error: &io::Error, lines: u64) -> u64;

    /// Opens anew what it writes to ([`LossyWriter::reopen`]).
    fn reopen(&mut self) {}
}

/// Writes lines to a [`Sink`], on a thread of its own, which is started for the first of them. The clones
/// are the same writer; once all are gone the thread ends, when it has written what was queued.
///
/// Where there can be no thread, it writes by itself as much as does not wait, whenever it is called.
pub struct LossyWriter<S>(Arc<Owner<S>>);

/// Apart from what the thread holds, so that it knows when nobody writes any more.
struct Owner<S>(Arc<Shared<S>>);

struct Shared<S> {
    capacity: usize,
    queue: Mutex<Queue>,
    /// There is something to do.
    work_came: Condvar,
    /// There is nothing to do any more.
    work_done: Condvar,
    /// With the thread, or here as long as there is none.
    worker: Mutex<Option<Worker<S>>>,
}

impl<S: Sink> LossyWriter<S> {
    /// A writer to `sink`, for which `capacity` bytes are queued at most; as many again may be under way.
    pub fn new(sink: S, capacity: usize) -> Self {
        let (piece, at, omitted, [reopen, is_note, is_torn]) = (Vec::new(), 0, 0, [false; 3]);
        let worker = Worker { sink, piece, at, omitted, reopen, is_note, is_torn };
        Self(Arc::new(Owner(Arc::new(Shared {
            capacity,
            queue: Mutex::default(),
            work_came: Condvar::new(),
            work_done: Condvar::new(),
            worker: Mutex::new(Some(worker)),
        }))))
    }

    /// Queues `lines`, each of which ends in a line feed. It never waits: what finds no room is left out.
    pub fn write(&self, lines: &[u8]) {
        self.submit(|queue, capacity| queue.push(lines, capacity));
    }

    /// Has the sink [reopened](Sink::reopen) behind what is queued, or earlier if that finds no room.
    pub fn reopen(&self) {
        self.submit(|queue, _| queue.reopen = true);
    }

    /// Waits until all is written, as long as `goes_on`, and tells how many lines are not. It asks every 20 ms,
    /// and has waited for so long when it asks first.
    pub fn finish(&self, mut goes_on: impl FnMut() -> bool) -> u64 {
        let shared = &self.0.0;
        loop {
            let is_refused = shared.lock().thread == Thread::Refused;
            let is_blocked = is_refused && shared.write_here(FINISH_LOOK);
            let is_busy = |queue: &mut Queue| queue.thread == Thread::Busy;
            let waited =
                shared.work_done.wait_timeout_while(shared.lock(), FINISH_LOOK.into(), is_busy);
            let (queue, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            if !(waited.timed_out() || is_blocked) || !goes_on() {
                return queue.unwritten();
            }
        }
    }

    fn submit(&self, change: impl FnOnce(&mut Queue, usize)) {
        let shared = &self.0.0;
        let mut queue = shared.lock();
        change(&mut queue, shared.capacity);
        match queue.thread {
            Thread::Busy => {}
            Thread::Idle => {
                queue.thread = Thread::Busy;
                drop(queue);
                shared.work_came.notify_one();
            }
            Thread::Unneeded => {
                queue.thread = Thread::Busy;
                drop(queue);
                let working = Arc::clone(shared);
                let thread = thread::Builder::new().name("writer".into());
                if thread.spawn(move || working.work()).is_err() {
                    shared.lock().thread = Thread::Refused;
                    shared.write_here(Duration::ZERO);
                }
            }
            Thread::Refused => {
                drop(queue);
                shared.write_here(Duration::ZERO);
            }
        }
    }
}

impl<S: Sink> Shared<S> {
    /// What the thread does.
    fn work(&self) {
        let Some(mut worker) = lock(&self.worker).take() else { return };
        loop {
            worker.run(self, None);
            let mut queue = self.lock();
            while !queue.has_work() {
                if queue.closed {
                    return;
                }
                queue.thread = Thread::Idle;
                self.work_done.notify_all();
                queue = self.work_came.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Does what can be done without waiting for longer than `timeout` for each piece. Without one it is
    /// left to another who is at it. Tells whether something finds no room.
    fn write_here(&self, timeout: Duration) -> bool {
        loop {
            let mut worker = match self.worker.try_lock() {
                Ok(worker) => worker,
                Err(TryLockError::WouldBlock) if timeout.is_zero() => return true,
                Err(_) => lock(&self.worker),
            };
            let is_blocked = worker.as_mut().is_none_or(|it| !it.run(self, Some(timeout)));
            drop(worker);
            // Something may have been left to this one since it looked.
            if is_blocked || !self.lock().has_work() {
                return is_blocked;
            }
        }
    }
}

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

/// Who writes.
struct Worker<S> {
    sink: S,
    /// What is being written, and how far it is.
    piece: Vec<u8>,
    at: usize,
    /// How many lines were left out behind it.
    omitted: u64,
    /// The sink is to be reopened behind it.
    reopen: bool,
    /// It tells of lines that were lost.
    is_note: bool,
    /// What was written last is no whole line.
    is_torn: bool,
}

impl<S: Sink> Worker<S> {
    /// Writes what there is; with a `timeout`, until it would have to wait for longer. Tells whether that
    /// was all.
    fn run(&mut self, shared: &Shared<S>, timeout: Option<Duration>) -> bool {
        while self.at < self.piece.len() || self.begin(shared) {
            match self.write(timeout) {
                Ok(0) => self.fail(shared, &io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.at += count;
                    self.is_torn = self.piece[self.at - 1] != b'\n';
                    if self.at == self.piece.len() {
                        self.end(&mut shared.lock());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if timeout.is_some() {
                        return false;
                    }
                    self.wait(shared);
                }
                Err(error) => self.fail(shared, &error),
            }
        }
        true
    }

    fn write(&mut self, timeout: Option<Duration>) -> io::Result<usize> {
        let rest = &self.piece[self.at..];
        let Some(timeout) = timeout else { return self.sink.write(rest) };
        if !self.sink.is_writable(timeout)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.sink.write(&rest[..rest.len().min(PIECE)])
    }

    /// Waits for room, or until the sink is to be reopened.
    fn wait(&mut self, shared: &Shared<S>) {
        // An error is the next write's as well.
        if self.sink.is_writable(LOOK).unwrap_or(true) {
            return;
        }
        if !(mem::take(&mut shared.lock().reopen) | mem::take(&mut self.reopen)) {
            return;
        }
        self.sink.reopen();
        if self.is_torn {
            // The rest of a line is none.
            let rest = &self.piece[self.at..];
            self.at +=
                rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |end| end + 1);
            self.omitted += u64::from(!self.is_note);
            if self.at == self.piece.len() {
                self.end(&mut shared.lock());
            }
        }
    }

    /// Takes what is to be written next; false if there is nothing.
    fn begin(&mut self, shared: &Shared<S>) -> bool {
        (self.at, self.is_note) = (0, false);
        self.piece.clear();
        loop {
            let mut queue = shared.lock();
            if !self.reopen && !queue.has_work() {
                return false;
            }
            if self.reopen || queue.reopen && (queue.failing || queue.bytes.is_empty()) {
                (self.reopen, queue.reopen, queue.failing) = (false, false, false);
                drop(queue);
                self.sink.reopen();
            } else if queue.lost > 0 {
                queue.under_way = mem::take(&mut queue.lost);
                let lost = queue.under_way;
                drop(queue);
                let Some(note) = self.sink.note_lost(lost) else {
                    shared.lock().under_way = 0;
                    continue;
                };
                if self.is_torn {
                    self.piece.push(b'\n');
                }
                self.piece.extend_from_slice(note.as_bytes());
                self.is_note = true;
                return true;
            } else if queue.bytes.is_empty() {
                queue.lost = mem::take(&mut queue.omitted);
            } else {
                mem::swap(&mut queue.bytes, &mut self.piece);
                self.omitted = mem::take(&mut queue.omitted);
                self.reopen = mem::take(&mut queue.reopen);
                queue.under_way = count_lines(&self.piece) + self.omitted;
                return true;
            }
        }
    }

    /// The piece is written.
    fn end(&mut self, queue: &mut Queue) {
        queue.lost += mem::take(&mut self.omitted);
        (queue.under_way, queue.failing) = (0, false);
    }

    /// The rest of the piece is lost. With a note, what it was to stand before is lost in its place.
    fn fail(&mut self, shared: &Shared<S>, error: &io::Error) {
        let mut queue = shared.lock();
        let lines = if self.is_note {
            queue.lost += mem::take(&mut queue.under_way);
            count_lines(&mem::take(&mut queue.bytes)) + mem::take(&mut queue.omitted)
        } else {
            count_lines(&self.piece[self.at..]) + mem::take(&mut self.omitted)
        };
        queue.failing = true;
        drop(queue);
        let told_later = self.sink.failed(error, lines);
        let mut queue = shared.lock();
        queue.lost += told_later;
        queue.under_way = 0;
        self.at = self.piece.len();
    }
}

impl<S> Drop for Owner<S> {
    fn drop(&mut self) {
        self.0.lock().closed = true;
        self.0.work_came.notify_one();
    }
}

impl<S> Clone for LossyWriter<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S> fmt::Debug for LossyWriter<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LossyWriter").field("queue", &*self.0.0.lock()).finish_non_exhaustive()
    }
}

/// None of what these locks guard can be left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
