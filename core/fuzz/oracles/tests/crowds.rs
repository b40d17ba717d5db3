//! Five, fifty and five thousand sources that keep their rate, and somebody who forges all that it can.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use barewire_core::datagram::{
    Action, DEFAULT_TOTAL_REPLY_RATE, Datagram, DropReason, HashKey, Rate, Reply, Responder,
    ResponderConfig,
};
use barewire_core::time::{Duration, Instant};
use barewire_oracles::datagram::limits::Limits;

const RATE: u32 = 10;

/// Numbers that look like chance and are the same each time (`splitmix64`).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % bound
    }
}

/// What somebody sends under the addresses of others.
#[derive(Clone, Copy, Debug)]
enum Forged {
    Nothing,
    /// From another address each time.
    Everybody,
    /// From some, of which each asks more than its rate.
    Some(u32),
    /// From the networks of IPv6, and from all ports.
    Networks,
}

/// One of those who keep their rate.
fn polite(number: u32) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::from_bits(0xc612_0000 | number), 5000))
}

fn forged(manner: Forged, numbers: &mut Numbers) -> Option<SocketAddr> {
    let any = |numbers: &mut Numbers, count: u64| {
        u32::try_from(numbers.below(count)).expect("of 32 bits")
    };
    let port = u16::try_from(20_000 + numbers.below(40_000)).expect("a port");
    match manner {
        Forged::Nothing => None,
        Forged::Everybody => {
            Some(SocketAddr::from((Ipv4Addr::from_bits(any(numbers, 1 << 31)), port)))
        }
        Forged::Some(count) => {
            let address = Ipv4Addr::from_bits(0x0a00_0000 | any(numbers, count.into()));
            Some(SocketAddr::from((address, 5000)))
        }
        Forged::Networks => {
            let network = u128::from(numbers.below(1 << 40)) << 64;
            Some(SocketAddr::from((Ipv6Addr::from_bits(0x2001_0db8 << 96 | network), port)))
        }
    }
}

/// How often one that keeps its rate was refused, in some seconds; for its rate, and for the total.
struct Outcome {
    over_rate: usize,
    over_total: usize,
    answered: usize,
}

/// Each of so many sources asks as often as it may in each of two seconds, in any order, and at any time
/// so many forged datagrams come between two of theirs.
fn crowd<const SOURCES: usize>(
    seed: u64,
    (sources, total): (u32, u32),
    (manner, between): (Forged, u32),
) -> Outcome {
    let mut numbers = Numbers(seed);
    let key = HashKey::new(numbers.below(u64::MAX).to_le_bytes());
    let threshold = Duration::from_secs(1);
    let config = ResponderConfig::new()
        .with_rate(Rate::PerSecond(RATE))
        .with_total_rate(Rate::PerSecond(total))
        .with_mute_threshold(threshold);
    let mut responder = Box::new(Responder::<SOURCES, 8>::new(&[8080], Reply::Echo, key, config));
    let mut limits = Limits::new(Some(RATE), Some(total), threshold);
    let mut receive = |now, from| {
        let datagram = Datagram::whole(from, b"more");
        let reason = match responder.handle_datagram(now, datagram) {
            Action::Reply(_) => None,
            Action::Drop(reason) => Some(reason),
            other => unreachable!("{other:?}"),
        };
        limits.judge(now, from, reason);
        reason
    };
    let mut outcome = Outcome { over_rate: 0, over_total: 0, answered: 0 };
    for second in 1..=2 {
        let mut turns: Vec<_> = (0..sources * RATE).map(|turn| turn % sources).collect();
        for last in (1..turns.len()).rev() {
            let other = usize::try_from(numbers.below(last as u64 + 1)).expect("an index");
            turns.swap(last, other);
        }
        // Where the seconds are counted from.
        let start = Instant::from_secs(second);
        for (turn, source) in (0..).zip(&turns) {
            let now = start + Duration::from_micros(turn * 999_999 / turns.len() as u64);
            match receive(now, polite(*source)) {
                None => outcome.answered += 1,
                Some(DropReason::OverTotalRate) => outcome.over_total += 1,
                Some(DropReason::OverRate) => outcome.over_rate += 1,
                Some(other) => panic!("{other:?}, seed {seed}"),
            }
            for _ in 0..between {
                let Some(from) = forged(manner, &mut numbers) else { continue };
                receive(now, from);
            }
        }
    }
    outcome
}

const FORGED: [Forged; 5] =
    [Forged::Nothing, Forged::Everybody, Forged::Some(5), Forged::Some(300), Forged::Networks];

/// Of a table for eight, and however many there are: the total alone is in the way.
#[test]
fn with_a_total_of_17_times_the_rate_nothing_else_keeps_a_source_from_its_rate() {
    for seed in 0..10 {
        for (number, manner) in (0..).zip(FORGED) {
            for (sources, between) in [(1, 40), (5, 7), (50, 1)] {
                let forged = (manner, between);
                let seed = 1_000 * number + seed;
                let outcome = crowd::<8>(seed, (sources, 17 * RATE), forged);
                assert_eq!(outcome.over_rate, 0, "{manner:?}, seed {seed}");
                if sources <= 17 && matches!(manner, Forged::Nothing) {
                    assert_eq!(outcome.over_total, 0, "seed {seed}");
                }
            }
        }
    }
}

/// The table of `udp-server`, and its total.
#[test]
fn five_fifty_and_five_thousand_sources_are_answered_whatever_is_forged() {
    for (number, manner) in (0..).zip(FORGED) {
        for (sources, between) in [(5, 300), (50, 50), (5_000, 1)] {
            let outcome =
                crowd::<16_384>(number, (sources, DEFAULT_TOTAL_REPLY_RATE), (manner, between));
            assert_eq!((outcome.over_rate, outcome.over_total), (0, 0), "{manner:?}, {sources}");
            assert_eq!(outcome.answered, 2 * (sources * RATE) as usize);
        }
    }
}
