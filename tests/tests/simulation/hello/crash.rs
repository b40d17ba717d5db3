//! A server that crashes and comes back, and clients that call it until it has greeted them.

use std::collections::BTreeMap;

use barewire_core::hello::{Client, HandshakeConfig, HandshakeError, Server};
use barewire_core::session::{Events, Output, Session};
use barewire_core::text::Text;
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};
use barewire_tests::simulator::stream::{End, Outcome, Streams};

use super::{Ending, brisk, some_text};
use crate::node_faults::{Agenda, NodeFault, Outage};

/// How long a client rests before it calls again.
const PAUSE: Duration = Duration::from_millis(500);

/// The most that befalls the server: it has one life more.
const MISHAPS: usize = 4;

/// One side of a handshake.
struct Side<'t, S> {
    session: S,
    /// What it is to hear.
    text: &'t str,
    heard: Vec<Vec<u8>>,
    deadline: Instant,
}

impl<'t, S: Session<Error = HandshakeError> + for<'s> Events<'s, Event = Text<'s>>> Side<'t, S> {
    fn new(session: S, text: &'t str, now: Instant) -> Self {
        let deadline = now + HandshakeConfig::default().timeout;
        Self { session, text, heard: Vec::new(), deadline }
    }

    /// Its turn. Gives what became of it, once it has ended.
    fn turn(&mut self, streams: &mut Streams, end: End) -> Option<Ending> {
        let on_text = |text: Text<'_>| self.heard.push(text.as_bytes().to_vec());
        let outcome = streams.drive(end, &mut self.session, on_text)?;
        let ending = Ending { heard: self.heard.clone(), outcome, at: streams.now() };
        assert!(ending.at <= self.deadline, "{ending:?} after {:?}", self.deadline);
        Some(ending)
    }
}

/// How a server goes down in the middle of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Break {
    what: NodeFault,
    /// There was a rest of the greeting that its system had not taken.
    is_speaking: bool,
}

/// A handshake, on the client's side.
struct Call<'t> {
    ends: [End; 2],
    side: Side<'t, Client<'t>>,
    broken: Option<Break>,
}

impl Call<'_> {
    /// Success is never said wrongly, and nothing keeps it away but a crash.
    fn check(&self, ending: &Ending, streams: &Streams) {
        let (end, text) = (self.ends[1], self.side.text);
        let has_success = ending.is_success();
        let is_reset = streams.reset_at(end).is_some();
        assert!(ending.heard.len() <= 1, "{ending:?}");
        assert!(ending.heard.iter().all(|heard| text.as_bytes().starts_with(heard)), "{ending:?}");
        assert!(!has_success || streams.ended_at(end).is_some(), "success, and no end");
        assert!(ending.outcome != Outcome::Broken || is_reset, "broken by nothing");
        let Some(broken) = self.broken else {
            return assert!(has_success && ending.has_heard(text), "{ending:?}, not {text:?}");
        };
        // The end of the stream may be the end of a text, and the system of a program that is killed
        // ends it: there alone a part may pass for the whole.
        let may_be_cut = broken == Break { what: NodeFault::Kill, is_speaking: true };
        let is_something = ending.heard.iter().any(|heard| !heard.is_empty());
        let is_right = ending.has_heard(text) || (may_be_cut && is_something);
        assert!(!has_success || is_right, "{ending:?}, not {text:?}");
    }
}

/// A client, and what it wants.
struct Caller<'t> {
    answer: &'t str,
    call: Option<Call<'t>>,
    /// How many handshakes are still to succeed.
    wanted: usize,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Inject(NodeFault, Duration),
    Call(usize),
}

struct Simulation<'t> {
    random: Random,
    streams: Streams,
    agenda: Agenda<Step>,
    /// What the server says in this life, and in those to come.
    greetings: &'t [String],
    served: BTreeMap<End, Side<'t, Server<'t>>>,
    outage: Option<Outage>,
    callers: Vec<Caller<'t>>,
}

impl<'t> Simulation<'t> {
    fn new(mut random: Random, greetings: &'t [String], answers: &'t [String]) -> Self {
        let mut streams = Streams::new(random.fork());
        let (now, mut agenda) = (streams.now(), Agenda::new(&mut streams));
        let second = Duration::from_secs(1);
        let callers = (0..).zip(answers).map(|(number, answer)| {
            let at = now + random.span(Duration::ZERO..=second);
            agenda.enter(&mut streams, at, Step::Call(number));
            Caller { answer, call: None, wanted: random.count(1..=3) }
        });
        let callers = callers.collect();
        for _ in 1..greetings.len() {
            let what = random.pick(&[NodeFault::Kill, NodeFault::PowerCut]);
            let longest = Duration::from_secs(random.pick(&[1, 5, 30]));
            let at = now + random.span(Duration::ZERO..=second * 2);
            let lasting = random.span(Duration::ZERO..=longest);
            agenda.enter(&mut streams, at, Step::Inject(what, lasting));
        }
        let (served, outage) = (BTreeMap::new(), None);
        Self { random, streams, agenda, greetings, served, outage, callers }
    }

