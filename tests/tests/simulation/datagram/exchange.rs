//! Many exchanges at once, over a network that loses, doubles and reorders.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use barewire_core::datagram::{
    Config, Event, Exchange, ExchangeError, Rate, Reply, Responder, Verdict,
};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::datagrams::{Arrival, Conditions, Datagrams};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

use super::address;

/// Answers with what came.
fn echo() -> SocketAddr {
    address(1, 8080)
}

/// Answers everybody with [`TEXT`].
fn polite() -> SocketAddr {
    address(2, 8080)
}

/// Has nothing to do with anybody, and writes to everybody.
fn stranger() -> SocketAddr {
    address(4, 8080)
}

/// Where nobody is.
fn nobody() -> SocketAddr {
    address(3, 8080)
}

const TEXT: &[u8] = b"nice to meet you";

/// What each client says: to each its own, so that no reply is taken for another's.
const REQUESTS: [&[u8]; 6] = [b"", b"one", b"two", b"three", b"four", b"five"];

/// A client and what it has seen so far.
struct Asking {
    exchange: Exchange<'static>,
    socket: SocketAddr,
    config: Config,
    /// What its reply must be.
    expected: &'static [u8],
    tries: u32,
    first_sent: Instant,
    ended: Option<(Instant, Result<(), ExchangeError>)>,
}

impl Asking {
    fn new(random: &mut Random, number: u8) -> Self {
        let request = REQUESTS[usize::from(number)];
        let server = random.pick(&[echo(), echo(), polite(), nobody()]);
        let expected = if server == echo() { request } else { TEXT };
        let timeout = random.span(Duration::from_millis(1)..=Duration::from_secs(2));
        let retries = random.pick(&[0, 1, 2, 5]);
        let config = Config { timeout, retries };
        Self {
            exchange: Exchange::new(server, request, config),
            // Some share a host, so that only the port tells them apart.
            socket: address(100 + number / 2, 50_000 + u16::from(number)),
            config,
            expected,
            tries: 0,
            first_sent: Instant::ZERO,
            ended: None,
        }
    }

    /// Takes what arrived, and does what the exchange wants next.
    fn turn(&mut self, network: &mut Datagrams, arrival: &Arrival) {
        let now = network.now();
        let step = match arrival {
            Arrival::Refusal => self.exchange.handle_unreachable(),
            Arrival::Time => self.exchange.handle_timeout(now),
            Arrival::Datagram { .. } => {
                self.exchange.handle_datagram(now, arrival.datagram().unwrap())
            }
        };
        match step {
            Ok(Event::Replied { reply, round_trip }) => {
                assert_eq!(reply.bytes, self.expected, "another's reply");
                assert_eq!(round_trip, now.since(self.first_sent));
                self.end(now, Ok(()));
            }
            Ok(Event::Retrying { left }) => assert_eq!(self.tries + left, self.config.retries),
            Err(nb::Error::WouldBlock) => {}
            Err(nb::Error::Other(error)) => self.end(now, Err(error)),
        }
        self.transmit(network);
    }

    fn transmit(&mut self, network: &mut Datagrams) {
        let now = network.now();
        while let Ok(request) = self.exchange.poll_transmit() {
            network.send(self.socket, self.exchange.server(), request);
            self.exchange.transmitted(now);
            self.tries += 1;
            if self.tries == 1 {
                self.first_sent = now;
            }
        }
        if let Some(deadline) = self.exchange.poll_deadline() {
            assert!(deadline > now, "a driver would spin");
            assert!(deadline <= self.latest(), "beyond the whole patience");
            network.wake(self.socket, deadline);
        }
    }

    fn end(&mut self, now: Instant, result: Result<(), ExchangeError>) {
        assert_eq!(self.ended, None, "it ended twice");
        self.ended = Some((now, result));
        assert_eq!(self.exchange.poll_deadline(), None);
    }

    fn is_to_nobody(&self) -> bool {
        self.exchange.server() == nobody()
    }

