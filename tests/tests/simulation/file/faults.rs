//! Whatever goes wrong: never a wrong file, an end in time, and in the end the file.

use barewire_core::file::{ReceiverError, SenderError};
use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};
use barewire_tests::simulator::stream::{Calamity, Fault, Moment, Outcome, Streams};

use super::client::{ClientConnection, State, WantedFile, wishes};
use super::responder::Responder;
use super::store::Store;
use super::{some_config, some_directions};

/// One client, its connections one after the other, and the server that it comes to.
struct Simulation {
    random: Random,
    streams: Streams,
    store: Store,
    wishes: Vec<WantedFile>,
    /// What is still to go wrong: connections, requests refused for now, bytes read wrongly,
    /// servers that stop.
    faults: usize,
    refusals: usize,
    rots: usize,
    stops: usize,
    visits: usize,
    /// Connections that did not end in order.
    failures: usize,
}

impl Simulation {
    fn new(seed: u64, some_store: fn(&mut Random) -> Store) -> Self {
        let mut random = Random::new(seed);
        let store = some_store(&mut random);
        let wishes = wishes(&mut random, &store);
        Self {
            streams: Streams::new(random.fork()),
            faults: random.count(0..=3),
            refusals: random.pick(&[0, 0, 1]),
            rots: random.pick(&[0, 0, 1]),
            stops: random.pick(&[0, 0, 1]),
            store,
            wishes,
            random,
            visits: 0,
            failures: 0,
        }
    }

    fn is_satisfied(&self) -> bool {
        self.wishes.iter().all(|wish| wish.state != State::Wanted)
    }

    /// The next fault, or one that does nothing.
    fn fault(&mut self) -> Fault {
        let Some(faults) = self.faults.checked_sub(1) else {
            let what = Calamity::Stall { side: 0, lasting: Duration::ZERO };
            return Fault { what, when: Moment::At(self.streams.now()) };
        };
        self.faults = faults;
        let span = Duration::from_millis(self.random.pick(&[200, 1_000, 40_000]));
        let bytes = self.store.bytes() + self.random.pick(&[20, 200]);
        Fault::draw(&mut self.random, self.streams.now(), span, bytes)
    }

    /// One connection, until both sides have ended.
    fn visit(&mut self, sometimes: &mut Sometimes) {
        let fault = self.fault();
        let changes = self.store.changes;
        let configs = [0, 1].map(|_| some_config(&mut self.random));
        let directions = some_directions(&mut self.random, self.store.bytes());
        let now = self.streams.now();
        let ends = self.streams.connect(directions, Some(fault));
        let mut responder = Responder::new(now, self.random.fork(), configs[0]);
        responder.refusals = self.refusals;
        if let Some(rots) = self.rots.checked_sub(1) {
            self.rots = rots;
            responder.rot = Some(self.random.count(0..=self.store.bytes()));
        }
        responder.may_stop = self.stops > 0;
        self.stops = 0;
        let mut visit = ClientConnection::new(now, &mut self.wishes, configs[1]);
        while let Some(end) = self.streams.advance() {
            if end == ends[0] {
                responder.turn(&mut self.streams, end, &mut self.store);
            } else {
                visit.turn(&mut self.streams, end, &self.store);
            }
        }
        let at_server = responder.ending.expect("a server that waits for ever");
        let at_client = visit.ending.clone().expect("a client that waits for ever");
        at_server.assert_in_time(configs[0], &self.streams, (ends[0], 0), fault);
        at_client.assert_in_time(configs[1], &self.streams, (ends[1], 1), fault);

        if let Some(ended_at) = self.streams.ended_at(ends[1]) {
            // Whatever is missing, nothing more will come.
            let is_stalled = matches!(fault.what, Calamity::Stall { side: 1, .. });
            assert!(at_client.at <= ended_at || is_stalled, "{at_client:?}, told at {ended_at:?}");
        }

        let has_closed = at_client.outcome == Outcome::Closed;
        let [unanswered, unasked] = visit.left();
        assert!(!has_closed || unanswered == 0, "an end in order, and questions left");
        // A client that was not given the processor finds the server gone, in order, between two
        // answers; and so does one whose server stops.
        let is_stalled = matches!(fault.what, Calamity::Stall { side: 1, .. });
        assert!(!has_closed || unasked == 0 || is_stalled || responder.has_stopped, "no wait");
        let is_struck = self.streams.struck_at(ends[1]).is_some_and(|at| at < at_client.at);
        let is_changed = changes != self.store.changes;
        let was_well = fault.what == Calamity::Stall { side: 0, lasting: Duration::ZERO };
        if was_well && !is_changed && responder.rot.is_none() && !responder.has_stopped {
            assert!(has_closed && !responder.has_given_up, "{at_client:?} without a cause");
            assert_eq!(at_server.outcome, Outcome::Closed);
        }
        self.refusals = responder.refusals;
        self.visits += 1;
        self.failures += usize::from(!has_closed);

        if was_well && responder.has_stopped && !responder.has_given_up && responder.rot.is_none() {
            // It ends in order, however many questions it leaves; to the client, that may be an error.
            assert_ne!(at_client.outcome, Outcome::Broken);
            assert!(!has_closed || at_server.outcome == Outcome::Closed, "{at_server:?}");
        }
        sometimes.note("a stop, and success", responder.has_stopped && has_closed);
        sometimes.note("a stop, and questions left", responder.has_stopped && unanswered > 0);

        let failed = |error| at_client.outcome == Outcome::Failed(error);
        sometimes.note("given up since the file changed", responder.has_given_up);
        sometimes.note("corrupt", failed(ReceiverError::Corrupt));
        sometimes.note("nothing heard before the end", failed(ReceiverError::TimedOut));
        sometimes.note("contents that stall", failed(ReceiverError::Stalled));
        sometimes.note("a server that does not close", failed(ReceiverError::Unclosed));
        sometimes.note("a fault, and success", is_struck && has_closed);
        sometimes.note("a reset", is_struck && at_client.outcome == Outcome::Broken);
        let late = |error| at_server.outcome == Outcome::Failed(error);
        sometimes.note("a client that takes nothing", late(SenderError::Stalled));
        sometimes.note("a request too late", late(SenderError::TimedOut));
        sometimes.note("digests were made", responder.hashed > 0);
    }

