//! Who is let in: so many clients in all, and of each source.

use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_linux::listener::{Permit, Semaphore};
use barewire_linux::resource_limits;

use super::penalties::{Penalties, Penalty};
use super::places::{Place, Places};
use super::source_table::SourceTable;

/// The part of the places that one source has at most is one of so many, unless that was chosen.
const SOURCES: usize = 4;

/// How many descriptors are kept for everything but clients at most.
const RESERVED: usize = 128;

/// How many connections of a source are told that they are turned away, before others are closed without
/// a word.
const TURNED_AWAY: usize = 16;

/// How many clients are served at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capacity {
    pub(crate) clients: usize,
    /// From one source.
    pub(crate) per_source: usize,
}

impl Capacity {
    /// As chosen; or else as many as there are descriptors for, with so many each, and a share of that
    /// for each source.
    pub(crate) fn new(
        clients: Option<NonZero<usize>>,
        per_source: Option<NonZero<usize>>,
        descriptors_each: usize,
    ) -> Self {
        let limit = resource_limits::descriptor_limit().unwrap_or(1024);
        let possible = (limit - reserved(limit)) / descriptors_each.max(1);
        let count = clients.map_or(possible.max(1), NonZero::get);
        let share = match clients {
            // Who bounds them has no crowd in mind, and few sources.
            Some(_) => count - count / SOURCES,
            None => count.div_ceil(SOURCES),
        };
        Self { clients: count, per_source: per_source.map_or(share, NonZero::get) }
    }
}

fn reserved(limit: usize) -> usize {
    (limit / 2).min(RESERVED)
}

/// Lets clients in, on any thread.
pub(crate) struct Admission {
    capacity: Capacity,
    places: Places,
    /// Of those who are told that they are turned away: each has a descriptor, too.
    told: Semaphore,
    sources: SourceTable<AtomicUsize>,
    penalties: Arc<Penalties>,
}

/// How a connection stands to the shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Served,
    /// There is no place for it: it is to be told so.
    TurnedAway,
    /// So many more that not even that is said.
    Ignored,
}

/// A connection that was let in, or not, as long as it lasts.
pub(crate) struct Admitted {
    source: Source,
    penalties: Arc<Penalties>,
    /// Given back before the place is, with which another of the source may come.
    _source: SourceCount,
    pub(super) place: Option<Place>,
    told: Option<Permit>,
}

/// One connection of a source.
struct SourceCount(Arc<AtomicUsize>);

impl Drop for SourceCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    /// Nobody is turned away for longer than `max_pause` because its conversations fail.
    pub(crate) fn new(capacity: Capacity, max_pause: Duration) -> Self {
        let limit = resource_limits::descriptor_limit().unwrap_or(1024);
        Self {
            capacity,
            places: Places::new(capacity.clients),
            told: Semaphore::new(reserved(limit) / 4),
            sources: SourceTable::new(),
            penalties: Arc::new(Penalties::new(max_pause)),
        }
    }

    /// How much longer nobody is let in from `source`, if its conversations keep failing.
    pub(crate) fn paused_for(&self, source: Source, now: Instant) -> Option<Duration> {
        self.penalties.paused_for(source, now)
    }

    /// Takes a place for a connection of `source`, if it may have one.
    pub(crate) fn admit(&self, source: Source) -> Admitted {
        let count = self.sources.of(source, || AtomicUsize::new(0));
        let before = count.fetch_add(1, Ordering::Relaxed);
        let most = self.capacity.per_source;
        let place = if before < most { self.places.take() } else { None };
        let is_told = place.is_none() && before.saturating_sub(most) < TURNED_AWAY;
        let told = if is_told { self.told.try_acquire() } else { None };
        let penalties = Arc::clone(&self.penalties);
        Admitted { source, penalties, _source: SourceCount(count), place, told }
    }
}

impl Admitted {
    pub(crate) fn standing(&self) -> Standing {
        match (&self.place, &self.told) {
            (Some(_), _) => Standing::Served,
            (None, Some(_)) => Standing::TurnedAway,
            (None, None) => Standing::Ignored,
        }
    }

    /// The conversation went wrong. Gives the pause of its source, if one begins.
    pub(super) fn penalize(&self, penalty: Penalty, now: Instant) -> Option<Duration> {
        self.penalties.add(self.source, penalty, now)
    }

    /// The conversation goes well.
    pub(super) fn clear_penalties(&self) {
        self.penalties.clear(self.source);
    }
}

#[cfg(test)]
mod tests {
    use barewire_linux::address::read_source;

    use super::Standing::{Ignored, Served, TurnedAway};
    use super::*;

    fn admission(clients: usize, per_source: usize) -> Admission {
        Admission::new(Capacity { clients, per_source }, Duration::ZERO)
    }

    #[test]
    fn each_source_has_its_share_and_leaves_that_of_others() {
        let admission = admission(100, 2);
        let admit = |host: &str| admission.admit(read_source(host).unwrap());
        let mut held: Vec<_> = (0..20).map(|_| admit("192.0.2.1")).collect();
        let standings: Vec<_> = held.iter().map(Admitted::standing).collect();
        assert_eq!(standings[..3], [Served, Served, TurnedAway]);
        assert_eq!(standings[17..], [TurnedAway, Ignored, Ignored]);
        assert_eq!(admit("192.0.2.2").standing(), Served);
        held.truncate(1);
        assert_eq!(admit("192.0.2.1").standing(), Served);
    }

    /// Who is told so takes no place.
    #[test]
    fn all_together_have_no_more_places_than_there_are() {
        let admission = admission(3, 2);
        let admit = |number: u64| admission.admit(Source(number));
        let held = [admit(1), admit(1), admit(1), admit(2), admit(3)];
        let standings = held.each_ref().map(Admitted::standing);
        assert_eq!(standings, [Served, Served, TurnedAway, Served, TurnedAway]);
        drop(held);
        assert_eq!(admit(4).standing(), Served);
    }

    #[test]
    fn what_is_not_chosen_leaves_room_for_others_and_for_the_server() {
        let capacity = |clients, per_source| {
            let number = |it: usize| NonZero::new(it);
            Capacity::new(number(clients), number(per_source), 2)
        };
        let Capacity { clients, per_source } = capacity(0, 0);
        let limit = resource_limits::descriptor_limit().unwrap();
        assert!(clients > 0 && 2 * clients < limit && 3 * per_source <= clients.max(3));
        assert_eq!(capacity(8, 0).per_source, 6);
        assert_eq!(capacity(1, 0).per_source, 1);
        assert_eq!(capacity(0, 7).per_source, 7);
    }
}
