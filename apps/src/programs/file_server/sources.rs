//! Who asks: what each source has of the server.

use std::collections::HashMap;
use std::net::IpAddr;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use barewire_linux::address;
use barewire_linux::workers::{Share, WorkerPool};

use super::pacer::{Pace, Pacer};

/// How many sources are known before those that are gone are looked for.
const SWEPT_FROM: usize = 64;

/// What is allowed to sources.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceLimits {
    /// How many connections of one are served at once.
    pub(super) connections: usize,
    /// How many bytes of contents one may be sent each second.
    pub(super) rate: Option<NonZero<u64>>,
    /// How many all may together.
    pub(super) total_rate: Option<NonZero<u64>>,
}

/// How many connections of a source are told that the server is busy, at least, before others are closed
/// without a word.
const TURNED_AWAY: usize = 16;

/// All sources that are connected. A source is an IPv4 address, or an IPv6 network of 64 bits.
#[derive(Debug)]
pub(super) struct Sources {
    pool: WorkerPool,
    limits: SourceLimits,
    /// For all of them together.
    pacer: Option<Arc<Pacer>>,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    sources: HashMap<IpAddr, Weak<Source>>,
    swept_from: usize,
}

/// What the connections of one source share.
#[derive(Debug)]
pub(super) struct Source {
    connections: AtomicUsize,
    /// Of the threads that do what is waited for.
    pub(super) share: Share,
    pacer: Option<Arc<Pacer>>,
}

/// One connection of a source, as long as it lasts.
#[derive(Debug)]
pub(super) struct SourcePlace {
    pub(super) source: Arc<Source>,
    pub(super) standing: Standing,
}

/// How a connection stands to the share of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Served,
    /// Beyond the share: it is told that the server is busy.
    TurnedAway,
    /// So many more that not even that is said.
    Ignored,
}

impl Sources {
    pub(super) fn new(pool: WorkerPool, limits: SourceLimits) -> Self {
        let table = Table { sources: HashMap::new(), swept_from: SWEPT_FROM };
        let pacer = limits.total_rate.map(Pacer::new).map(Arc::new);
        Self { pool, limits, pacer, table: Mutex::new(table) }
    }

    /// Takes a place for a connection from `address`.
    pub(super) fn enter(&self, address: IpAddr) -> SourcePlace {
        let source = self.source(address::source(address));
        let before = source.connections.fetch_add(1, Ordering::Relaxed);
        let most = self.limits.connections;
        let standing = if before < most {
            Standing::Served
        } else if before - most < most.max(TURNED_AWAY) {
            Standing::TurnedAway
        } else {
            Standing::Ignored
        };
        SourcePlace { source, standing }
    }

    /// The limits on what a connection is sent.
    pub(super) fn pace(&self, place: &SourcePlace) -> Pace {
        Pace::new(self.pacer.iter().chain(&place.source.pacer).cloned())
    }

    fn source(&self, address: IpAddr) -> Arc<Source> {
        // Nothing in it can be left half-changed by a panic.
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let Table { sources, swept_from } = &mut *table;
        if let Some(source) = sources.get(&address).and_then(Weak::upgrade) {
            return source;
        }
        if sources.len() >= *swept_from {
            sources.retain(|_, source| source.strong_count() > 0);
            *swept_from = (2 * sources.len()).max(SWEPT_FROM);
        }
        let (connections, share) = (AtomicUsize::new(0), self.pool.share());
        let pacer = self.limits.rate.map(Pacer::new).map(Arc::new);
        let source = Arc::new(Source { connections, share, pacer });
        sources.insert(address, Arc::downgrade(&source));
        source
    }
}

impl Drop for SourcePlace {
    fn drop(&mut self) {
        self.source.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Standing::{Ignored, Served, TurnedAway};
    use super::*;

    fn sources(connections: usize) -> Sources {
        let limits = SourceLimits { connections, rate: None, total_rate: None };
        Sources::new(WorkerPool::new(NonZero::<usize>::MIN), limits)
    }

    #[test]
    fn each_source_has_its_share_and_leaves_that_of_others() {
        let sources = sources(2);
        let enter = |address: &str| sources.enter(address.parse().unwrap());
        let mut held: Vec<_> = (0..20).map(|_| enter("192.0.2.1")).collect();
        let standings: Vec<_> = held.iter().map(|place| place.standing).collect();
        assert_eq!(standings[..3], [Served, Served, TurnedAway]);
        assert_eq!(standings[17..], [TurnedAway, Ignored, Ignored]);
        assert_eq!(enter("192.0.2.2").standing, Served);
        held.truncate(1);
        assert_eq!(enter("192.0.2.1").standing, Served);
        // Addresses that one host can have count together.
        let held = [enter("2001:db8::1"), enter("2001:db8::2")];
        assert_eq!(enter("2001:db8::3").standing, TurnedAway);
        assert_eq!(enter("2001:db8:0:1::3").standing, Served);
        drop(held);
    }

    #[test]
    fn who_is_gone_is_forgotten() {
        let sources = sources(1);
        let held: Vec<_> =
            (0..100_u32).map(|number| sources.enter(IpAddr::V4(number.into()))).collect();
        drop(held);
        for number in 1000..2000_u32 {
            drop(sources.enter(IpAddr::V4(number.into())));
        }
        let known = sources.table.lock().unwrap().sources.len();
        assert!(known <= 300, "{known}");
    }
}
