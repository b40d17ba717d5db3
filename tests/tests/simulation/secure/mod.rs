//! Conversations under a key.

mod chat;
mod file;
mod hello;

use barewire_core::secure::rand_core::CryptoRng;
use barewire_core::secure::{Channel, ChannelConfig, Conversation, Key, RandomFn};
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::Direction;

/// The simulation's chance as that of the channels.
fn chance(random: &mut Random) -> impl CryptoRng {
    RandomFn::new(|bytes| bytes.fill_with(|| random.count(0..=255).to_le_bytes()[0]))
}

/// A direction that cuts, to a program that may have enough for a turn in the middle of a record.
fn direction(random: &mut Random, slowest: Duration, window: usize) -> Direction {
    let pauses = random.pick(&[0, 20]);
    Direction { pauses, ..Direction::cutting(random, slowest, window) }
}

/// The memory of a channel's end, and its keys.
struct Memory {
    keys: Vec<Key>,
    receive: Vec<u8>,
    send: Vec<u8>,
}

impl Memory {
    fn draw(random: &mut Random) -> Self {
        let keys = (0..random.count(1..=3)).map(|_| Key::generate(&mut chance(random))).collect();
        Self::with_keys(random, keys)
    }

    /// For the other end.
    fn with_keys(random: &mut Random, keys: Vec<Key>) -> Self {
        let receive = vec![0; random.pick(&[1024, 1500, 4096])];
        let send = vec![0; random.pick(&[64, 100, 1024, 3000])];
        Self { keys, receive, send }
    }

    fn server(&mut self, random: &mut Random, now: Instant, of: Conversation) -> Channel<'_> {
        let Self { keys, receive, send } = self;
        let config = ChannelConfig::new(of);
        Channel::server(now, config, keys, &mut chance(random), receive, send).unwrap()
    }

    /// With the last of the keys.
    fn client(&mut self, random: &mut Random, now: Instant, of: Conversation) -> Channel<'_> {
        let Self { keys, receive, send } = self;
        let (config, key) = (ChannelConfig::new(of), keys.last().unwrap());
        Channel::client(now, config, key, &mut chance(random), receive, send).unwrap()
    }
}
