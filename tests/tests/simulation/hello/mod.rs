//! The hello handshake.

mod cutting;
mod faults;
mod success;
mod tutorial;

use barewire_core::hello::{Client, Error, Server};
use barewire_core::session::Session;
use barewire_core::text::{MAX_TEXT, Text};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::{Direction, End, Handler, Outcome, Streams};

use crate::peers::{Script, Tutorial};

/// So slow that two bytes never have the quiet period between them: the news that there is room
/// and the byte that follows it take this long each.
const BRISK: Duration = Duration::from_millis(90);

/// What became of one side.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ending<E = Error> {
    /// What it heard, event by event.
    heard: Vec<Vec<u8>>,
    outcome: Outcome<E>,
    at: Instant,
}

impl<E: PartialEq> Ending<E> {
    fn is_success(&self) -> bool {
        self.outcome == Outcome::Closed
    }

    fn has_heard(&self, text: &str) -> bool {
        self.heard == [text.as_bytes()]
    }
}

/// Keeps what a side hears.
#[derive(Debug, Default)]
struct Heard(Vec<Vec<u8>>);

impl<'t, const N: usize> Handler<Server<'t, N>> for Heard {
    fn event<'e>(&mut self, text: Text<'e>)
    where
        Server<'t, N>: 'e,
    {
        self.0.push(text.as_bytes().to_vec());
    }
}

impl<'t, const N: usize> Handler<Client<'t, N>> for Heard {
    fn event<'e>(&mut self, text: Text<'e>)
    where
        Client<'t, N>: 'e,
    {
        self.0.push(text.as_bytes().to_vec());
    }
}

impl Handler<Script> for Heard {
    fn event<'e>(&mut self, bytes: &'e [u8])
    where
        Script: 'e,
    {
        self.0.push(bytes.to_vec());
    }
}

impl Handler<Tutorial> for Heard {
    fn event<'e>(&mut self, bytes: &'e [u8])
    where
        Tutorial: 'e,
    {
        self.0.push(bytes.to_vec());
    }
}

/// Runs a conversation to its end. A side that would wait for ever is a failure.
fn converse<A, B>(
    streams: &mut Streams,
    ends: [End; 2],
    a: &mut A,
    b: &mut B,
) -> (Ending<A::Error>, Ending<B::Error>)
where
    A: Session,
    B: Session,
    Heard: Handler<A> + Handler<B>,
{
    let (mut heard_a, mut heard_b) = (Heard::default(), Heard::default());
    let (mut outcome_a, mut outcome_b) = (None, None);
    while let Some(end) = streams.advance() {
        let at = streams.now();
        if end == ends[0] {
            outcome_a = streams.drive_with(end, a, &mut heard_a).map(|outcome| (outcome, at));
        } else {
            outcome_b = streams.drive_with(end, b, &mut heard_b).map(|outcome| (outcome, at));
        }
    }
    (ending(heard_a, outcome_a), ending(heard_b, outcome_b))
}

fn ending<E>(Heard(heard): Heard, outcome: Option<(Outcome<E>, Instant)>) -> Ending<E> {
    let (outcome, at) = outcome.expect("nothing will ever happen again, and a side still waits");
    Ending { heard, outcome, at }
}

/// A text to say, most often a short one: characters of every length, and those that a terminal
/// or a line reader might stumble over.
fn some_text(random: &mut Random, shortest: usize) -> String {
    let longest = if random.chance(3) { MAX_TEXT } else { 24 };
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