    /// Runs until nothing will ever happen again.
    fn run(&mut self, sometimes: &mut Sometimes) {
        while let Some(end) = self.streams.advance() {
            if self.agenda.is_meant(end) {
                while let Some(step) = self.agenda.next(self.streams.now()) {
                    match step {
                        Step::Inject(what, lasting) => self.inject(what, lasting),
                        Step::Call(number) => self.call(number, sometimes),
                    }
                }
            } else if let Some(side) = self.served.get_mut(&end) {
                if let Some(ending) = side.turn(&mut self.streams, end) {
                    let text = side.text;
                    assert!(ending.is_success() && ending.has_heard(text), "{ending:?}: {text:?}");
                    self.served.remove(&end);
                }
            } else {
                self.attend(end, sometimes);
            }
        }
        assert!(self.served.is_empty(), "the server waits for ever");
        for caller in &self.callers {
            assert!(caller.call.is_none() && caller.wanted == 0, "a client waits for ever");
        }
    }

    fn inject(&mut self, what: NodeFault, lasting: Duration) {
        let now = self.streams.now();
        if self.outage.is_some_and(|outage| now < outage.back_at) {
            return;
        }
        let back_at = now + lasting;
        for (end, side) in std::mem::take(&mut self.served) {
            what.inject(&mut self.streams, end, back_at);
            let is_speaking = matches!(side.session.poll_transmit(), Output::Bytes { .. });
            let calls = self.callers.iter_mut().filter_map(|caller| caller.call.as_mut());
            for call in calls.filter(|call| call.ends[0] == end) {
                call.broken = Some(Break { what, is_speaking });
            }
        }
        self.outage = Some(Outage { what, back_at });
        self.greetings = &self.greetings[1..];
    }

    /// A client calls, if there is anybody.
    fn call(&mut self, number: usize, sometimes: &mut Sometimes) {
        let now = self.streams.now();
        if let Some(failed_at) = self.outage.and_then(|outage| outage.fails_at(now)) {
            sometimes.note("nobody there, and nobody to say so", failed_at > now);
            sometimes.note("refused", failed_at == now);
            return self.agenda.enter(&mut self.streams, failed_at + PAUSE, Step::Call(number));
        }
        let (caller, greeting) = (&mut self.callers[number], &*self.greetings[0]);
        let answer = caller.answer;
        let directions = [brisk(&mut self.random, greeting), brisk(&mut self.random, answer)];
        let ends = self.streams.connect(directions, None);
        let config = HandshakeConfig::default();
        let server = Server::new(now, Text::new(greeting).unwrap(), config);
        // It may have others to see to first.
        let busy = Duration::from_millis(self.random.pick(&[0, 0, 300]));
        self.streams.stall(ends[0], now + busy);
        self.served.insert(ends[0], Side::new(server, answer, now));
        let client = Client::new(now, Text::new(answer).unwrap(), config);
        caller.call = Some(Call { ends, side: Side::new(client, greeting, now), broken: None });
    }

    /// A client's turn.
    fn attend(&mut self, end: End, sometimes: &mut Sometimes) {
        let is_its = |call: &Call<'_>| call.ends[1] == end;
        let mut callers = (0..).zip(&mut self.callers);
        let found = callers.find(|(_, caller)| caller.call.as_ref().is_some_and(is_its));
        let Some((number, caller)) = found else { return };
        let Some(mut call) = caller.call.take() else { return };
        let Some(ending) = call.side.turn(&mut self.streams, end) else {
            caller.call = Some(call);
            return;
        };
        call.check(&ending, &self.streams);
        caller.wanted -= usize::from(ending.is_success());
        let has_failed = |error| ending.outcome == Outcome::Failed(error);
        if let Some(Break { what, .. }) = call.broken {
            let is_kill = what == NodeFault::Kill;
            let is_cut = ending.is_success() && !ending.has_heard(call.side.text);
            sometimes.note("a greeting cut short", is_cut);
            sometimes.note("killed before a word", is_kill && has_failed(HandshakeError::Silent));
            sometimes.note("killed, and reset", is_kill && ending.outcome == Outcome::Broken);
            sometimes.note("killed after its part", is_kill && ending.is_success() && !is_cut);
            let is_back = self.outage.is_some_and(|outage| outage.back_at < ending.at);
            let is_reset = ending.outcome == Outcome::Broken;
            sometimes.note("reset by the next life", !is_kill && is_reset && is_back);
            sometimes
                .note("no word from the dead", !is_kill && has_failed(HandshakeError::TimedOut));
            sometimes
                .note("no end from the dead", !is_kill && has_failed(HandshakeError::Unclosed));
        }
        sometimes.note("success in a later life", ending.is_success() && self.outage.is_some());
        if caller.wanted > 0 {
            let at = self.streams.now() + PAUSE;
            self.agenda.enter(&mut self.streams, at, Step::Call(number));
        }
    }
}

#[test]
fn no_crash_passes_for_a_greeting_and_the_next_life_greets_everybody() {
    for_seeds(1_500, |seed, sometimes| {
        let mut random = Random::new(seed);
        let lives = random.count(1..=1 + MISHAPS);
        let greetings: Vec<_> = (0..lives).map(|_| some_text(&mut random, 0)).collect();
        let count = random.count(1..=4);
        let answers: Vec<_> = (0..count).map(|_| some_text(&mut random, 0)).collect();
        Simulation::new(random, &greetings, &answers).run(sometimes);
    });
}
