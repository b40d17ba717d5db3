//! The cutting of a stream never matters, whatever the stream says.

use barewire_core::hello::{Client, Config, Error, Server};
use barewire_core::session::Session;
use barewire_core::text::Text;
use barewire_core::time::Instant;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{Direction, Handler, Outcome, Streams};

use super::{BRISK, Ending, Heard, converse};
use crate::peers::Script;

/// So small that many texts are just too long for it.
const CAPACITY: usize = 8;

/// Bytes of every kind that matters to a reader of lines: ends, halves of ends, text, and what
/// begins a character, goes on with it, or never stands in one.
fn some_bytes(random: &mut Random) -> Vec<u8> {
    let count = random.count(0..=CAPACITY + 4);
    (0..count).map(|_| random.pick(b"\n\r\raaab\xe4\xbd\xa0\xf0\xff")).collect()
}

/// What the machine that `open` makes hears and reports when a peer says `speech`.
fn hear<S>(
    random: Random,
    directions: [Direction; 2],
    speech: &[u8],
    open: impl FnOnce(Instant) -> S,
) -> (Vec<Vec<u8>>, Outcome<Error>)
where
    S: Session<Error = Error>,
    Heard: Handler<S>,
{
    let mut streams = Streams::new(random);
    let ends = streams.connect(directions, None);
    let (mut machine, mut peer) = (open(streams.now()), Script::new(speech));
    let (Ending { heard, outcome, .. }, _) =
        converse::<S, Script>(&mut streams, ends, &mut machine, &mut peer);
    (heard, outcome)
}

/// Compares what a machine makes of a stream that is cut with what it makes of a whole one.
fn compare<S>(open: impl Fn(Instant) -> S)
where
    S: Session<Error = Error>,
    Heard: Handler<S>,
{
    for_seeds(1_500, |seed, sometimes| {
        let mut random = Random::new(seed);
        let speech = some_bytes(&mut random);
        let cut = [0, 1].map(|_| Direction::cutting(&mut random, BRISK, 1));
        let whole = [Direction::SMOOTH, Direction::SMOOTH];
        let expected = hear(random.fork(), whole, &speech, &open);
        assert_eq!(hear(random, cut, &speech, &open), expected, "of {:?}", speech.escape_ascii());

        let (heard, outcome) = expected;
        sometimes.note("a text", heard.iter().any(|text| !text.is_empty()));
        sometimes.note("a longest text", heard.iter().any(|text| text.len() == CAPACITY));
        sometimes.note("an empty text", heard.iter().any(Vec::is_empty));
        sometimes.note("bytes that are no text", heard.iter().any(|text| text.contains(&0xff)));
        sometimes.note("too long", outcome == Outcome::Failed(Error::TooLong));
        sometimes.note("not a word", outcome == Outcome::Failed(Error::Silent));
    });
}

#[test]
fn a_server_hears_the_same_however_the_answer_is_cut() {
    let greeting = Text::new("你好").unwrap();
    compare(|now| Server::<CAPACITY>::new(now, greeting, Config::default()));
}

#[test]
fn a_client_hears_the_same_however_the_greeting_is_cut() {
    let answer = Text::new("Hello").unwrap();
    compare(|now| Client::<CAPACITY>::new(now, answer, Config::default()));
}
