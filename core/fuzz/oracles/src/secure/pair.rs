//! Both ends, and between them somebody who changes, drops, repeats and replays what is under way.

use std::hash::{DefaultHasher, Hasher as _};

use arbitrary::Arbitrary;
use barewire_core::secure::{
    Channel, ChannelConfig, Conversation, DEFAULT_TIMEOUT, Key, Secured, SecuredError,
};
use barewire_core::time::Instant;

use super::dice::dice;
use super::talker::{Late, PATIENCE, Talker};
use crate::manual_driver::ManualDriver;
use crate::script::{START, Span};

/// What both say, and what is done to it.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    sizes: [u8; 4],
    is_same_key: bool,
    overstates: bool,
    steps: Vec<Step<'a>>,
}

#[derive(Debug, Arbitrary)]
enum Step<'a> {
    Say {
        by_client: bool,
        bytes: &'a [u8],
    },
    SayMuch {
        by_client: bool,
        count: u16,
    },
    Finish {
        by_client: bool,
    },
    /// A session takes no more than so many bytes, until it is told otherwise.
    Take {
        client: bool,
        count: u16,
    },
    /// A side's link takes so many bytes, and so many of what is under way arrive.
    Move {
        to_client: bool,
        taken: u16,
        arrived: u16,
    },
    Wait(Span),
    Flip {
        to_client: bool,
        at: u16,
        bit: u8,
    },
    Drop {
        to_client: bool,
        at: u16,
        count: u8,
    },
    /// What has been sent, by either side, comes once more.
    Replay {
        to_client: bool,
        at: u16,
        by_client: bool,
        from: u16,
        count: u16,
    },
    /// The stream ends in a direction, before all has arrived.
    Cut {
        to_client: bool,
    },
}

struct Side<'b> {
    channel: Channel<'b>,
    talker: Talker,
    driver: ManualDriver,
    /// All that was sent.
    sent: Vec<u8>,
    /// What is under way to this side.
    coming: Vec<u8>,
    is_cut: bool,
    has_opened: bool,
    failed: Option<SecuredError<Late>>,
}

impl<'b> Side<'b> {
    fn new(channel: Channel<'b>, overstates: bool, pauses: bool) -> Self {
        let driver = ManualDriver { overstates, pauses, ..ManualDriver::default() };
        let talker = Talker::new(START);
        Self {
            channel,
            talker,
            driver,
            sent: Vec::new(),
            coming: Vec::new(),
            is_cut: false,
            has_opened: false,
            failed: None,
        }
    }

    /// Sends up to so many bytes, and gives them.
    fn send(&mut self, now: Instant, room: u64) -> Vec<u8> {
        let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
        self.driver.transmit(now, &mut secured, room);
        let sent = std::mem::take(&mut self.driver.sent);
        self.sent.extend_from_slice(&sent);
        sent
    }

    /// So many bytes arrive, and behind the last of them perhaps the end.
    fn arrive(&mut self, now: Instant, count: usize, ends: bool) {
        if self.driver.ended || self.driver.is_over() {
            return;
        }
        let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
        let part: Vec<u8> = self.coming.drain(..count.min(self.coming.len())).collect();
        let mut failed = self.driver.hear(now, &mut secured, &part, |_| {});
        if failed.is_none() && (self.is_cut || (ends && self.coming.is_empty())) {
            self.driver.ended = true;
            failed = self.driver.listen(now, &mut secured, |_| {});
        }
        self.failed = self.failed.or(failed);
        self.has_opened |= self.channel.is_open();
    }

    fn wait(&mut self, now: Instant) {
        let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
        let failed = self.driver.expire(now, &mut secured, |_| {});
        self.failed = self.failed.or(failed);
    }

