//! Who is let in: so many clients in all, and of each source.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use barewire_core::source::Source;
use barewire_core::time::{Duration, Instant};
use barewire_linux::address::PeerAddress;
use barewire_linux::listener::{Permit, Semaphore};

use super::capacity::Capacity;
use super::penalties::{Pause, Penalties, Penalty};
use super::places::{Place, Places};
use super::source_table::SourceTable;

/// How many connections of a source are told that they are turned away, before others are closed without
/// a word.
const TURNED_AWAY: usize = 16;

/// Lets clients in, on any thread.
pub(crate) struct Admission {
    capacity: Capacity,
    places: Places,
    /// Of those who are told that they are turned away: each has a descriptor, too.
    told: Semaphore,
    /// How many of each source are served, and how many are told.
    served_by_source: SourceTable<AtomicUsize>,
    told_by_source: SourceTable<AtomicUsize>,
    penalties: Arc<Penalties>,
}

/// How a connection stands to the shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Served,
    /// There is no place for it, or its source is paused: it is to be told so.
    TurnedAway,
    /// So many more that not even that is said.
    Ignored,
}

/// Why a connection has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Obstacle {
    /// All places are taken.
    Full,
    /// All that its source may have are.
    SourceFull,
    /// The source's conversations keep failing: for so long nobody else from there is let in.
    Paused { left: Duration },
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("all places are taken"),
            Self::SourceFull => f.write_str("all places of its source are taken"),
            Self::Paused { left } => write!(f, "its source is paused for {}", in_seconds(*left)),
        }
    }
}

pub(super) fn in_seconds(time: Duration) -> Duration {
    Duration::from_secs(time.as_millis_ceil().div_ceil(1000))
}

/// A connection that was let in, or not, as long as it lasts.
pub(crate) struct Admitted {
    source: Source,
    /// The pause of its source in which it came.
    pub(super) pause: Option<Pause>,
    /// Why it has no place, if it has none.
    pub(super) obstacle: Option<Obstacle>,
    penalties: Option<Arc<Penalties>>,
    /// Given back before the place is, with which another of the source may come.
    count: Option<SourceCount>,
    pub(super) place: Option<Place>,
    told: Option<Permit>,
}

/// One connection of a source.
struct SourceCount(Arc<AtomicUsize>);

impl SourceCount {
    /// One more, of `most`.
    fn of(table: &SourceTable<AtomicUsize>, source: Source, most: usize) -> Option<Self> {
        let count = table.of(source, || AtomicUsize::new(0));
        let before = count.fetch_add(1, Ordering::Relaxed);
        Some(Self(count)).filter(|_| before < most)
    }
}

impl Drop for SourceCount {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Admission {
    /// Nobody is turned away for longer than `max_pause` because its conversations fail.
    pub(super) fn new(capacity: Capacity, max_pause: Duration) -> Self {
        Self {
            capacity,
            places: Places::new(capacity.clients, capacity.leaving),
            told: Semaphore::new(capacity.told),
            served_by_source: SourceTable::new(),
            told_by_source: SourceTable::new(),
            penalties: Arc::new(Penalties::new(max_pause)),
        }
    }

    /// Takes a place for a connection of `peer`, if it may have one.
    ///
    /// A user of this machine is never paused: that would turn away all who come through a proxy, which is one
    /// user, and whoever runs the machine has other means against its users.
    pub(crate) fn admit(&self, peer: PeerAddress, now: Instant) -> Admitted {
        let source = peer.source();
        let is_remote = matches!(peer, PeerAddress::Ip(_));
        let penalties = is_remote.then(|| Arc::clone(&self.penalties));
        let pause = penalties.as_ref().and_then(|penalties| penalties.arrive(source, now));
        let mut admitted = Admitted {
            source,
            pause,
            obstacle: None,
            penalties,
            count: None,
            place: None,
            told: None,
        };
        match self.find_place(source, pause) {
            Ok((count, place)) => (admitted.count, admitted.place) = (Some(count), Some(place)),
            Err(obstacle) => {
                if let (Some(penalties), Some(Pause { is_trial: true, .. })) =
                    (&admitted.penalties, pause)
                {
                    penalties.put_trial_back(source, now);
                }
                admitted.obstacle = Some(obstacle);
                admitted.count = SourceCount::of(&self.told_by_source, source, TURNED_AWAY);
                admitted.told = admitted.count.as_ref().and_then(|_| self.told.try_acquire());
            }
        }
        admitted
    }

