//! Places for clients, of which there are so many, and who gives up theirs when there are none.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use barewire_core::time::Instant;
use barewire_linux::executor::Waker;
use barewire_linux::listener::{Permit, Semaphore};

/// All places; its clones, on any thread, are the same.
#[derive(Clone)]
pub(crate) struct Places(Arc<Inner>);

struct Inner {
    free: Semaphore,
    offered: Mutex<Offered>,
}

/// Places of who does nothing with them, the longest idle first.
struct Offered {
    next: u64,
    all: BTreeMap<Offer, (Permit, Waker)>,
    /// How many more may lose their place before one of those who have is gone: until then each has its
    /// descriptor.
    leaving: usize,
}

/// Since when its holder has been idle, and a number that makes it one of a kind.
type Offer = (Instant, u64);

/// The place of one client, until it is dropped or taken.
pub(crate) struct Place {
    places: Places,
    state: State,
}

enum State {
    Held(Permit),
    Offered(Offer),
    Taken,
}

impl Places {
    /// So many; and of those who lose theirs to another, `leaving` are still there at most.
    pub(crate) fn new(count: usize, leaving: usize) -> Self {
        let offered = Offered { next: 0, all: BTreeMap::new(), leaving };
        Self(Arc::new(Inner { free: Semaphore::new(count), offered: Mutex::new(offered) }))
    }

    /// A place that is free; or else the one of who has been idle for longest, who is woken, and is to leave
    /// at once.
    pub(crate) fn take(&self) -> Option<Place> {
        let permit = self.0.free.try_acquire().or_else(|| {
            let mut offered = self.offered();
            let leaving = offered.leaving.checked_sub(1)?;
            let (_, (permit, waker)) = offered.all.pop_first()?;
            offered.leaving = leaving;
            waker.wake();
            Some(permit)
        });
        permit.map(|permit| Place { places: self.clone(), state: State::Held(permit) })
    }

    /// Whether none is free: then who has one and does nothing is to have a turn, so that it offers its own, or
    /// leaves.
    pub(crate) fn are_full(&self) -> bool {
        self.0.free.is_exhausted()
    }

    fn offered(&self) -> MutexGuard<'_, Offered> {
        // Nothing in it can be left half-changed by a panic.
        self.0.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Whoever finds no other place may take this one, which has been idle since `idle_since`, until it is
    /// [kept](Self::keep); then `waker` is woken.
    pub(crate) fn offer(&mut self, idle_since: Instant, waker: impl FnOnce() -> Waker) {
        self.state = match std::mem::replace(&mut self.state, State::Taken) {
            State::Held(permit) => {
                let mut offered = self.places.offered();
                let offer = (idle_since, offered.next);
                offered.next += 1;
                offered.all.insert(offer, (permit, waker()));
                State::Offered(offer)
            }
            other => other,
        };
    }

    /// Whether nobody has taken it: then it is offered no more.
    pub(crate) fn keep(&mut self) -> bool {
        if let State::Offered(offer) = self.state {
            let kept = self.places.offered().all.remove(&offer);
            self.state = kept.map_or(State::Taken, |(permit, _)| State::Held(permit));
        }
        !matches!(self.state, State::Taken)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.keep() {
            self.places.offered().leaving += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use barewire_core::time::Duration;
    use barewire_linux::executor::Executor;

    use super::*;

    fn at(second: u64) -> Instant {
        Instant::ZERO + Duration::from_secs(second)
    }

    #[test]
    fn the_longest_idle_gives_up_first_and_only_when_none_is_free() {
        let executor = Executor::<()>::new().unwrap();
        let waker = || executor.waker();
        let places = Places::new(3, 1);
        let mut held: Vec<_> = iter::from_fn(|| places.take()).collect();
        assert_eq!(held.len(), 3);
        for (number, idle_since) in [(0, 2), (2, 3), (1, 1)] {
            held[number].offer(at(idle_since), waker);
        }
        // A second offer changes nothing, nor does a turn in which nothing came; and who keeps its place is
        // asked no more.
        held[1].offer(at(9), waker);
        assert!(held[1].keep());
        held[1].offer(at(1), waker);
        assert!(held[0].keep());
        let taken = places.take().unwrap();
        assert_eq!(held.iter_mut().map(Place::keep).collect::<Vec<_>>(), [true, false, true]);
        assert!(places.take().is_none());
        drop(held);
        assert_eq!(iter::from_fn(|| places.take()).collect::<Vec<_>>().len(), 2);
        drop(taken);
        assert!(places.take().is_some());
    }

    #[test]
    fn a_place_that_is_offered_and_dropped_is_free_once() {
        let executor = Executor::<()>::new().unwrap();
        let places = Places::new(1, 1);
        let mut place = places.take().unwrap();
        place.offer(at(0), || executor.waker());
        drop(place);
        let _held = places.take().unwrap();
        assert!(places.take().is_none());
    }

    /// Else whoever connects fast enough has as many descriptors as it likes.
    #[test]
    fn only_so_many_who_have_lost_their_places_are_still_there() {
        let executor = Executor::<()>::new().unwrap();
        let places = Places::new(5, 2);
        let mut held: Vec<_> = iter::from_fn(|| places.take()).collect();
        for place in &mut held {
            place.offer(at(0), || executor.waker());
        }
        let taken: Vec<_> = iter::from_fn(|| places.take()).collect();
        assert_eq!(taken.len(), 2);
        // One of them leaves, and so one more may lose its place.
        drop(held.remove(0));
        assert!(places.take().is_some());
        // That one had no use for it, and it is free.
        assert_eq!(iter::from_fn(|| places.take()).collect::<Vec<_>>().len(), 1);
        drop(held);
        drop(taken);
        assert_eq!(iter::from_fn(|| places.take()).collect::<Vec<_>>().len(), 5);
    }
}