    /// Nothing more happens but time.
    fn run_out(&mut self, now: Instant) {
        self.talker.takes = usize::MAX;
        let mut at = now;
        if !self.driver.is_over() {
            let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
            let failed = self.driver.run_out(&mut at, &mut secured, |_| {});
            self.failed = self.failed.or(failed);
        }
        let latest = (START + PATIENCE + DEFAULT_TIMEOUT).max(now + DEFAULT_TIMEOUT);
        assert!(at <= latest, "it takes too long");
    }

    /// Whatever was done to it: what was heard was said, in this order, and the end is the end.
    fn judge(&self, other: &Self) {
        let (heard, said) = (&self.talker.hears, &other.talker.said);
        assert!(said.starts_with(heard), "never said: {heard:?}");
        if self.talker.hears_end {
            assert!(other.talker.has_finished, "an end that nobody said");
            assert_eq!(heard, said, "a cut that was taken for the end");
        }
        assert!(!self.driver.closed || self.failed.is_none());
        assert!(!self.channel.is_open() || self.talker.is_called);
        // Nothing that was said is to be seen.
        for part in said.chunks(24).take(8).filter(|part| part.len() >= 12) {
            assert!(!other.sent.windows(part.len()).any(|sent| sent == part), "plain: {part:?}");
        }
    }
}

/// Chance, by all that will be said: so nobody says what it has seen sent, as it is sent otherwise then.
fn chance(steps: &[Step<'_>]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for step in steps {
        if let Step::Say { bytes, .. } = step {
            hasher.write(bytes);
        }
    }
    hasher.finish()
}

fn key(number: u8) -> Key {
    Key::new([number; 32])
}

/// What arrives was said, in that order, or an error says that it was not; an end is never made by
/// others; and it ends in time.
pub fn check(input: &Input<'_>) {
    let mut buffers = input.sizes.map(|size| vec![0xaa; 1024 << (size % 4)]);
    let [receive, send, their_receive, their_send] = &mut buffers;
    send.truncate(64 + usize::from(input.sizes[1]) * 8);
    let keys = [key(1), key(2)];
    let (chance, config) = (chance(&input.steps), ChannelConfig::new(Conversation::Chat));
    let own = if input.is_same_key { &keys[1] } else { &key(3) };
    let client = Channel::client(START, config, own, &mut dice(chance), receive, send);
    let server =
        Channel::server(START, config, &keys, &mut dice(!chance), their_receive, their_send);
    // One of them may have enough in the middle of a record.
    let [client, server] =
        [client, server].map(|channel| channel.expect("its buffers are large enough"));
    let mut client = Side::new(client, input.overstates, chance & 1 != 0);
    let mut server = Side::new(server, input.overstates, chance & 2 != 0);
    let (mut now, mut is_well) = (START, input.is_same_key);
    for step in &input.steps {
        match *step {
            Step::Say { by_client: true, bytes } => client.talker.say(bytes),
            Step::Say { by_client: false, bytes } => server.talker.say(bytes),
            Step::SayMuch { by_client, count } => {
                let bytes: Vec<u8> =
                    (0..count % 8_000).map(|at| (at / 3).to_le_bytes()[0]).collect();
                if by_client { &mut client } else { &mut server }.talker.say(&bytes);
            }
            Step::Finish { by_client } => {
                if by_client { &mut client } else { &mut server }.talker.has_finished = true;
            }
            Step::Take { client: is_client, count } => {
                let side = if is_client { &mut client } else { &mut server };
                side.talker.takes = count.into();
            }
            Step::Move { to_client, taken, arrived } => {
                let (from, to) =
                    if to_client { (&mut server, &mut client) } else { (&mut client, &mut server) };
                to.coming.extend(from.send(now, taken.into()));
                to.arrive(now, arrived.into(), from.driver.has_shut_down());
            }
            Step::Wait(span) => {
                now += span.duration();
                // Whoever is late may have failed.
                is_well &= now < START + DEFAULT_TIMEOUT;
                client.wait(now);
                server.wait(now);
            }
            Step::Flip { to_client, at, bit } => {
                let coming = if to_client { &mut client.coming } else { &mut server.coming };
                if let Some(byte) = coming.get_mut(usize::from(at)) {
                    *byte ^= 1 << (bit % 8);
                    is_well = false;
                }
            }
            Step::Drop { to_client, at, count } => {
                let coming = if to_client { &mut client.coming } else { &mut server.coming };
                let start = usize::from(at).min(coming.len());
                let end = coming.len().min(start + usize::from(count));
                coming.drain(start..end);
                is_well &= start == end;
            }
            Step::Replay { to_client, at, by_client, from, count } => {
                let out = if by_client { &client.sent } else { &server.sent };
                let start = usize::from(from).min(out.len());
                let end = out.len().min(start + usize::from(count));
                let part = out[start..end].to_vec();
                let coming = if to_client { &mut client.coming } else { &mut server.coming };
                let at = usize::from(at).min(coming.len());
                is_well &= part.is_empty();
                coming.splice(at..at, part);
            }
            Step::Cut { to_client } => {
                if to_client { &mut client } else { &mut server }.is_cut = true;
                is_well = false;
            }
        }
        client.judge(&server);
        server.judge(&client);
        // Who has shown nothing has no conversation begun.
        assert!(client.has_opened || !server.talker.is_called);
    }
    // From now on the link is as it should be.
    for side in [&mut client, &mut server] {
        side.talker.has_finished = true;
        side.talker.takes = usize::MAX;
    }
    for _ in 0..4 {
        server.coming.extend(client.send(now, u64::MAX));
        server.arrive(now, usize::MAX, client.driver.has_shut_down());
        client.coming.extend(server.send(now, u64::MAX));
        client.arrive(now, usize::MAX, server.driver.has_shut_down());
    }
    client.send(now, 0);
    if is_well {
        for (side, other) in [(&client, &server), (&server, &client)] {
            assert!(side.driver.closed && side.failed.is_none(), "{:?}", side.failed);
            assert_eq!(side.talker.hears, other.talker.said);
        }
    }
    client.run_out(now);
    server.run_out(now);
    client.judge(&server);
    server.judge(&client);
    assert!(input.is_same_key || !(client.talker.is_called || server.talker.is_called));
    replay(&keys, chance, &client.sent, &server.sent);
}

