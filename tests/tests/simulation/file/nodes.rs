//! Several clients and the server that they share: programs that are killed and machines that fail,
//! and that come back to their files as they were.

use std::collections::BTreeMap;

use barewire_core::file::SegmentSize;
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::disk::{Disk, Nature};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};
use barewire_tests::simulator::stream::{End, Fault, Outcome, Streams};

use super::downloader::{Downloader, Record, is_verified, name};
use super::node::{Client, Line};
use super::responder::Responder;
use super::store::Store;
use super::{SHORTEST, some_config, some_directions};
use crate::node_faults::{Agenda, NodeFault, Outage};

/// How long a client rests before it connects again.
const PAUSE: Duration = Duration::from_millis(500);

/// A node: the server, or a client by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Node {
    Server,
    Client(usize),
}

/// What the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Small,
    /// A file of two segments, for one client.
    Large,
    /// Files that change between any two connections of one client, and look the same.
    Secretive,
}

struct Simulation {
    random: Random,
    streams: Streams,
    store: Store,
    server: BTreeMap<End, (Responder, Line)>,
    server_stalled_until: Instant,
    outage: Option<Outage>,
    clients: Vec<Client>,
    agenda: Agenda<Step>,
    /// How many connections have a fault of their own, and how many programs crash in the middle of
    /// a change to their files.
    faults: usize,
    fuses: usize,
    /// How many connections of each client can fail.
    causes: usize,
}

/// What is going to happen to a node.
#[derive(Clone, Copy, Debug)]
enum Step {
    Inject(Node, NodeFault, Duration),
    Start(usize),
    Connect(usize),
}

impl Simulation {
    fn new(seed: u64, kind: Kind) -> Self {
        let mut random = Random::new(seed);
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let agenda = Agenda::new(&mut streams);
        let store = match kind {
            Kind::Small => Store::new(&mut random),
            Kind::Large => Store::large(&mut random, 2),
            Kind::Secretive => Store::secretive(&mut random, 0),
        };
        let count = if kind == Kind::Small { random.count(1..=6) } else { 1 };
        let clients = (0..count).map(|_| {
            let nature = Nature::draw(&mut random);
            Client {
                disk: Disk::new(random.fork(), nature),
                downloader: None,
                line: None,
                record: Record::default(),
                connections: 0,
                stalled_until: now,
            }
        });
        let clients = clients.collect();
        let [faults, node_faults] = [2, 4].map(|most| random.count(0..=most));
        // Large files take many changes, so that most of these end in the middle of the contents.
        let fuses = if kind == Kind::Large { 2 } else { random.count(0..=2) };
        let mut simulation = Self {
            causes: store.changes + faults + fuses + node_faults,
            random,
            streams,
            store,
            server: BTreeMap::new(),
            server_stalled_until: now,
            outage: None,
            clients,
            agenda,
            faults,
            fuses,
        };
        for number in 0..count {
            let at = now + simulation.random.span(Duration::ZERO..=Duration::from_secs(2));
            simulation.enter(at, Step::Start(number));
        }
        let longest = Duration::from_secs(simulation.random.pick(&[1, 5, 30]));
        for _ in 0..node_faults {
            let client = Node::Client(simulation.random.count(0..=count - 1));
            let node = simulation.random.pick(&[Node::Server, client]);
            let what =
                simulation.random.pick(&[NodeFault::Kill, NodeFault::PowerCut, NodeFault::Stall]);
            let lasting = simulation.random.span(Duration::ZERO..=longest * 2);
            let at = now + simulation.random.span(Duration::ZERO..=longest);
            // While a server is stalled, one connection after the other comes to nothing.
            let in_vain = lasting.as_micros() / SHORTEST.as_micros();
            simulation.causes += usize::try_from(in_vain).unwrap();
            simulation.enter(at, Step::Inject(node, what, lasting));
        }
        simulation
    }

    fn enter(&mut self, at: Instant, step: Step) {
        self.agenda.enter(&mut self.streams, at, step);
    }

    /// Runs until nothing will ever happen again.
    fn run(&mut self, sometimes: &mut Sometimes) {
        while let Some(end) = self.streams.advance() {
            if self.agenda.is_meant(end) {
                while let Some(step) = self.agenda.next(self.streams.now()) {
                    self.step(step, sometimes);
                }
            } else if self.server.contains_key(&end) {
                self.serve(end);
            } else if let Some(number) = self.clients.iter().position(|client| client.is_at(end)) {
                self.attend(number, sometimes);
            }
            sometimes.note("three are served at once", self.server.len() > 2);
        }
        assert!(self.server.is_empty(), "the server waits for ever");
    }

