//! Contents that come so slowly that a time limit is always about to be over, and never is.

use barewire_core::file::TransferConfig;
use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{Direction, Outcome, Streams};

use super::SHORTEST;
use super::client::{ClientConnection, State, wishes};
use super::responder::Responder;
use super::store::Store;

/// The longest gap between two pieces: with the server's own slowness, less than the limit.
const GAP: Duration = Duration::from_millis(3_400);

#[test]
fn as_long_as_anything_comes_nothing_is_late() {
    for_seeds(150, |seed, sometimes| {
        let mut random = Random::new(seed);
        let mut store = Store::new(&mut random);
        store.changes = 0;
        let mut wishes = wishes(&mut random, &store);
        let config = TransferConfig::new().with_timeout(SHORTEST).with_stall(SHORTEST);
        let config = config.with_least_rate(0);
        let bytes = store.bytes();
        let drip = Direction {
            delay: Duration::ZERO..=GAP,
            piece: 1..=1 + bytes / 16,
            window: 8 + bytes / 16,
        };
        let mut streams = Streams::new(random.fork());
        let ends = streams.connect([drip, Direction::SMOOTH], None);
        let start = streams.now();
        let mut responder = Responder::new(start, random, config);
        let mut visit = ClientConnection::new(start, &mut wishes, config);
        while let Some(end) = streams.advance() {
            if end == ends[0] {
                responder.turn(&mut streams, end, &mut store);
            } else {
                visit.turn(&mut streams, end, &store);
            }
        }
        let at_client = visit.ending.expect("a client that waits for ever");
        assert_eq!(at_client.outcome, Outcome::Closed);
        assert_eq!(responder.ending.map(|ending| ending.outcome), Some(Outcome::Closed));
        assert!(wishes.iter().all(|wish| wish.state != State::Wanted));
        sometimes.note("longer than the limit", at_client.at > start + SHORTEST * 2);
    });
}
