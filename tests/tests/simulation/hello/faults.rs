//! Whatever goes wrong: an end in time, and no success that is none.

use barewire_core::hello::{Client, HandshakeConfig, HandshakeError, Server};
use barewire_core::text::{MAX_TEXT, Text};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};
use barewire_tests::simulator::stream::{
    Calamity, Direction, End, Fault, Moment, Outcome, Streams,
};

use super::{Ending, converse, some_text};

/// One handshake with one fault, for the assertions.
struct Run {
    fault: Fault,
    streams: Streams,
    deadlines: [Instant; 2],
    ends: [End; 2],
    endings: [Ending; 2],
    /// What each side was to hear.
    texts: [String; 2],
}

impl Run {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let (greeting, answer) = (some_text(&mut random, 0), some_text(&mut random, 0));
        let direction = |random: &mut Random| {
            Direction::cutting(random, Duration::from_millis(400), 1 + greeting.len() / 12)
        };
        let directions = [direction(&mut random), direction(&mut random)];
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let timeouts =
            [0, 1].map(|_| random.span(Duration::from_millis(50)..=Duration::from_secs(10)));
        let bytes = greeting.len() + answer.len() + 4;
        let span = random.pick(&[Duration::from_millis(500), timeouts[0], timeouts[1] * 2]);
        let fault = Fault::draw(&mut random, now, span, bytes);
        let ends = streams.connect(directions, Some(fault));

        // Silence is no message here: every text has its end, so a shortened one is a defect.
        let configs = timeouts
            .map(|timeout| HandshakeConfig::new().with_quiet(Duration::MAX).with_timeout(timeout));
        let mut server = Server::<MAX_TEXT>::new(now, Text::new(&greeting).unwrap(), configs[0]);
        let mut client = Client::<MAX_TEXT>::new(now, Text::new(&answer).unwrap(), configs[1]);
        let (at_server, at_client) = converse(&mut streams, ends, &mut server, &mut client);
        let deadlines = timeouts.map(|timeout| now + timeout);
        let (endings, texts) = ([at_server, at_client], [answer, greeting]);
        Self { fault, streams, deadlines, ends, endings, texts }
    }

    /// When the fault struck, if it did before `side` had ended.
    fn struck(&self, side: usize) -> Option<Instant> {
        self.streams.struck_at(self.ends[side]).filter(|at| *at < self.endings[side].at)
    }

    /// The latest time for a side to end: its deadline, or when it is given a turn again.
    fn latest(&self, side: usize) -> Instant {
        match (self.fault.what, self.streams.struck_at(self.ends[side])) {
            (Calamity::Stall { side: stalled, lasting }, Some(at)) if stalled == side => {
                self.deadlines[side].max(at + lasting)
            }
            _ => self.deadlines[side],
        }
    }

    fn check(&self) {
        for (side, ending) in self.endings.iter().enumerate() {
            let text = self.texts[side].as_bytes();
            let is_whole = |said: &Vec<u8>| said == text;
            assert!(ending.heard.iter().all(is_whole), "{ending:?}, not {:?}", self.texts[side]);
            assert!(ending.heard.len() <= 1, "{ending:?}");
            assert!(!ending.is_success() || !ending.heard.is_empty(), "success without a word");
            assert!(ending.at <= self.latest(side), "{ending:?} after {:?}", self.latest(side));
            assert!(!ending.is_success() || !self.is_reset(side), "success in spite of a reset");
            if ending.outcome == Outcome::Broken {
                assert!(self.streams.reset_at(self.ends[side]).is_some(), "broken by nothing");
            }
        }
    }

    /// Whether a reset came before the side had ended, and before its peer had ended in order.
    fn is_reset(&self, side: usize) -> bool {
        let end = self.ends[side];
        let latest = self.streams.ended_at(end).unwrap_or(Instant::from_micros(u64::MAX));
        self.streams.reset_at(end).is_some_and(|at| at < latest.min(self.endings[side].at))
    }

    fn note(&self, sometimes: &mut Sometimes) {
        let [at_server, at_client] = &self.endings;
        let struck = self.struck(1).is_some();
        let both = at_server.is_success() && at_client.is_success();
        sometimes.note("both succeed", both);
        let failed = |error| at_client.outcome == Outcome::Failed(error);
        let is_timed = matches!(self.fault.when, Moment::At(_));
        match self.fault.what {
            Calamity::Reset => {
                sometimes.note("a reset at a time", struck && is_timed);
                sometimes.note("a reset at a byte", struck && !is_timed);
                sometimes.note("a reset before a word", struck && at_client.heard.is_empty());
                sometimes.note("a reset after the greeting", struck && !at_client.heard.is_empty());
                let after = self.streams.struck_at(self.ends[1]).is_some() && !struck && both;
                sometimes.note("a reset after success", after);
                sometimes.note("only the client broken", at_server.is_success() && struck);
            }
            Calamity::Cut => {
                sometimes
                    .note("a cut before the greeting", struck && failed(HandshakeError::TimedOut));
                sometimes
                    .note("a cut after the answer", struck && failed(HandshakeError::Unclosed));
            }
            Calamity::Stall { .. } => {
                sometimes.note("a stall and success", struck && both);
                sometimes.note("a stall and no success", struck && !both);
                let late = |side: usize| self.endings[side].at > self.deadlines[side];
                sometimes.note("a stall over the deadline", late(0) || late(1));
            }
        }
    }
}

#[test]
fn no_fault_passes_for_success_or_outlasts_the_deadline() {
    for_seeds(4_000, |seed, sometimes| {
        let run = Run::new(seed);
        run.check();
        run.note(sometimes);
    });
}

/// Nothing is broken here: the bytes only drip, so that a quiet period is always about to end.
#[test]
fn a_dripping_peer_does_not_stretch_the_time() {
    for_seeds(1_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let (greeting, answer) = ("a greeting that takes its time", "so does the answer");
        let drip = Direction {
            delay: Duration::ZERO..=Duration::from_millis(90),
            piece: 1..=2,
            window: random.count(1..=4),
            pauses: 0,
        };
        let timeout = random.span(Duration::from_millis(100)..=Duration::from_secs(4));
        let config = HandshakeConfig::new().with_timeout(timeout);
        let mut streams = Streams::new(random);
        let ends = streams.connect([drip.clone(), drip], None);
        let deadline = streams.now() + timeout;
        let mut server = Server::<64>::new(streams.now(), Text::new(greeting).unwrap(), config);
        let mut client = Client::<64>::new(streams.now(), Text::new(answer).unwrap(), config);
        let (at_server, at_client) = converse(&mut streams, ends, &mut server, &mut client);
        for ending in [&at_server, &at_client] {
            assert!(ending.at <= deadline, "{ending:?} after {deadline:?}");
            let is_late = ending.outcome == Outcome::Failed(HandshakeError::TimedOut);
            assert!(!is_late || ending.at == deadline, "{ending:?} before {deadline:?}");
            sometimes.note("in time", ending.is_success());
            sometimes.note("in the middle of a text", is_late && ending.heard.is_empty());
        }
    });
}
