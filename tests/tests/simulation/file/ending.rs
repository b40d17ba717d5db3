//! How a side of a connection ended.

use std::fmt::Debug;

use barewire_core::file::TransferConfig;
use barewire_core::time::Instant;
use barewire_tests::simulator::stream::{Calamity, End, Fault, Outcome, Streams};

/// How and when one side ended, and the last time that it got on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending<E> {
    pub(super) outcome: Outcome<E>,
    pub(super) at: Instant,
    pub(super) moved_at: Instant,
}

impl<E: Debug> Ending<E> {
    /// Asserts that a side ended as soon after it had last got on as its limits say, or when it was
    /// given the processor again.
    pub(super) fn assert_in_time(
        &self,
        config: TransferConfig,
        streams: &Streams,
        end: (End, usize),
        fault: Fault,
    ) {
        let (end, side) = end;
        let limit = self.moved_at + config.timeout.max(config.stall);
        let latest = match (fault.what, streams.struck_at(end)) {
            (Calamity::Stall { side: stalled, lasting }, Some(at)) if stalled == side => {
                limit.max(at + lasting)
            }
            _ => limit,
        };
        assert!(self.at <= latest, "{self:?} after {latest:?}");
    }
}
