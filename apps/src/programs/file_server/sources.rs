//! What each source of clients may have of the disk, the processors and the network.

use std::num::NonZero;
use std::sync::Arc;

use barewire_core::source::Source;
use barewire_linux::workers::{Share, WorkerPool};

use crate::server::source_table::SourceTable;

use super::pacer::{Pace, Pacer};

/// What is allowed to sources.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceLimits {
    /// How many bytes of contents one may be sent each second.
    pub(super) rate: Option<NonZero<u64>>,
    /// How many all may together.
    pub(super) total_rate: Option<NonZero<u64>>,
}

/// All sources that are connected.
#[derive(Debug)]
pub(super) struct Sources {
    pool: WorkerPool,
    limits: SourceLimits,
    /// For all of them together.
    pacer: Option<Arc<Pacer>>,
    table: SourceTable<SourceShare>,
}

/// What the connections of one source share.
#[derive(Debug)]
pub(super) struct SourceShare {
    /// Of the threads that do what is waited for.
    pub(super) share: Share,
    pacer: Option<Arc<Pacer>>,
}

impl Sources {
    pub(super) fn new(pool: WorkerPool, limits: SourceLimits) -> Self {
        let pacer = limits.total_rate.map(Pacer::new).map(Arc::new);
        Self { pool, limits, pacer, table: SourceTable::new() }
    }

    /// That of a connection from `address`.
    pub(super) fn of(&self, address: Source) -> Arc<SourceShare> {
        self.table.of(address, || {
            let pacer = self.limits.rate.map(Pacer::new).map(Arc::new);
            SourceShare { share: self.pool.share(), pacer }
        })
    }

    /// The limits on what a connection is sent.
    pub(super) fn pace(&self, source: &SourceShare) -> Pace {
        Pace::new(self.pacer.iter().chain(&source.pacer).cloned())
    }
}
