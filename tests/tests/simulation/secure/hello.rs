//! The hello handshake: as without a key, an end in time, and no success that is none.

use barewire_core::hello::{Client, HandshakeConfig, HandshakeError, Server};
use barewire_core::secure::{
    ChannelError, Conversation, DEFAULT_TIMEOUT, Key, Secured, SecuredError,
};
use barewire_core::text::Text;
use barewire_core::time::Duration;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::seeds::for_seeds;
use barewire_tests::simulator::stream::{Calamity, Fault, Outcome, Streams};

use super::{Memory, chance, direction};
use crate::hello::converse;

#[test]
fn no_fault_passes_for_success_or_outlasts_the_time() {
    let (greeting, answer) = ("a greeting", "an answer that is somewhat longer");
    for_seeds(300, |seed, sometimes| {
        let mut random = Random::new(seed);
        let mut at_server = Memory::draw(&mut random);
        let mut keys = at_server.keys.clone();
        let is_known = random.chance(90);
        if !is_known {
            keys.push(Key::generate(&mut chance(&mut random)));
        }
        let which = keys.len() - 1;
        let mut at_client = Memory::with_keys(&mut random, keys);
        let slowest = Duration::from_millis(random.pick(&[1, 40]));
        let directions = [(); 2].map(|()| direction(&mut random, slowest, 9));
        let mut streams = Streams::new(random.fork());
        let now = streams.now();
        let fault = random
            .chance(60)
            .then(|| Fault::draw(&mut random, now, Duration::from_millis(900), 250));
        let ends = streams.connect(directions, fault);

        let config = HandshakeConfig::new().with_quiet(Duration::MAX);
        let mut client = Client::<64>::new(now, Text::new(answer).unwrap(), config);
        let mut server = Server::<64>::new(now, Text::new(greeting).unwrap(), config);
        let mut channels = [
            at_server.server(&mut random, now, Conversation::Hello),
            at_client.client(&mut random, now, Conversation::Hello),
        ];
        let [here, there] = &mut channels;
        let mut at_server = Secured { session: &mut server, channel: here };
        let mut at_client = Secured { session: &mut client, channel: there };
        let (at_server, at_client) = converse(&mut streams, ends, &mut at_server, &mut at_client);

        let stalled = match fault.map(|fault| fault.what) {
            Some(Calamity::Stall { lasting, .. }) => lasting,
            _ => Duration::ZERO,
        };
        let latest = now + config.timeout + DEFAULT_TIMEOUT + stalled;
        for (ending, text) in [(&at_server, answer), (&at_client, greeting)] {
            assert!(ending.heard.is_empty() || ending.has_heard(text), "{ending:?}");
            assert!(!ending.is_success() || ending.has_heard(text), "success without a word");
            assert!(ending.heard.is_empty() || is_known, "heard with another key");
            assert!(ending.at <= latest, "{ending:?} after {latest:?}");
            sometimes.note("late", ending.outcome == failed(ChannelError::TimedOut));
            sometimes.note("broken", ending.outcome == Outcome::Broken);
        }
        if fault.is_none() && is_known {
            assert!(
                at_server.is_success() && at_client.is_success(),
                "{at_server:?} {at_client:?}"
            );
            assert_eq!(channels[0].peer_key(), which);
        }
        let is_refused = at_server.outcome == failed(ChannelError::WrongKey);
        assert!(!is_refused || !is_known);
        sometimes.note("another key", is_refused);
        sometimes.note("success", at_client.is_success());
    });
}

fn failed(error: ChannelError) -> Outcome<SecuredError<HandshakeError>> {
    Outcome::Failed(SecuredError::Channel(error))
}