    /// When its last try is over: each waits twice as long as the one before.
    fn latest(&self) -> Instant {
        let tries = (0..=self.config.retries).map(|retry| 1 << retry).sum::<u64>();
        self.first_sent + Duration::from_micros(self.config.timeout.as_micros() * tries)
    }
}

/// What some run of several exchanges was like, and what became of each.
struct Run {
    conditions: Conditions,
    network: Datagrams,
    clients: Vec<Asking>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let longest = random.pick(&[1, 50, 1_000]);
        let conditions = Conditions {
            delay: Duration::ZERO..=random.span(Duration::ZERO..=Duration::from_millis(longest)),
            loss: random.pick(&[0, 0, 10, 60, 100]),
            doubling: random.pick(&[0, 20, 100]),
            refuses: random.chance(50),
        };
        let mut network = Datagrams::new(random.fork(), conditions.clone());
        let rate = Rate::default();
        let mut responders = BTreeMap::from([
            (echo(), Responder::<16>::new(8080, Reply::Echo, rate)),
            (polite(), Responder::new(8080, Reply::Text(TEXT), rate)),
        ]);
        let count = u8::try_from(random.count(1..=REQUESTS.len())).unwrap();
        let mut clients: Vec<_> =
            (0..count).map(|number| Asking::new(&mut random, number)).collect();
        for server in responders.keys() {
            network.bind(*server);
        }
        for client in &mut clients {
            network.bind(client.socket);
            client.transmit(&mut network);
            network.send(stranger(), client.socket, b"not what was asked for");
        }

        while let Some((socket, arrival)) = network.advance() {
            if let Some(client) = clients.iter_mut().find(|client| client.socket == socket) {
                client.turn(&mut network, &arrival);
            } else if let Some((responder, datagram)) =
                responders.get_mut(&socket).zip(arrival.datagram())
            {
                match responder.handle_datagram(network.now(), datagram) {
                    Verdict::Reply(reply) => network.send(socket, datagram.source, reply),
                    Verdict::Silent(why) => panic!("no reason to be silent: {why}"),
                }
            }
        }
        Self { conditions, network, clients }
    }

    fn check(&self) {
        for client in &self.clients {
            let (at, result) = client.ended.expect("every exchange ends");
            match result {
                Ok(()) => assert!(at <= client.latest()),
                Err(ExchangeError::TimedOut) => {
                    assert_eq!(at, client.latest(), "all its patience, and no more");
                    assert_eq!(client.tries, client.config.retries + 1);
                    assert!(!self.is_certain(client), "nothing kept the reply back");
                }
                Err(ExchangeError::Unreachable) => {
                    assert!(self.conditions.refuses && client.is_to_nobody());
                }
            }
            assert!(!self.is_certain(client) || client.tries == 1, "the first try was enough");
        }
    }

    /// Whether the first try must bring the reply.
    fn is_certain(&self, client: &Asking) -> bool {
        let way = *self.conditions.delay.end();
        !client.is_to_nobody() && self.conditions.loss == 0 && way.doubled() < client.config.timeout
    }
}

#[test]
fn every_exchange_gets_its_own_reply_or_ends_in_time() {
    for_seeds(5_000, |seed, sometimes| {
        let run = Run::new(seed);
        run.check();
        let any = |test: &dyn Fn(&Asking) -> bool| run.clients.iter().any(test);
        let ended = |client: &Asking, with| client.ended.is_some_and(|(_, result)| result == with);
        sometimes.note("certain success", any(&|client| run.is_certain(client)));
        sometimes.note("a reply to a retry", any(&|c| ended(c, Ok(())) && c.tries > 1));
        let timed_out = Err(ExchangeError::TimedOut);
        sometimes.note("no reply to six tries", any(&|c| ended(c, timed_out) && c.tries == 6));
        let refused = Err(ExchangeError::Unreachable);
        sometimes.note("a refusal", any(&|c| ended(c, refused)));
        let tally = run.network.tally();
        sometimes.note("a loss", tally.lost > 0);
        sometimes.note("a doubling", tally.doubled > 0);
        sometimes.note("an overtaking", tally.overtaken > 0);
    });
}
