//! File transfer.

mod client;
mod crash;
mod downloader;
mod drip;
mod ending;
mod faults;
mod node;
mod nodes;
mod progress_tracker;
mod responder;
mod store;
mod tutorial;

use barewire_core::file::TransferConfig;
use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::Direction;

/// The shortest limit.
const SHORTEST: Duration = Duration::from_secs(4);

/// Limits of every kind, none of which a link without faults exceeds.
fn some_config(random: &mut Random) -> TransferConfig {
    let limit = SHORTEST..=Duration::from_secs(30);
    let (timeout, stall) = (random.span(limit.clone()), random.span(limit));
    let rate = random.pick(&[0, 1, 4]);
    TransferConfig::new().with_timeout(timeout).with_stall(stall).with_least_rate(rate)
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
