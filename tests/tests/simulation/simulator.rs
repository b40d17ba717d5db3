//! The simulator itself: what the other tests rely on does happen, and is the same each time.

use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::datagrams::{Arrival, Conditions, Datagrams, Tally};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{
    Calamity, Direction, End, Fault, Moment, Outcome, Streams,
};

use crate::peers::Script;

/// The bytes that each side says.
const LENGTH: usize = 60;

/// What became of one side of a link.
#[derive(Debug, Default, PartialEq, Eq)]
struct Side {
    heard: Vec<u8>,
    pieces: usize,
    partial_writes: usize,
    /// How it ended, if it did, and its last turn.
    outcome: Option<Outcome<std::convert::Infallible>>,
    last_turn: Instant,
}

/// Two sides that talk over a link.
struct Talk {
    streams: Streams,
    ends: [End; 2],
    fault: Option<Fault>,
    start: Instant,
    sides: [Side; 2],
}

/// Bytes that are told apart by their place.
fn speech() -> Vec<u8> {
    (0..LENGTH).map(|place| u8::try_from(place).unwrap()).collect()
}

fn talk(seed: u64, is_faulty: bool) -> Talk {
    let mut random = Random::new(seed);
    let slowest = Duration::from_millis(100);
    let directions = [0, 1].map(|_| Direction::cutting(&mut random, slowest, 5));
    let mut streams = Streams::new(random.fork());
    let start = streams.now();
    let fault =
        is_faulty.then(|| Fault::draw(&mut random, start, Duration::from_secs(2), 2 * LENGTH + 2));
    let ends = streams.connect(directions, fault);
    let mut scripts = [Script::new(speech()), Script::new(speech())];
    let mut sides = [Side::default(), Side::default()];
    while let Some(end) = streams.advance() {
        let number = usize::from(end == ends[1]);
        let side = &mut sides[number];
        side.last_turn = streams.now();
        side.outcome = streams.drive(end, &mut scripts[number], |bytes| {
            side.heard.extend(bytes);
            side.pieces += 1;
        });
    }
    for (side, script) in sides.iter_mut().zip(&scripts) {
        side.partial_writes = script.partial_writes;
    }
    Talk { streams, ends, fault, start, sides }
}

#[test]
fn a_link_without_faults_carries_everything_in_order() {
    for_seeds(500, |seed, sometimes| {
        for side in talk(seed, false).sides {
            assert_eq!(side.heard, speech());
            assert_eq!(side.outcome, Some(Outcome::Closed));
            sometimes.note("whole in one piece", side.pieces == 1);
            sometimes.note("byte by byte", side.pieces == LENGTH);
            sometimes.note("a write taken whole", side.partial_writes == 0);
            sometimes.note("many partial writes", side.partial_writes > LENGTH / 20);
        }
    });
}

#[test]
fn faults_of_every_kind_happen_and_do_what_they_say() {
    for_seeds(1_000, |seed, sometimes| {
        let Talk { streams, ends, fault, sides, .. } = talk(seed, true);
        let struck = streams.struck_at(ends[0]);
        let strikes_in_time = struck.is_some_and(|at| sides.iter().any(|side| side.last_turn > at));
        let heard: usize = sides.iter().map(|side| side.heard.len()).sum();
        for side in &sides {
            assert!(speech().starts_with(&side.heard), "never anything but what was said");
        }
        let fault = fault.unwrap();
        if let Moment::AfterBytes(count) = fault.when {
            assert!(struck.is_some(), "all of them land, unless it strikes");
            let loses = !matches!(fault.what, Calamity::Stall { .. });
            assert!(!loses || heard <= count, "{heard} heard, and struck after {count}");
            sometimes.note("a fault before the first byte", count == 0);
            sometimes.note("a fault after the last end", count == 2 * LENGTH + 2);
        }
        let everything_heard = heard == 2 * LENGTH;
        match fault.what {
            Calamity::Reset => {
                let broken = sides.iter().filter(|side| side.outcome == Some(Outcome::Broken));
                let broken = broken.count();
                sometimes.note("a reset that breaks both sides", broken == 2);
                sometimes.note("a reset that breaks one side", broken == 1);
                sometimes.note("a reset too late", broken == 0);
                sometimes.note("a reset that loses bytes", broken > 0 && !everything_heard);
            }
            Calamity::Cut => {
                let waiting = sides.iter().filter(|side| side.outcome.is_none()).count();
                assert!(sides.iter().all(|side| side.outcome != Some(Outcome::Broken)));
                sometimes.note("a cut that leaves both waiting", waiting == 2);
                sometimes.note("a cut that leaves one waiting", waiting == 1);
                sometimes.note("a cut too late", waiting == 0);
            }
            Calamity::Stall { side, lasting } => {
                assert!(everything_heard, "a stall loses nothing");
                let end = struck.map(|at| at + lasting);
                sometimes.note("a stall that delays", end == Some(sides[side].last_turn));
                sometimes.note("a stall in the middle", strikes_in_time);
            }
        }
    });
}

