//! One source that stays over its rate, and one that does not.

use barewire_core::datagram::{Action, DropReason, Rate, Reply, ResponderConfig};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::datagrams::{Arrival, Conditions, Datagrams};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

use super::{address, responder};

const SECOND: Duration = Duration::from_secs(1);

/// How long a source may stay over its rate, and how long it is muted then: the figures that the
/// protocol promises, not whatever the core has.
const PATIENCE: Duration = Duration::from_secs(10);
const MUTE: Duration = Duration::from_secs(60);

/// Why a source was not answered, or that it was.
type Said = Option<DropReason>;

/// Runs a noisy and a polite source against one responder for as long as it takes to be muted and
/// forgiven. Returns what the noisy one's datagrams led to; the polite one is always answered.
fn flood(random: &mut Random, rate: u32) -> Vec<(Instant, Said)> {
    let delay = Duration::ZERO..=Duration::from_millis(100);
    let conditions = Conditions { delay, loss: 0, doubling: 0, refuses: false };
    let mut network = Datagrams::new(random.fork(), conditions);
    let server = address(1, 8080);
    let config = ResponderConfig::new().with_rate(Rate::PerSecond(rate));
    let mut responder = responder(server, Reply::Text(b"pong"), config);
    // Over the rate in every second, however its datagrams bunch up under way.
    let noisy = (address(2, 50_000), Duration::from_micros(1_000_000 / (4 * u64::from(rate))));
    let polite = (address(3, 50_000), SECOND + SECOND);
    let end = network.now() + PATIENCE + MUTE + SECOND + SECOND + SECOND;
    network.bind(server);
    for (socket, _) in [noisy, polite] {
        network.bind(socket);
        network.wake(socket, network.now());
    }

    let mut outcomes = Vec::new();
    while let Some((socket, arrival)) = network.advance() {
        let now = network.now();
        if let Some(datagram) = arrival.datagram().filter(|_| socket == server) {
            let said = match responder.handle_datagram(now, datagram) {
                Action::Reply(_) => None,
                Action::Drop(why) => Some(why),
                other => panic!("{other:?}"),
            };
            if datagram.source == noisy.0 {
                outcomes.push((now, said));
            } else {
                assert_eq!(said, None, "the polite one suffers for the noisy one");
            }
        } else if arrival == Arrival::Time && now < end {
            let pace = if socket == noisy.0 { noisy.1 } else { polite.1 };
            network.send(socket, server, b"ping");
            network.wake(socket, now + pace);
        }
    }
    outcomes
}

#[test]
fn who_stays_over_the_rate_is_muted_and_forgiven() {
    for_seeds(250, |seed, sometimes| {
        let mut random = Random::new(seed);
        let rate = random.pick(&[1, 2, 3]);
        let outcomes = flood(&mut random, rate);
        let first = |why| {
            let mut cases = outcomes.iter().filter(|(_, said)| *said == Some(why));
            (cases.next().expect("it is over its rate for long").0, cases.next().is_some())
        };
        let (over, _) = first(DropReason::OverRate);
        let (muted, is_noted_twice) = first(DropReason::MutedNow);
        assert!(!is_noted_twice, "one note for the operator");
        // The rate goes on being granted until then, so the mute comes with the next excess.
        let patience = muted.duration_since(over);
        assert!((PATIENCE..=PATIENCE + SECOND).contains(&patience), "muted after {patience}");

        let mut later = outcomes.iter().filter(|(at, _)| *at > muted);
        let (forgiven, said) = later.find(|(_, said)| *said != Some(DropReason::Muted)).unwrap();
        assert_eq!(*said, None, "the first datagram after the mute is answered");
        let mute = forgiven.duration_since(muted);
        assert!((MUTE..=MUTE + SECOND).contains(&mute), "forgiven after {mute}");

        let answered = outcomes.iter().filter(|(at, said)| *at < muted && said.is_none()).count();
        assert!(answered <= 12 * rate as usize, "{answered} answers in 11 seconds");
        sometimes.note("not muted on the very second", patience > PATIENCE);
    });
}