    /// Whether the next should come in another turn: not before those who are here have had theirs.
    pub(super) fn is_full(&self) -> bool {
        self.places.are_full()
    }

    fn find_place(
        &self,
        source: Source,
        pause: Option<Pause>,
    ) -> Result<(SourceCount, Place), Obstacle> {
        if let Some(Pause { left, is_trial: false }) = pause {
            return Err(Obstacle::Paused { left });
        }
        let count = SourceCount::of(&self.served_by_source, source, self.capacity.per_source);
        let count = count.ok_or(Obstacle::SourceFull)?;
        let place = self.places.take().ok_or(Obstacle::Full)?;
        Ok((count, place))
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
        self.penalties.as_ref()?.add(self.source, penalty, now)
    }

    /// The conversation goes well.
    pub(super) fn clear_penalties(&self) {
        if let Some(penalties) = &self.penalties {
            penalties.clear(self.source);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::server::penalties::DEFAULT_MAX_PAUSE;

    use super::Standing::{Ignored, Served, TurnedAway};
    use super::*;

    const NOW: Instant = Instant::ZERO;

    fn admission(clients: usize, per_source: usize) -> Admission {
        let capacity = Capacity { clients, per_source, told: 32, leaving: 16, lingering: 16 };
        Admission::new(capacity, DEFAULT_MAX_PAUSE)
    }

    fn host(number: u8) -> PeerAddress {
        PeerAddress::Ip(([192, 0, 2, number], 7).into())
    }

    #[test]
    fn each_source_has_its_share_and_leaves_that_of_others() {
        let admission = admission(100, 2);
        let admit = |number| admission.admit(host(number), NOW);
        let mut held: Vec<_> = (0..20).map(|_| admit(1)).collect();
        let standings: Vec<_> = held.iter().map(Admitted::standing).collect();
        assert_eq!(standings[..3], [Served, Served, TurnedAway]);
        assert_eq!(standings[17..], [TurnedAway, Ignored, Ignored]);
        assert_eq!(admit(2).standing(), Served);
        // Those who are told have nobody's place.
        held.remove(0);
        assert_eq!(admit(1).standing(), Served);
    }

    #[test]
    fn who_is_paused_is_told_and_let_in_once_a_second() {
        let admission = admission(100, 50);
        let fail = |peer| {
            (0..100)
                .filter_map(|_| admission.admit(peer, NOW).penalize(Penalty::Failed, NOW))
                .count()
        };
        assert_eq!(fail(host(1)), 1);
        let second = NOW + Duration::from_secs(1);
        let held: Vec<_> = (0..18).map(|_| admission.admit(host(1), second)).collect();
        let standings: Vec<_> = held.iter().map(Admitted::standing).collect();
        assert_eq!(standings[..2], [Served, TurnedAway]);
        assert_eq!(standings[16..], [TurnedAway, Ignored]);
        assert_eq!(admission.admit(host(2), NOW).standing(), Served);
        held[0].clear_penalties();
        assert_eq!(admission.admit(host(1), second).standing(), Served);
        // Users of this machine are not.
        assert_eq!(fail(PeerAddress::User(1000)), 0);
    }

    /// Whoever finds one then is.
    #[test]
    fn who_is_let_in_once_a_second_and_finds_no_place_was_not_let_in() {
        for (clients, per_source, full) in [(1, 2, Obstacle::Full), (2, 1, Obstacle::SourceFull)] {
            let admission = admission(clients, per_source);
            let held = admission.admit(host(1), NOW);
            for _ in 0..100 {
                held.penalize(Penalty::Failed, NOW);
            }
            let second = NOW + Duration::from_secs(1);
            let admit = || admission.admit(host(1), second);
            assert_eq!([admit(), admit()].map(|it| it.obstacle), [Some(full); 2]);
            drop(held);
            let [first, other] = [admit(), admit()];
            assert_eq!(first.standing(), Served);
            assert!(
                matches!(other.obstacle, Some(Obstacle::Paused { .. })),
                "{:?}",
                other.obstacle
            );
        }
    }

    /// Who is told so takes no place.
    #[test]
    fn all_together_have_no_more_places_than_there_are() {
        let admission = admission(3, 2);
        let admit = |number| admission.admit(host(number), NOW);
        let held = [admit(1), admit(1), admit(1), admit(2), admit(3)];
        let standings = held.each_ref().map(Admitted::standing);
        assert_eq!(standings, [Served, Served, TurnedAway, Served, TurnedAway]);
        drop(held);
        assert_eq!(admit(4).standing(), Served);
    }
}
