//! Many exchanges at once, over a network that loses, doubles and reorders.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use barewire_core::datagram::{Action, ExchangeError, Reply, ResponderConfig};
use barewire_core::time::Duration;
use barewire_tests::simulator::datagrams::{Conditions, Datagrams};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;

use super::asking::{Asking, REQUESTS};
use super::{address, responder};

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
        let config = ResponderConfig::new();
        let mut responders = BTreeMap::from([
            (echo(), responder(echo(), Reply::Echo, config)),
            (polite(), responder(polite(), Reply::Text(TEXT), config)),
        ]);
        let count = u8::try_from(random.count(1..=REQUESTS.len())).unwrap();
        let mut clients: Vec<_> =
            (0..count).map(|number| Self::client(&mut random, number)).collect();
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
                    Action::Reply(reply) => network.send(socket, datagram.source, reply),
                    other => panic!("no reason to be silent: {other:?}"),
                }
            }
        }
        Self { conditions, network, clients }
    }

    fn client(random: &mut Random, number: u8) -> Asking {
        let server = random.pick(&[echo(), echo(), polite(), nobody()]);
        Asking::new(random, number, server)
    }

    fn check(&self) {
        for client in &self.clients {
            let (at, result) = client.ended.as_ref().expect("every exchange ends");
            let is_to_nobody = client.server() == nobody();
            match result {
                Ok(reply) => {
                    let expected = if client.server() == echo() { client.request } else { TEXT };
                    assert_eq!(reply, expected, "another's reply");
                    assert!(*at <= client.latest());
                }
                Err(ExchangeError::TimedOut) => {
                    assert_eq!(*at, client.latest(), "all its patience, and no more");
                    assert_eq!(client.tries.len(), client.config.retries as usize + 1);
                    assert!(!self.is_certain(client), "nothing kept the reply back");
                }
                Err(ExchangeError::Unreachable) => {
                    assert!(self.conditions.refuses && is_to_nobody);
                }
                Err(error) => panic!("{error}"),
            }
            assert!(
                !self.is_certain(client) || client.tries.len() == 1,
                "the first try was enough"
            );
        }
    }

    /// Whether the first try must bring the reply.
    fn is_certain(&self, client: &Asking) -> bool {
        let way = *self.conditions.delay.end();
        client.server() != nobody() && self.conditions.loss == 0 && way * 2 < client.config.timeout
    }
}

#[test]
fn every_exchange_gets_its_own_reply_or_ends_in_time() {
    for_seeds(5_000, |seed, sometimes| {
        let run = Run::new(seed);
        run.check();
        let any = |test: &dyn Fn(&Asking) -> bool| run.clients.iter().any(test);
        sometimes.note("certain success", any(&|client| run.is_certain(client)));
        sometimes.note("a reply to a retry", any(&|c| c.succeeded() && c.tries.len() > 1));
        let gave_up = |c: &Asking| c.failed(ExchangeError::TimedOut) && c.tries.len() == 6;
        sometimes.note("no reply to six tries", any(&gave_up));
        sometimes.note("a refusal", any(&|c| c.failed(ExchangeError::Unreachable)));
        let tally = run.network.tally();
        sometimes.note("a loss", tally.lost > 0);
        sometimes.note("a doubling", tally.doubled > 0);
        sometimes.note("an overtaking", tally.overtaken > 0);
    });
}
