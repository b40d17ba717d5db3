//! File transfer.

mod clerk;
mod crash;
mod customer;
mod drip;
mod faults;
mod fetcher;
mod node;
mod nodes;
mod store;
mod tutorial;
mod watched;

use std::fmt::Debug;

use barewire_core::file::TransferConfig;
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::{Calamity, Direction, End, Fault, Outcome, Streams};

use clerk::Clerk;
use store::Store;

/// The shortest limit.
const SHORTEST: Duration = Duration::from_secs(4);

/// Limits of every kind, none of which a link without faults exceeds.
fn some_config(random: &mut Random) -> TransferConfig {
    let limit = SHORTEST..=Duration::from_secs(30);
    let (timeout, stall) = (random.span(limit.clone()), random.span(limit));
    TransferConfig::new().with_timeout(timeout).with_stall(stall)
}

/// Two directions that cut what goes through them, wide enough for `bytes` to pass quickly.
fn some_directions(random: &mut Random, bytes: usize) -> [Direction; 2] {
    [0, 1].map(|_| {
        let slowest = Duration::from_millis(100);
        let mut direction = Direction::cutting(random, slowest, 8 + bytes / 8);
        // Thousands of pieces show nothing that dozens do not.
        direction.piece = 1..=bytes.div_ceil(16).max(*direction.piece.end());
        direction
    })
}

/// How and when one side ended, and the last time that it got on.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ending<E> {
    outcome: Outcome<E>,
    at: Instant,
    moved_at: Instant,
}

impl<E: Debug> Ending<E> {
    /// Asserts that a side ended as soon after it had last got on as its limits say, or when it was
    /// given the processor again.
    fn assert_in_time(
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