    fn step(&mut self, step: Step, sometimes: &mut Sometimes) {
        match step {
            Step::Inject(Node::Server, what, lasting) => {
                self.fail_server(what, lasting, sometimes);
            }
            Step::Inject(Node::Client(number), what, lasting) => {
                self.fail_client(number, what, lasting, sometimes);
            }
            Step::Start(number) => self.start(number),
            Step::Connect(number) => self.connect(number),
        }
    }

    fn fail_server(&mut self, what: NodeFault, lasting: Duration, sometimes: &mut Sometimes) {
        let until = self.streams.now() + lasting;
        if what == NodeFault::Stall {
            self.server_stalled_until = self.server_stalled_until.max(until);
            self.server.keys().for_each(|end| self.streams.stall(*end, until));
            sometimes.note("a server stalls", !self.server.is_empty());
            return;
        }
        sometimes.note("a server is killed", what == NodeFault::Kill && !self.server.is_empty());
        sometimes.note("a server fails", what == NodeFault::PowerCut && !self.server.is_empty());
        for end in std::mem::take(&mut self.server).into_keys() {
            what.inject(&mut self.streams, end, until);
        }
        self.outage = Some(Outage { what, back_at: until });
        if self.random.chance(50) {
            let changes = self.store.changes;
            self.store.change(&mut self.random);
            sometimes.note("a server comes back with other files", changes > self.store.changes);
        }
    }

    fn fail_client(
        &mut self,
        number: usize,
        what: NodeFault,
        lasting: Duration,
        sometimes: &mut Sometimes,
    ) {
        let until = self.streams.now() + lasting;
        let client = &mut self.clients[number];
        let line = client.line;
        if what == NodeFault::Stall {
            client.stalled_until = client.stalled_until.max(until);
            if let Some(line) = line {
                self.streams.stall(line.end(), until);
            }
            return;
        }
        if client.downloader.is_none() {
            return;
        }
        sometimes.note("a client is killed", what == NodeFault::Kill && line.is_some());
        sometimes.note("a client fails", what == NodeFault::PowerCut && line.is_some());
        if what == NodeFault::Kill {
            client.disk.kill();
        } else {
            client.disk.lose_power();
        }
        // What it leaves behind does nothing any more.
        (client.downloader, client.line) = (None, None);
        if let Some(line) = line {
            what.inject(&mut self.streams, line.end(), until);
        }
        client.check_names(&self.store);
        self.enter(until, Step::Start(number));
    }

    /// A client's program starts.
    fn start(&mut self, number: usize) {
        let client = &mut self.clients[number];
        if client.downloader.is_some() {
            return;
        }
        let downloader = Downloader::new(&client.disk, &self.store);
        if let Some(fuses) = self.fuses.checked_sub(1)
            && self.random.chance(80)
        {
            self.fuses = fuses;
            // A large file takes about a hundred.
            let most = self.random.pick(&[5, 40, 150, 150]);
            client.disk.crash_after(self.random.count(0..=most));
        }
        client.downloader = Some(downloader);
        self.connect(number);
    }

    /// A client connects, if it wants anything, and if there is anybody.
    fn connect(&mut self, number: usize) {
        let now = self.streams.now();
        let client = &mut self.clients[number];
        let Some(downloader) =
            client.downloader.as_mut().filter(|downloader| !downloader.is_done())
        else {
            return;
        };
        if client.line.is_some() {
            return;
        }
        if now < client.stalled_until {
            let at = client.stalled_until;
            return self.enter(at, Step::Connect(number));
        }
        if let Some(failed_at) = self.outage.and_then(|outage| outage.fails_at(now)) {
            return self.enter(failed_at + PAUSE, Step::Connect(number));
        }
        let fault = self.faults.checked_sub(1).filter(|_| self.random.chance(50)).map(|faults| {
            self.faults = faults;
            let span = Duration::from_millis(self.random.pick(&[200, 1_000, 40_000]));
            Fault::draw(&mut self.random, now, span, self.store.bytes() + 100)
        });
        if self.store.is_secretive {
            self.store.change(&mut self.random);
        }
        let configs = [0, 1].map(|_| some_config(&mut self.random));
        let ends =
            self.streams.connect(some_directions(&mut self.random, self.store.bytes()), fault);
        let line = |side: usize| Line { ends, side, config: configs[side], fault };
        let responder = Responder::new(now, self.random.fork(), configs[0]);
        self.server.insert(ends[0], (responder, line(0)));
        self.streams.stall(ends[0], self.server_stalled_until);
        client.line = Some(line(1));
        client.connections += 1;
        assert!(client.connections <= 1 + self.causes, "it connects again and again");
        downloader.connect(now, configs[1]);
    }

