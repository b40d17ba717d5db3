//! How many clients a stream server has at once: as was chosen, or as there are descriptors for.

use std::num::NonZero;

use barewire_linux::resource_limits;

/// The part of the places that one source has at most is one of so many, unless that was chosen.
const SOURCES: usize = 4;

/// What a server has open besides its sockets: standard streams, the signals, a folder or a log; and what it opens for a
/// moment.
const OWN: usize = 12;

/// What each of its threads has open: of its executor, and one connection that has been accepted in this moment.
const OWN_OF_THREAD: usize = 4;

/// What was chosen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientLimits {
    pub(crate) clients: Option<NonZero<usize>>,
    pub(crate) per_source: PerSource,
    /// How many descriptors each client takes.
    pub(crate) descriptors_each: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum PerSource {
    /// A share that leaves places for others.
    Share,
    /// So many, unless that would leave no places for others.
    AtMost(usize),
    Chosen(usize),
}

/// How many clients are served at once, and what else the descriptors are for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Capacity {
    pub(super) clients: usize,
    /// From one source.
    pub(super) per_source: usize,
    /// Of those who are told that they are turned away.
    pub(super) told: usize,
    /// Of those who have lost their place to another, and are still there.
    pub(super) leaving: usize,
    /// On each thread, of those whose conversation is over, and who have not closed yet.
    pub(super) lingering: usize,
}

impl Capacity {
    /// Of a server with so many threads, and listeners on all of them. To be called once the limit on descriptors is
    /// raised.
    pub(super) fn new(limits: ClientLimits, threads: usize, listeners: usize) -> Self {
        let limit = resource_limits::descriptor_limit().unwrap_or(1024);
        Self::within(limit, limits, threads.max(1), listeners)
    }

    fn within(limit: usize, limits: ClientLimits, threads: usize, listeners: usize) -> Self {
        let own = OWN + threads * OWN_OF_THREAD + listeners;
        let rest = limit.saturating_sub(own);
        let told = (rest / 16).clamp(2, 256);
        let leaving = (rest / 32).clamp(1, 128);
        let lingering = (rest / 32 / threads).clamp(1, 128);
        let possible = rest.saturating_sub(told + leaving + lingering * threads);
        let clients =
            limits.clients.map_or((possible / limits.descriptors_each.max(1)).max(1), NonZero::get);
        // One source has all only where there is but one.
        let most = (clients - clients / SOURCES).min(clients - 1).max(1);
        let per_source = match limits.per_source {
            PerSource::Chosen(count) => count,
            PerSource::AtMost(count) => count.min(most),
            // Who bounds the clients has no crowd in mind, and few sources.
            PerSource::Share if limits.clients.is_some() => most,
            PerSource::Share => clients.div_ceil(SOURCES),
        };
        Self { clients, per_source, told, leaving, lingering }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(limit: usize, clients: usize, per_source: PerSource) -> Capacity {
        let clients = NonZero::new(clients);
        Capacity::within(limit, ClientLimits { clients, per_source, descriptors_each: 2 }, 1, 1)
    }

    #[test]
    fn what_is_not_chosen_leaves_room_for_the_server_on_all_its_threads() {
        for limit in [64, 256, 1024, 1 << 20] {
            for threads in [1, 2, 8, 32].into_iter().filter(|threads| threads * 6 < limit / 2) {
                let limits = ClientLimits {
                    clients: None,
                    per_source: PerSource::Share,
                    descriptors_each: 2,
                };
                let Capacity { clients, told, leaving, lingering, .. } =
                    Capacity::within(limit, limits, threads, threads);
                let all = 2 * clients + told + leaving + lingering * threads;
                // As it was seen: five for each thread with its listener.
                assert!(all + 12 + 5 * threads <= limit, "{limit} {threads}: {all}");
                assert!(10 * clients > limit, "{limit} {threads}: {clients}");
            }
        }
    }

    #[test]
    fn a_source_leaves_places_for_others_unless_it_is_chosen_to_have_all() {
        let per_source = |clients, per_source| capacity(1024, clients, per_source).per_source;
        for (clients, most) in [(1, 1), (2, 1), (3, 2), (4, 3), (8, 6), (100, 75)] {
            assert_eq!(per_source(clients, PerSource::Share), most);
            assert_eq!(per_source(clients, PerSource::AtMost(1000)), most);
            assert_eq!(per_source(clients, PerSource::AtMost(1)), 1);
            assert_eq!(per_source(clients, PerSource::Chosen(1000)), 1000);
        }
        let all = capacity(1024, 0, PerSource::Share);
        assert!(3 * all.per_source <= all.clients);
    }
}
