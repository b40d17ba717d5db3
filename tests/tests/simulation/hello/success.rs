//! Where nothing goes wrong but the cutting and the waiting, every handshake succeeds.

use barewire_core::hello::{Client, HandshakeConfig, Server};
use barewire_core::text::{MAX_TEXT, Text};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::Streams;

use super::{brisk, converse, some_text};

#[test]
fn both_sides_hear_each_other() {
    for_seeds(2_000, |seed, sometimes| {
        let mut random = Random::new(seed);
        let (greeting, answer) = (some_text(&mut random, 0), some_text(&mut random, 0));
        let directions = [brisk(&mut random, &greeting), brisk(&mut random, &answer)];
        let mut streams = Streams::new(random);
        let ends = streams.connect(directions, None);

        let (now, config) = (streams.now(), HandshakeConfig::default());
        let mut server = Server::<MAX_TEXT>::new(now, Text::new(&greeting).unwrap(), config);
        let mut client = Client::<MAX_TEXT>::new(now, Text::new(&answer).unwrap(), config);
        let (at_server, at_client) = converse(&mut streams, ends, &mut server, &mut client);

        assert!(
            at_server.is_success() && at_server.has_heard(&answer),
            "{at_server:?}, not {answer:?}"
        );
        assert!(
            at_client.is_success() && at_client.has_heard(&greeting),
            "{at_client:?}, not {greeting:?}"
        );
        for ending in [&at_server, &at_client] {
            assert!(ending.at <= now + config.timeout, "{ending:?}");
        }
        sometimes.note("an empty greeting", greeting.is_empty());
        sometimes.note("an empty answer", answer.is_empty());
        sometimes.note("a long answer", answer.len() > MAX_TEXT - 8);
        sometimes.note("the client ends last", at_server.at < at_client.at);
        sometimes.note("the server ends last", at_client.at < at_server.at);
    });
}
