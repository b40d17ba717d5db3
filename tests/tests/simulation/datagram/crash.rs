//! Servers that crash and come back, knowing nothing of what was before, and clients that go on asking.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use barewire_core::datagram::{Action, ExchangeError, Reply, Responder, ResponderConfig};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::datagrams::{Arrival, Conditions, Datagrams};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};

use super::asking::{Asking, REQUESTS};
use super::{address, responder};
use crate::node_faults::NodeFault;

/// What a server that does not echo says in each of its lives.
const TEXTS: [&[u8]; 4] = [b"first", b"second", b"third", b"fourth"];

/// What befalls a server, from when to when.
#[derive(Clone, Copy, Debug)]
struct Outage {
    what: NodeFault,
    from: Instant,
    until: Instant,
}

/// A server, and what it will go through.
struct Server {
    socket: SocketAddr,
    echoes: bool,
    /// None while it is down.
    responder: Option<Responder<'static, 16, 8>>,
    /// One after the other.
    outages: Vec<Outage>,
    life: usize,
}

impl Server {
    fn new(random: &mut Random, socket: SocketAddr, start: Instant) -> Self {
        let mut at = start;
        let count = random.count(0..=TEXTS.len() - 1);
        let outages = (0..count).map(|_| {
            let what = random.pick(&[NodeFault::Kill, NodeFault::PowerCut]);
            let longest = Duration::from_millis(random.pick(&[1, 300, 4_000]));
            let from = at + random.span(Duration::from_micros(1)..=Duration::from_secs(2));
            at = from + random.span(Duration::from_micros(1)..=longest);
            Outage { what, from, until: at }
        });
        let outages = outages.collect();
        let echoes = random.chance(50);
        let mut server = Self { socket, echoes, responder: None, outages, life: 0 };
        server.responder = Some(server.born());
        server
    }

    fn born(&self) -> Responder<'static, 16, 8> {
        let reply = if self.echoes { Reply::Echo } else { Reply::Text(TEXTS[self.life]) };
        responder(self.socket, reply, ResponderConfig::new())
    }

    /// It goes down, or comes back, if it is time to.
    fn age(&mut self, network: &mut Datagrams) {
        let Some(outage) = self.outages.get(self.life) else { return };
        if network.now() >= outage.until && self.responder.is_none() {
            self.life += 1;
            self.responder = Some(self.born());
            network.bind(self.socket);
        } else if network.now() >= outage.from && self.responder.is_some() {
            self.responder = None;
            match outage.what {
                NodeFault::Kill => network.close(self.socket),
                _ => network.lose_power(self.socket),
            }
        }
    }

    /// Whether it is up from one instant to the other, these included.
    fn is_up(&self, from: Instant, until: Instant) -> bool {
        self.outages.iter().all(|outage| until < outage.from || outage.until < from)
    }
}

/// Where nothing arrives but the time of what befalls servers.
fn fate() -> SocketAddr {
    address(9, 9)
}

