//! Two responders aimed at each other, by a forger who has one of them hear from the other.

use std::collections::VecDeque;
use std::net::SocketAddr;

use barewire_core::datagram::{Action, DropReason, Rate, Reply, Responder, ResponderConfig};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::datagrams::{Conditions, Datagrams};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

use super::{address, responder};

/// How long the loop is watched.
const WATCH: Duration = Duration::from_secs(60);

/// Two responders, and the replies that each has sent.
struct Loop {
    network: Datagrams,
    responders: [(SocketAddr, Responder<'static, 16, 8>); 2],
    replies: [Vec<Instant>; 2],
    drops: Vec<DropReason>,
}

impl Loop {
    fn new(
        random: &mut Random,
        conditions: Conditions,
        sides: [(SocketAddr, Reply<'static>, Rate); 2],
    ) -> Self {
        let mut network = Datagrams::new(random.fork(), conditions);
        let responders = sides.map(|(socket, reply, rate)| {
            network.bind(socket);
            (socket, responder(socket, reply, ResponderConfig::new().with_rate(rate)))
        });
        Self { network, responders, replies: Default::default(), drops: Vec::new() }
    }

    /// Sends the first of them `count` datagrams in the other's name, then watches.
    fn run(&mut self, count: usize) {
        let [(victim, _), (name, _)] = self.responders;
        for _ in 0..count {
            self.network.send(name, victim, b"forged");
        }
        let end = self.network.now() + WATCH;
        while let Some((socket, arrival)) = self.network.advance() {
            let now = self.network.now();
            if now > end {
                break;
            }
            let side = usize::from(socket != victim);
            let datagram = arrival.datagram().expect("both are there");
            match self.responders[side].1.handle_datagram(now, datagram) {
                Action::Reply(reply) => {
                    self.network.send(socket, datagram.source, reply);
                    self.replies[side].push(now);
                }
                Action::Drop(why) => self.drops.push(why),
                other => panic!("{other:?}"),
            }
        }
    }

    fn has_drop(&self, why: DropReason) -> bool {
        self.drops.contains(&why)
    }
}

/// Fast networks, in which a loop meets the rate at once and dies of it; and slow ones that double,
/// in which a loop outlives each second.
fn conditions(random: &mut Random) -> Conditions {
    let longest = Duration::from_millis(random.pick(&[10, 60, 600, 2_000]));
    Conditions {
        delay: Duration::from_millis(5)..=longest,
        loss: random.pick(&[0, 0, 5]),
        doubling: random.pick(&[0, 1, 20, 100]),
        refuses: false,
    }
}

#[test]
fn the_same_text_or_port_ends_a_loop_at_once() {
    for_seeds(2_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let conditions = conditions(&mut random);
        let same_port = random.chance(50);
        let one: (_, _, Rate) = (address(1, 8080), Reply::Text(b"same"), Rate::Unlimited);
        let two = if same_port {
            (address(2, 8080), random.pick(&[Reply::Text(b"other"), Reply::Echo]), one.2)
        } else {
            (address(2, 8081), one.1, one.2)
        };
        let mut run = Loop::new(&mut random, conditions, [one, two]);
        let forged = random.count(1..=20);
        run.run(forged);
        // Doubled, at worst; and the second has nothing to say to the first's replies.
        assert!(run.replies[0].len() <= 2 * forged, "{:?}", run.replies);
        assert!(run.replies[1].is_empty(), "{:?}", run.replies);
        sometimes.note("the same text", run.has_drop(DropReason::OwnReply));
        sometimes.note("the same port", run.has_drop(DropReason::OwnPort));
    });
}

#[test]
fn no_loop_exceeds_the_rate() {
    for_seeds(1_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let conditions = conditions(&mut random);
        let replies = [Reply::Text(b"one"), Reply::Text(b"two"), Reply::Echo];
        let mut limits = [0, 0];
        let sides = [0, 1].map(|side| {
            let limit = random.count(1..=8);
            limits[side] = limit;
            let port = 8080 + u16::try_from(side).unwrap();
            let rate = Rate::PerSecond(u32::try_from(limit).unwrap());
            // Both echo, or each has a text of its own.
            let reply = if seed % 2 == 0 { Reply::Echo } else { replies[side] };
            (address(1 + u8::try_from(side).unwrap(), port), reply, rate)
        });
        let mut run = Loop::new(&mut random, conditions, sides);
        run.run(random.count(1..=20));
        for (replies, limit) in run.replies.iter().zip(limits) {
            assert_within(replies, limit);
            sometimes.note("a loop that lasts", replies.len() > 20 * limit);
        }
        sometimes.note("a loop over the rate", run.has_drop(DropReason::OverRate));
        sometimes.note("a loop muted", run.has_drop(DropReason::MutedNow));
        let is_over = run.network.advance().is_none();
        sometimes.note("a loop that ends", is_over);
    });
}

/// No second, wherever it begins, has more replies than two counted seconds allow.
fn assert_within(replies: &[Instant], limit: usize) {
    let mut second = VecDeque::new();
    for &at in replies {
        second.push_back(at);
        while second
            .front()
            .is_some_and(|first| at.duration_since(*first) >= Duration::from_secs(1))
        {
            second.pop_front();
        }
        assert!(second.len() <= 2 * limit, "{} replies in a second", second.len());
    }
    assert!(replies.len() <= 61 * limit, "{} replies in a minute", replies.len());
}