/// What was recorded of a conversation begins no other.
fn replay(keys: &[Key], chance: u64, by_client: &[u8], by_server: &[u8]) {
    let config = ChannelConfig::new(Conversation::Chat);
    let [mut receive, mut send, mut their_receive, mut their_send] = [(); 4].map(|()| [0; 1024]);
    let mut random = dice(chance ^ 1);
    let server =
        Channel::server(START, config, keys, &mut random, &mut their_receive, &mut their_send);
    let client = Channel::client(START, config, &keys[1], &mut random, &mut receive, &mut send);
    for (channel, recorded) in [(server, by_client), (client, by_server)] {
        let mut side = Side::new(channel.expect("its buffers are large enough"), false, true);
        side.talker.say(b"who is there?");
        side.coming.extend_from_slice(recorded);
        side.arrive(START, usize::MAX, false);
        side.send(START, u64::MAX);
        assert!(!side.has_opened && !side.talker.is_called, "it takes a record for a peer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whichever of the two pauses.
    #[test]
    fn several_sentences_of_a_record_are_heard_in_as_many_turns() {
        let mut pausing = [false; 2];
        for text in [&b"one. two. three."[..], b"a.b.c", b"..", b"x.", b"no end", b"1. 2. 3. 4."] {
            let by = |by_client| Step::Say { by_client, bytes: text };
            let steps = vec![by(true), by(false)];
            let chance = chance(&steps);
            pausing = [pausing[0] || chance & 1 != 0, pausing[1] || chance & 2 != 0];
            check(&Input { sizes: [0, 255, 0, 0], is_same_key: true, overstates: false, steps });
        }
        assert_eq!(pausing, [true; 2]);
    }
}