    fn check(&self, sometimes: &mut Sometimes) {
        for wish in &self.wishes {
            let Some(file) = wish.file(&self.store) else {
                assert_eq!(wish.state, State::Missing);
                sometimes.note("a file that is not there", true);
                continue;
            };
            // Beside what is held in the end: what had come of other versions, and of what was not
            // proven at most a segment for each failure.
            let others: usize = self.store.versions(file).map(<[u8]>::len).sum();
            let spare = if wish.restarts > 0 { others } else { 0 };
            let segment = usize::try_from(self.store.segment.bytes()).unwrap();
            let unproven = if wish.verify { self.failures * segment } else { 0 };
            let most = wish.held.len() + spare + unproven;
            assert!(wish.travelled <= most, "{} bytes, not {most}", wish.travelled);
            let is_resumed = wish.travelled == wish.held.len() && self.failures > 0;
            sometimes.note("resumed without loss", is_resumed && !wish.held.is_empty());
            sometimes.note("begun again", wish.restarts > 0);
            sometimes.note("a part came twice", wish.travelled > wish.held.len());
        }
    }
}

/// Comes again until all wishes are granted; what can go wrong is used up by then.
fn download(
    seed: u64,
    store: fn(&mut Random) -> Store,
    sometimes: &mut Sometimes,
) -> Vec<WantedFile> {
    let mut simulation = Simulation::new(seed, store);
    let Simulation { faults, refusals, rots, stops, ref store, .. } = simulation;
    let most = 1 + faults + refusals + rots + stops + store.changes;
    while !simulation.is_satisfied() {
        assert!(simulation.visits < most, "in vain for {most} times: {:?}", simulation.wishes);
        simulation.visit(sometimes);
    }
    simulation.check(sometimes);
    simulation.wishes
}

#[test]
fn files_arrive_in_the_end_and_never_wrongly() {
    for_seeds(1_500, |seed, sometimes| {
        download(seed, Store::new, sometimes);
    });
}

#[test]
fn a_large_file_is_resumed_from_its_last_segment() {
    for_seeds(24, |seed, _| {
        download(seed, |random| Store::large(random, 1), &mut Sometimes::default());
    });
}

/// With times that lie, nobody can tell that a file changes while it is sent, or between two connections:
/// what has verified is, segment by segment, what the server had; and the hash of the file tells whether
/// it is one version.
#[test]
fn what_changes_in_secret_never_verifies_as_a_version_that_it_is_not() {
    for_seeds(400, |seed, sometimes| {
        for wish in download(seed, |random| Store::secretive(random, 50), &mut Sometimes::default())
        {
            let is_complete = wish.verify && wish.state == State::Complete;
            sometimes.note("one version", is_complete && wish.is_one);
            sometimes.note("parts of several, and its hash tells", is_complete && !wish.is_one);
        }
    });
}