struct Run {
    conditions: Conditions,
    network: Datagrams,
    servers: BTreeMap<SocketAddr, Server>,
    clients: Vec<Asking>,
    /// What servers answered: to whom, what, and in which life.
    answers: Vec<(SocketAddr, Vec<u8>, usize)>,
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let slowest = Duration::from_millis(random.pick(&[1, 50, 1_000]));
        let conditions = Conditions {
            delay: Duration::ZERO..=random.span(Duration::ZERO..=slowest),
            loss: random.pick(&[0, 0, 0, 30]),
            doubling: random.pick(&[0, 50]),
            refuses: random.chance(50),
        };
        let mut network = Datagrams::new(random.fork(), conditions.clone());
        let start = network.now();
        network.bind(fate());
        let sockets = [address(1, 8080), address(2, 8080)];
        let servers = sockets.map(|socket| (socket, Server::new(&mut random, socket, start)));
        for (socket, server) in &servers {
            network.bind(*socket);
            for outage in &server.outages {
                network.wake(fate(), outage.from);
                network.wake(fate(), outage.until);
            }
        }
        let count = u8::try_from(random.count(1..=REQUESTS.len())).unwrap();
        let client = |number| {
            let server = random.pick(&sockets);
            let client = Asking::new(&mut random, number, server);
            network.bind(client.socket);
            let longest = Duration::from_secs(3);
            network.wake(client.socket, start + random.span(Duration::ZERO..=longest));
            client
        };
        let clients = (0..count).map(client).collect();
        let servers = BTreeMap::from(servers);
        Self { conditions, network, servers, clients, answers: Vec::new() }
    }

    fn run(&mut self) {
        let Self { network, servers, clients, answers, .. } = self;
        while let Some((socket, arrival)) = network.advance() {
            if socket == fate() {
                for server in servers.values_mut() {
                    server.age(network);
                }
            } else if let Some(server) = servers.get_mut(&socket) {
                let Arrival::Datagram { source, .. } = arrival else { continue };
                let responder = server.responder.as_mut().expect("nobody hears it else");
                match responder.handle_datagram(network.now(), arrival.datagram().unwrap()) {
                    Action::Reply(reply) => {
                        answers.push((source, reply.to_vec(), server.life));
                        network.send(socket, source, reply);
                    }
                    other => panic!("no reason to be silent: {other:?}"),
                }
            } else if let Some(client) = clients.iter_mut().find(|client| client.socket == socket) {
                client.turn(network, &arrival);
            }
        }
    }

    /// When the reply must have come at the latest, if one must come: a try found the server up, and
    /// nothing lost either way.
    fn certain(&self, client: &Asking) -> Option<Instant> {
        let (server, way) = (&self.servers[&client.server()], *self.conditions.delay.end());
        let is_certain = |number: u32, sent: Instant| {
            way * 2 < client.wait(number) && server.is_up(sent, sent + way)
        };
        let mut tries = (0..).zip(&client.tries);
        let (_, sent) = tries.find(|(number, sent)| is_certain(*number, **sent))?;
        (self.conditions.loss == 0).then_some(*sent + way * 2)
    }

    fn check(&self, sometimes: &mut Sometimes) {
        for client in &self.clients {
            let (at, result) = client.ended.as_ref().expect("every exchange ends");
            let server = &self.servers[&client.server()];
            assert!(*at <= client.latest(), "beyond the whole patience");
            if let Some(refused) = client.refused.filter(|refused| refused < at) {
                panic!("refused at {refused:?}, ended at {at:?}");
            }
            match result {
                Ok(reply) => {
                    let mut answers = self.answers.iter().filter(|(to, _, _)| *to == client.socket);
                    let answer = answers.find(|(_, said, _)| said == reply);
                    let (_, _, life) = answer.expect("nobody ever said that to it");
                    let expected = if server.echoes { client.request } else { TEXTS[*life] };
                    assert_eq!(reply, expected, "not what this server says");
                    let first_life = server.outages.iter().filter(|o| o.until < client.tries[0]);
                    let is_later = !server.echoes && first_life.count() < *life;
                    sometimes.note("a retry reached a later life", is_later);
                    sometimes.note("a reply of the dead", !server.is_up(*at, *at));
                }
                Err(ExchangeError::TimedOut) => {
                    assert_eq!(*at, client.latest(), "all its patience, and no more");
                    assert_eq!(client.tries.len(), client.config.retries as usize + 1);
                    let lossless = self.conditions.loss == 0;
                    sometimes.note("all tries came to nothing", lossless && client.tries.len() > 2);
                }
                Err(ExchangeError::Unreachable) => {
                    assert_eq!(client.refused, Some(*at), "by whom?");
                    let is_back = server.is_up(*at, *at);
                    sometimes.note("refused at once", client.tries.len() == 1);
                    sometimes.note("refused when it had just come back", is_back);
                }
                Err(error) => panic!("{error}"),
            }
            if let Some(latest) = self.certain(client) {
                let is_refused = client.failed(ExchangeError::Unreachable);
                assert!(is_refused || client.succeeded(), "a try got there, and the reply back");
                assert!(*at <= latest, "the reply was there");
                let is_retry = self.certain_first(client);
                sometimes.note("a retry that must get through", !is_retry && client.succeeded());
            }
        }
        sometimes.note("a machine swallows", self.network.tally().swallowed > 0);
    }

    /// Whether its first try found the server up.
    fn certain_first(&self, client: &Asking) -> bool {
        let way = *self.conditions.delay.end();
        self.servers[&client.server()].is_up(client.tries[0], client.tries[0] + way)
    }
}

#[test]
fn no_crash_passes_for_a_reply_and_a_retry_gets_through_after_it() {
    for_seeds(4_000, |seed, sometimes| {
        let mut run = Run::new(seed);
        run.run();
        run.check(sometimes);
    });
}