    /// The server's turn at one of its connections.
    fn serve(&mut self, end: End) {
        let (responder, line) = self.server.get_mut(&end).expect("it is there");
        responder.turn(&mut self.streams, end, &mut self.store);
        if let Some(ending) = &responder.ending {
            line.assert_in_time(ending, &self.streams, self.server_stalled_until);
            self.server.remove(&end);
        }
    }

    /// A client's turn.
    fn attend(&mut self, number: usize, sometimes: &mut Sometimes) {
        let client = &mut self.clients[number];
        let (Some(downloader), Some(line)) = (&mut client.downloader, client.line) else { return };
        let context = (&self.store, &mut client.record);
        let ending = downloader.turn(&mut self.streams, line.end(), context);
        if let Some(ending) = &ending {
            line.assert_in_time(ending, &self.streams, client.stalled_until);
            client.line = None;
            // A server that is killed may end between two answers, in order.
            let is_answered = downloader.unanswered() == 0 || client.disk.has_crashed();
            assert!(ending.outcome != Outcome::Closed || is_answered, "no answer, and in order");
            sometimes.note("a connection broke", ending.outcome == Outcome::Broken);
        }
        if client.disk.has_crashed() {
            let what = self.random.pick(&[NodeFault::Kill, NodeFault::PowerCut]);
            let lasting = self.random.span(Duration::ZERO..=Duration::from_secs(20));
            sometimes.note("a client ends in the middle of a change", true);
            self.fail_client(number, what, lasting, sometimes);
        } else if ending.is_some() {
            let at = self.streams.now() + PAUSE;
            self.enter(at, Step::Connect(number));
        }
    }

    fn check(&self, sometimes: &mut Sometimes) {
        let whole: usize = (0..self.store.count())
            .filter(|file| is_verified(*file))
            .map(|file| self.store.versions(file).map(<[u8]>::len).max().unwrap_or_default())
            .sum();
        for client in &self.clients {
            let downloader = client.downloader.as_ref().expect("every node comes back");
            assert!(
                downloader.is_done() && client.line.is_none(),
                "it waits for ever: {downloader:?}"
            );
            client.check_names(&self.store);
            let is_there = |file| client.disk.contents(&name(file)).is_some();
            assert!((0..self.store.count()).all(is_there), "a file never came");
            let Record { travelled, restarts, .. } = client.record;
            if client.disk.is_ordered() && restarts == 0 {
                // What has verified comes once, whatever crashes; two files are under way at most.
                let segment = usize::try_from(SegmentSize::MAX.bytes()).unwrap();
                let spare = (client.connections - 1) * (2 * segment).min(whole);
                assert!(travelled <= whole + spare, "{travelled} bytes, not {whole} + {spare}");
                sometimes.note(
                    "nothing came twice, and it had to come again",
                    travelled <= whole && client.connections > 1,
                );
            }
        }
    }
}

#[test]
fn whichever_node_crashes_everybody_gets_whole_files_in_the_end() {
    for_seeds(300, |seed, sometimes| {
        let mut simulation = Simulation::new(seed, Kind::Small);
        simulation.run(sometimes);
        simulation.check(sometimes);
    });
}

#[test]
fn a_large_download_outlasts_crashes_and_resumes_from_its_last_segment() {
    for_seeds(12, |seed, sometimes| {
        let mut simulation = Simulation::new(seed, Kind::Large);
        simulation.run(&mut Sometimes::default());
        simulation.check(&mut Sometimes::default());
        let resumed = simulation.clients.iter().any(|client| client.record.resumed > 0);
        sometimes.note("resumed", resumed);
    });
}

/// What an earlier connection has brought, or an earlier run, is of this version if its digests are.
#[test]
fn what_changes_in_secret_between_connections_is_never_mixed() {
    for_seeds(400, |seed, sometimes| {
        let mut simulation = Simulation::new(seed, Kind::Secretive);
        simulation.run(&mut Sometimes::default());
        simulation.check(&mut Sometimes::default());
        let record = &simulation.clients[0].record;
        sometimes.note("forgotten", record.forgotten > 0);
        sometimes.note("resumed", record.resumed > 0);
    });
}
