//! Work that several ask for, done once.

use core::hash::Hash;
use core::{error, fmt};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::pool::{Full, Job, QUEUE, Share};
use crate::executor::Waker;

/// Does work once for all who ask for the same meanwhile. What is the same, a key `K` tells; what comes of
/// it is a `T`, of which each gets a clone.
///
/// Its clones, on any thread, are the same.
pub struct SingleFlight<K, T> {
    flights: Flights<K, T>,
    joins: Joins,
}

/// Until when an asker is given what others have asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Joins {
    /// Until it begins.
    Queued,
    /// Until it is done.
    UnderWay,
}

type Flights<K, T> = Arc<Mutex<HashMap<K, Weak<Flight<T>>>>>;

/// One piece of work, which its askers hold.
struct Flight<T>(Mutex<Progress<T>>);

struct Progress<T> {
    outcome: Option<Result<T, Lost>>,
    waiting: Vec<Waker>,
}

/// The claim of one asker. When all are dropped, the work is not begun, or what does it is
/// [told](Interest::is_there).
#[must_use = "dropping the ticket withdraws the request"]
pub struct Ticket<T>(Arc<Flight<T>>);

/// Whether anybody still waits for what is being done.
pub struct Interest<T>(Weak<Flight<T>>);

/// The work ended without a result, by a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost;

impl<K, T> SingleFlight<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + 'static,
{
    /// Who asks for something gets the result of what is being done already: right for what stays as it
    /// is.
    pub fn new() -> Self {
        Self { flights: Arc::default(), joins: Joins::UnderWay }
    }

    /// Who asks for something gets what is begun after that only: right for what may have changed a
    /// moment ago. So the same is done at most twice at a time, however many ask.
    pub fn begun_later() -> Self {
        Self { joins: Joins::Queued, ..Self::new() }
    }

    /// Asks for what `key` stands for. If nobody has asked for it yet, `work` does it, at the expense of
    /// `share`. Work that takes long looks now and then whether anybody is [there](Interest::is_there)
    /// to have it; if not, what it gives is dropped.
    ///
    /// # Errors
    /// [`Full`]: too much work is waiting. `waker` is woken when that may have changed.
    pub fn ask(
        &self,
        share: &Share,
        key: K,
        waker: impl FnOnce() -> Waker,
        work: impl FnOnce(&Interest<T>) -> T + Send + 'static,
    ) -> Result<Ticket<T>, Full> {
        let mut flights = lock(&self.flights);
        if let Some(flight) = flights.get(&key).and_then(Weak::upgrade) {
            return Ok(Ticket(flight));
        }
        let place = share.reserve(waker)?;
        if flights.len() >= 2 * QUEUE {
            // Those that were given up before they began.
            flights.retain(|_, flight| flight.strong_count() > 0);
        }
        let progress = Progress { outcome: None, waiting: Vec::new() };
        let flight = Arc::new(Flight(Mutex::new(progress)));
        flights.insert(key.clone(), Arc::downgrade(&flight));
        drop(flights);
        place.submit(Box::new(SharedJob {
            key,
            interest: Interest(Arc::downgrade(&flight)),
            flights: Arc::clone(&self.flights),
            joins: self.joins,
            work,
        }));
        Ok(Ticket(flight))
    }
}

impl<K, T> Default for SingleFlight<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + 'static,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone> Ticket<T> {
    /// What came of it, once it is done; until then `waker` is to be woken when it is.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: it is not done yet. [`Lost`]: it never will be.
    pub fn poll(&self, waker: impl FnOnce() -> Waker) -> nb::Result<T, Lost> {
        let mut progress = lock(&self.0.0);
        if let Some(outcome) = &progress.outcome {
            return outcome.clone().map_err(nb::Error::Other);
        }
        let waker = waker();
        if !progress.waiting.iter().any(|waiting| waiting.will_wake(&waker)) {
            progress.waiting.push(waker);
        }
        Err(nb::Error::WouldBlock)
    }
}

impl<T> Interest<T> {
    /// Whether anybody is.
    pub fn is_there(&self) -> bool {
        self.0.strong_count() > 0
    }

    fn settle(&self, outcome: Result<T, Lost>) {
        let Some(flight) = self.0.upgrade() else { return };
        let mut progress = lock(&flight.0);
        progress.outcome.get_or_insert(outcome);
        progress.waiting.drain(..).for_each(|waker| waker.wake());
    }
}

/// What a thread of the pool does for a flight.
struct SharedJob<K, T, F> {
    key: K,
    interest: Interest<T>,
    flights: Flights<K, T>,
    joins: Joins,
    work: F,
}

impl<K, T, F> Job for SharedJob<K, T, F>
where
    K: Eq + Hash + Send,
    T: Send,
    F: FnOnce(&Interest<T>) -> T + Send,
{
    fn is_wanted(&self) -> bool {
        self.interest.is_there()
    }

    fn run(self: Box<Self>) {
        let Self { key, interest, flights, joins, work } = *self;
        // It is left at the latest when it is done, or lost.
        let entry = Entry { key, interest, flights };
        if !entry.interest.is_there() {
            return;
        }
        if joins == Joins::Queued {
            entry.leave();
        }
        let result = work(&entry.interest);
        entry.leave();
        entry.interest.settle(Ok(result));
    }
}

/// Where others find the flight.
struct Entry<K: Eq + Hash, T> {
    key: K,
    interest: Interest<T>,
    flights: Flights<K, T>,
}

impl<K: Eq + Hash, T> Entry<K, T> {
    /// Nobody joins from now on. Another flight may have the key by now.
    fn leave(&self) {
        let mut flights = lock(&self.flights);
        if flights.get(&self.key).is_some_and(|flight| flight.ptr_eq(&self.interest.0)) {
            flights.remove(&self.key);
        }
    }
}

impl<K: Eq + Hash, T> Drop for Entry<K, T> {
    fn drop(&mut self) {
        self.leave();
        self.interest.settle(Err(Lost));
    }
}

/// None of what these locks guard can be left half-changed by a panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K, T> Clone for SingleFlight<K, T> {
    fn clone(&self) -> Self {
        Self { flights: Arc::clone(&self.flights), joins: self.joins }
    }
}

impl<K, T> fmt::Debug for SingleFlight<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SingleFlight").field("joins", &self.joins).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Ticket<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_done = lock(&self.0.0).outcome.is_some();
        f.debug_struct("Ticket").field("is_done", &is_done).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for Interest<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Interest").field(&self.is_there()).finish()
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the thread that did it has failed")
    }
}

impl error::Error for Lost {}
