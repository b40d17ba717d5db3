//! Handshakes with the programs that a socket tutorial has people write, which end a text with
//! nothing but silence.

use barewire_core::hello::{Client, HandshakeConfig, HandshakeError, Server};
use barewire_core::text::{DEFAULT_QUIET, MAX_TEXT, Text};
use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{Direction, Outcome, Streams};

use super::{Ending, brisk, converse, some_text};
use crate::peers::Tutorial;

/// A client of the core meets a tutorial server, whose greeting comes as `direction` has it. The
/// way back is smooth, since a tutorial program takes what one `recv` gives for everything.
fn greet(random: Random, direction: Direction, greeting: &str) -> Ending {
    let mut streams = Streams::new(random);
    let ends = streams.connect([direction, Direction::SMOOTH], None);
    let answer = Text::new("Hello").unwrap();
    let mut client = Client::<MAX_TEXT>::new(streams.now(), answer, HandshakeConfig::default());
    let mut server = Tutorial::server(greeting);
    streams.close_abruptly(ends[0]);
    let (at_server, at_client) = converse(&mut streams, ends, &mut server, &mut client);
    if at_client.is_success() {
        assert!(at_server.is_success() && at_server.has_heard("Hello"), "{at_server:?}");
    }
    at_client
}

#[test]
fn a_client_hears_all_that_comes_without_a_long_gap() {
    for_seeds(1_500, |seed, sometimes| {
        let mut random = Random::new(seed);
        let greeting = some_text(&mut random, 1);
        let direction = brisk(&mut random, &greeting);
        let at_client = greet(random, direction, &greeting);
        assert!(
            at_client.is_success() && at_client.has_heard(&greeting),
            "{at_client:?}, not {greeting:?}"
        );
        sometimes.note("a long greeting", greeting.len() > MAX_TEXT / 2);
    });
}

#[test]
fn a_long_gap_ends_a_text_but_never_inside_a_character() {
    for_seeds(1_500, |seed, sometimes| {
        let mut random = Random::new(seed);
        let count = random.count(1..=5);
        let greeting: String = (0..count).map(|_| random.pick(&['a', 'é', '你', '🦀'])).collect();
        let direction = Direction {
            delay: Duration::ZERO..=Duration::from_millis(600),
            piece: 1..=random.count(1..=4),
            window: random.count(1..=4),
            pauses: 0,
        };
        let at_client = greet(random, direction, &greeting);
        let [text] = &at_client.heard[..] else {
            assert_eq!(at_client.outcome, Outcome::Failed(HandshakeError::TimedOut));
            return sometimes.note("a text that takes too long", true);
        };
        let text = str::from_utf8(text).expect("no character is split");
        assert!(!text.is_empty() && greeting.starts_with(text), "{text:?} of {greeting:?}");
        sometimes.note("a shortened text", text != greeting);
        sometimes.note("a whole text", text == greeting);
    });
}

#[test]
fn a_character_is_waited_for_however_slowly_its_bytes_come() {
    for_seeds(500, |seed, _| {
        let mut random = Random::new(seed);
        let greeting = random.pick(&["é", "你", "🦀"]);
        // One byte at a time, and each later than the quiet period.
        let delay = DEFAULT_QUIET..=Duration::from_millis(1_000);
        let at_client =
            greet(random, Direction { delay, piece: 1..=1, window: 1, pauses: 0 }, greeting);
        assert!(
            at_client.is_success() && at_client.has_heard(greeting),
            "{at_client:?}, not {greeting:?}"
        );
    });
}

#[test]
fn a_server_hears_a_client_that_closes_at_once() {
    for_seeds(1_500, |seed, _| {
        let mut random = Random::new(seed);
        let answer = some_text(&mut random, 1);
        let direction = brisk(&mut random, &answer);
        let mut streams = Streams::new(random);
        let ends = streams.connect([Direction::SMOOTH, direction], None);
        let greeting = Text::new("你好").unwrap();
        let mut server =
            Server::<MAX_TEXT>::new(streams.now(), greeting, HandshakeConfig::default());
        let mut client = Tutorial::client(&answer);
        streams.close_abruptly(ends[1]);
        let (at_server, at_client) = converse(&mut streams, ends, &mut server, &mut client);
        assert!(
            at_server.is_success() && at_server.has_heard(&answer),
            "{at_server:?}, not {answer:?}"
        );
        // A driver may send the line feed apart, and then `recv` gives the greeting without it.
        let is_greeted = at_client.has_heard("你好\n") || at_client.has_heard("你好");
        assert!(at_client.is_success() && is_greeted, "{at_client:?}");
    });
}