#[test]
fn the_same_seed_is_the_same_conversation() {
    for_seeds(200, |seed, _| {
        let (once, again) = (talk(seed, true), talk(seed, true));
        assert_eq!((once.start, once.sides), (again.start, again.sides));
    });
}

#[test]
fn who_is_gone_refuses_and_a_machine_that_failed_is_silent() {
    for_seeds(100, |seed, _| {
        let delay = Duration::ZERO..=Duration::from_millis(20);
        let conditions = Conditions { delay, loss: 0, doubling: 0, refuses: true };
        let mut network = Datagrams::new(Random::new(seed), conditions);
        let [from, to] = [1, 2].map(|port| ([192, 0, 2, 1], port).into());
        network.bind(from);
        network.bind(to);
        let send = |network: &mut Datagrams| {
            network.send(from, to, b"drop");
            network.advance()
        };
        let arrives = |arrival: Option<(_, Arrival)>| {
            arrival.is_some_and(|(socket, arrival)| socket == to && arrival.datagram().is_some())
        };
        assert!(arrives(send(&mut network)));
        network.close(to);
        assert_eq!(send(&mut network), Some((from, Arrival::Refusal)));
        network.bind(to);
        assert!(arrives(send(&mut network)));
        network.lose_power(to);
        assert_eq!(send(&mut network), None);
        network.bind(to);
        assert!(arrives(send(&mut network)));
        assert_eq!((network.tally().refused, network.tally().swallowed), (1, 1));
    });
}

/// Sends `count` datagrams over a network, and counts what arrives.
fn shower(seed: u64, loss: u8, doubling: u8, count: usize) -> (usize, Tally) {
    let delay = Duration::ZERO..=Duration::from_millis(20);
    let conditions = Conditions { delay, loss, doubling, refuses: true };
    let mut network = Datagrams::new(Random::new(seed), conditions);
    let [from, to, nobody] = [1, 2, 3].map(|port| ([192, 0, 2, 1], port).into());
    network.bind(from);
    network.bind(to);
    for _ in 0..count {
        network.send(from, to, b"drop");
    }
    network.send(from, nobody, b"drop");
    let mut arrived = 0;
    while let Some((socket, _)) = network.advance() {
        arrived += usize::from(socket == to);
    }
    (arrived, network.tally())
}

#[test]
fn a_network_loses_doubles_and_reorders_as_often_as_it_says() {
    for_seeds(200, |seed, sometimes| {
        let (arrived, tally) = shower(seed, 0, 0, 20);
        let expected = Tally { sent: 21, lost: 0, doubled: 0, refused: 1, ..tally };
        assert_eq!((arrived, tally), (20, expected));
        sometimes.note("an overtaking", tally.overtaken > 0);

        let (arrived, tally) = shower(seed, 100, 0, 20);
        assert_eq!((arrived, tally.lost, tally.refused), (0, 21, 0));
        let (arrived, tally) = shower(seed, 0, 100, 20);
        assert_eq!((arrived, tally.doubled), (40, 21));

        let (arrived, tally) = shower(seed, 30, 30, 20);
        assert!(arrived <= 20 + tally.doubled && arrived + tally.lost >= 20);
        sometimes.note("a loss", tally.lost > 0);
        sometimes.note("a doubling", tally.doubled > 0);
        sometimes.note("a refusal", tally.refused > 0);
    });
}
