//! The cutting of a stream never matters, whatever the stream says.

use barewire_core::hello::{Client, HandshakeConfig, HandshakeError, Server};
use barewire_core::session::{Events, Session};
use barewire_core::text::Text;
use barewire_core::time::Instant;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::{Sometimes, for_seeds};
use barewire_tests::simulator::stream::{Direction, Outcome, Streams};

use super::{BRISK, Ending, Said, converse};
use crate::peers::Script;

/// So small that many texts are just too long for it.
const CAPACITY: usize = 8;

/// Bytes of every kind that matters to a reader of lines: ends, halves of ends, text, and what
/// begins a character, goes on with it, or never stands in one.
fn some_bytes(random: &mut Random) -> Vec<u8> {
    let count = random.count(0..=CAPACITY + 4);
    (0..count).map(|_| random.pick(b"\n\r\raaab\xe4\xbd\xa0\xf0\xff")).collect()
}

/// What the machine that `open` makes hears and reports when a peer says `speech`. The peer must
/// have got all of `reply`, unless one of them failed.
fn hear<S>(
    random: Random,
    directions: [Direction; 2],
    speech: &[u8],
    (open, reply): (impl FnOnce(Instant) -> S, &str),
) -> (Vec<Vec<u8>>, Outcome<HandshakeError>)
where
    S: Session<Error = HandshakeError> + for<'s> Events<'s, Event: Said>,
{
    let mut streams = Streams::new(random);
    let ends = streams.connect(directions, None);
    let (mut machine, mut peer) = (open(streams.now()), Script::new(speech));
    let (Ending { heard, outcome, .. }, at_peer) =
        converse::<S, Script>(&mut streams, ends, &mut machine, &mut peer);
    if outcome == Outcome::Closed && at_peer.is_success() {
        assert_eq!(at_peer.heard.concat(), reply.as_bytes());
    }
    (heard, outcome)
}

/// Compares what a machine makes of a stream that is cut with what it makes of a whole one.
fn compare<S>(seed: u64, sometimes: &mut Sometimes, open: impl Fn(Instant) -> S, reply: &str)
where
    S: Session<Error = HandshakeError> + for<'s> Events<'s, Event: Said>,
{
    let mut random = Random::new(seed);
    let speech = some_bytes(&mut random);
    let cut = [0, 1].map(|_| Direction::cutting(&mut random, BRISK, 1));
    let whole = [Direction::SMOOTH, Direction::SMOOTH];
    let expected = hear(random.fork(), whole, &speech, (&open, reply));
    let result = hear(random, cut, &speech, (&open, reply));
    assert_eq!(result, expected, "of {}", speech.escape_ascii());

    let (heard, outcome) = expected;
    assert_eq!(outcome == Outcome::Closed, heard.len() == 1, "a text is all it takes");
    sometimes.note("a text", heard.iter().any(|text| !text.is_empty()));
    sometimes.note("a longest text", heard.iter().any(|text| text.len() == CAPACITY));
    sometimes.note("an empty text", heard.iter().any(Vec::is_empty));
    sometimes.note("bytes that are no text", heard.iter().any(|text| text.contains(&0xff)));
    sometimes.note("too long", outcome == Outcome::Failed(HandshakeError::TooLong));
    sometimes.note("not a word", outcome == Outcome::Failed(HandshakeError::Silent));
}

#[test]
fn a_server_hears_the_same_however_the_answer_is_cut() {
    let greeting = Text::new("你好").unwrap();
    let open = |now| Server::<CAPACITY>::new(now, greeting, HandshakeConfig::default());
    for_seeds(1_500, |seed, sometimes| compare(seed, sometimes, open, "你好\n"));
}

#[test]
fn a_client_hears_the_same_however_the_greeting_is_cut() {
    let answer = Text::new("Hello").unwrap();
    let open = |now| Client::<CAPACITY>::new(now, answer, HandshakeConfig::default());
    for_seeds(1_500, |seed, sometimes| compare(seed, sometimes, open, "Hello"));
}
