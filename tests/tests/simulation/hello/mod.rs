//! The hello handshake.

mod crash;
mod cutting;
mod faults;
mod success;
mod tutorial;

use barewire_core::hello::HandshakeError;
use barewire_core::session::{Events, Session};
use barewire_core::text::{MAX_TEXT, Text};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::{Direction, End, Outcome, Streams};

/// So slow that two bytes never have the quiet period between them: the news that there is room
/// and the byte that follows it take this long each.
const BRISK: Duration = Duration::from_millis(90);

/// What became of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending<E = HandshakeError> {
    /// What it heard, event by event.
    pub(crate) heard: Vec<Vec<u8>>,
    pub(crate) outcome: Outcome<E>,
    pub(crate) at: Instant,
}

impl<E: PartialEq> Ending<E> {
    pub(crate) fn is_success(&self) -> bool {
        self.outcome == Outcome::Closed
    }

    pub(crate) fn has_heard(&self, text: &str) -> bool {
        self.heard == [text.as_bytes()]
    }
}

/// What a side hears, as bytes.
pub(crate) trait Said {
    fn bytes(&self) -> &[u8];
}

impl Said for Text<'_> {
    fn bytes(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl Said for &[u8] {
    fn bytes(&self) -> &[u8] {
        self
    }
}

/// Runs a conversation to its end. A side that would wait for ever is a failure.
pub(crate) fn converse<A, B>(
    streams: &mut Streams,
    ends: [End; 2],
    a: &mut A,
    b: &mut B,
) -> (Ending<A::Error>, Ending<B::Error>)
where
    A: Session + for<'s> Events<'s, Event: Said>,
    B: Session + for<'s> Events<'s, Event: Said>,
{
    let (mut heard_a, mut heard_b) = (Vec::new(), Vec::new());
    let (mut outcome_a, mut outcome_b) = (None, None);
    while let Some(end) = streams.advance() {
        let at = streams.now();
        if end == ends[0] {
            let outcome = streams.drive(end, a, |said| heard_a.push(said.bytes().to_vec()));
            outcome_a = outcome.map(|outcome| (outcome, at));
        } else {
            let outcome = streams.drive(end, b, |said| heard_b.push(said.bytes().to_vec()));
            outcome_b = outcome.map(|outcome| (outcome, at));
        }
    }
    (ending(heard_a, outcome_a), ending(heard_b, outcome_b))
}

fn ending<E>(heard: Vec<Vec<u8>>, outcome: Option<(Outcome<E>, Instant)>) -> Ending<E> {
    let (outcome, at) = outcome.expect("nothing will ever happen again, and a side still waits");
    Ending { heard, outcome, at }
}

/// A text to say, most often a short one: characters of every length, and those that a terminal
/// or a line reader might stumble over.
fn some_text(random: &mut Random, shortest: usize) -> String {
    let longest = if random.chance(1) { MAX_TEXT } else { 24 };
    let count = random.count(shortest..=longest);
    let mut text = String::new();
    for _ in 0..count {
        let next = random.pick(&['a', 'b', 'é', '你', '🦀', '\r', '\t', '\0', '\u{202e}']);
        if text.len() + next.len_utf8() <= MAX_TEXT {
            text.push(next);
        }
    }
    // It would be part of a terminator.
    let kept = text.trim_end_matches('\r').len();
    text.truncate(kept);
    if text.len() < shortest { "你".into() } else { text }
}

/// A direction that cuts `text`, and brings all of it in a few seconds with no gap as long as the
/// quiet period.
fn brisk(random: &mut Random, text: &str) -> Direction {
    Direction::cutting(random, BRISK, 1 + text.len() / 12)
}
