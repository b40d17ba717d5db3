//! One end against a peer that has the key and says anything, in either role: another's implementation of
//! Noise seals what it says, and opens what it hears.

use arbitrary::Arbitrary;
use barewire_core::secure::{
    Channel, ChannelConfig, ChannelError, Conversation, Key, Secured, SecuredError,
};
use barewire_core::time::Instant;

use super::dice::dice;
use super::talker::{Late, Talker};
use crate::manual_driver::ManualDriver;
use crate::script::{Cuts, START};

/// What the peer says, and how it comes.
#[expect(clippy::struct_excessive_bools, reason = "the fuzzer chooses each for itself")]
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    is_server: bool,
    /// The server's keys, and whose the client has.
    keys: u8,
    which: u8,
    size: u8,
    opening: Opening<'a>,
    cuts: Cuts,
    overstates: bool,
    says: &'a [u8],
    finishes: bool,
    records: Vec<Record<'a>>,
    ends: bool,
}

#[derive(Debug, Arbitrary)]
enum Opening<'a> {
    Right,
    OtherKey,
    OtherConversation,
    OtherVersion,
    UnknownSize,
    Flip(u8, u8),
    Short(u8),
    Garbage(&'a [u8]),
}

#[derive(Debug, Arbitrary)]
enum Record<'a> {
    Data(&'a [u8]),
    Much(u16),
    End,
    /// Whatever this is.
    Kind(u8, &'a [u8]),
    Nothing,
    /// A bit behind the length is another.
    Flipped(&'a [u8], u16, u8),
    /// The last comes once more.
    Repeated,
    /// One is sealed and does not come.
    Skipped,
    /// A length that is none.
    Length(u8),
}

/// What must come of it.
#[derive(Default)]
struct Model {
    stream: Vec<u8>,
    heard: Vec<u8>,
    has_ended: bool,
    error: Option<ChannelError>,
    /// One was sealed that did not come: whatever comes next is not the next.
    is_skipped: bool,
    /// The peer has shown that it has the key: a server by its answer, a client by its first record.
    is_proven: bool,
}

impl Model {
    fn fail(&mut self, error: ChannelError) {
        self.error.get_or_insert(error);
    }

    /// A record of this plaintext comes.
    fn come(&mut self, plain: &[u8], record: &[u8], size: usize) {
        self.stream.extend_from_slice(record);
        if self.error.is_some() {
            return;
        }
        if self.has_ended || record.len() > size || plain.is_empty() || self.is_skipped {
            return self.fail(ChannelError::Forged);
        }
        match plain {
            [0, data @ ..] if !self.is_proven || !data.is_empty() => {
                self.heard.extend_from_slice(data);
            }
            [1] => self.has_ended = true,
            _ => return self.fail(ChannelError::Malformed),
        }
        self.is_proven = true;
    }
}

/// The peer's end.
struct Peer {
    state: snow::TransportState,
    last: Vec<u8>,
}

impl Peer {
    fn record(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut sealed = vec![0; plain.len() + 16];
        let length = self.state.write_message(plain, &mut sealed).expect("it is not too long");
        let length = u16::try_from(length).expect("it is not too long");
        self.last = [&length.to_be_bytes()[..], &sealed].concat();
        self.last.clone()
    }

    /// What was said in these records, of which the first may be empty, and whether an end was.
    fn open(&mut self, mut records: &[u8], mut may_be_empty: bool) -> (Vec<u8>, bool) {
        let mut said = Vec::new();
        while let Some((length, rest)) = records.split_first_chunk() {
            assert!(!rest.is_empty());
            let (sealed, rest) = rest.split_at(u16::from_be_bytes(*length).into());
            let mut plain = vec![0; sealed.len()];
            let length = self.state.read_message(sealed, &mut plain).expect("it is sealed");
            records = rest;
            match &plain[..length] {
                [0, data @ ..] if may_be_empty || !data.is_empty() => said.extend_from_slice(data),
                [1] => {
                    assert!(rest.is_empty(), "something follows the end");
                    return (said, true);
                }
                other => panic!("{other:?} is no record"),
            }
            may_be_empty = false;
        }
        (said, false)
    }
}

fn noise<'n>(prologue: &'n [u8], key: &'n [u8; 32]) -> snow::Builder<'n> {
    let name = "Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s".parse().expect("a pattern");
    let builder = snow::Builder::new(name).psk(0, key).and_then(|new| new.prologue(prologue));
    builder.expect("it is complete").fixed_ephemeral_key_for_testing_only(&[0x77; 32])
}

/// One end, and what drives it.
struct End<'b> {
    channel: Channel<'b>,
    talker: Talker,
    driver: ManualDriver,
    failed: Option<SecuredError<Late>>,
}

impl End<'_> {
    fn hear(&mut self, now: Instant, bytes: &[u8]) {
        if !self.driver.is_over() {
            let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
            let failed = self.driver.hear(now, &mut secured, bytes, |_| {});
            self.failed = self.failed.or(failed);
            self.send(now);
        }
    }

    fn end(&mut self, now: Instant) {
        if !self.driver.is_over() {
            self.driver.ended = true;
            self.hear(now, &[]);
        }
    }

    fn send(&mut self, now: Instant) {
        let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
        self.driver.transmit(now, &mut secured, u64::MAX);
    }

    fn take_sent(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.driver.sent)
    }
}

/// The opening, or the answer to one, as it comes, and how it fails if it does.
fn spoil(input: &Input<'_>, opening: &mut Vec<u8>) -> Option<ChannelError> {
    let wrong = |place: usize| match place {
        0 => ChannelError::NotKeyed,
        1 | 2 if input.is_server => ChannelError::NotKeyed,
        3 if input.is_server => ChannelError::OtherVersion,
        4 if input.is_server => ChannelError::OtherConversation,
        _ => ChannelError::WrongKey,
    };
    let short = |length: usize| {
        let is_refused = length == 0 && !input.is_server;
        if is_refused { ChannelError::Refused } else { ChannelError::HandshakeCut }
    };
    match input.opening {
        Opening::OtherKey => Some(ChannelError::WrongKey),
        Opening::OtherConversation if input.is_server => {
            opening[4] ^= 1;
            Some(ChannelError::OtherConversation)
        }
        Opening::OtherVersion if input.is_server => {
            opening[3] += 1;
            Some(ChannelError::OtherVersion)
        }
        Opening::Right | Opening::OtherConversation | Opening::OtherVersion => None,
        Opening::UnknownSize => Some(ChannelError::Malformed),
        Opening::Flip(at, bit) => {
            let at = usize::from(at) % opening.len();
            // (The highest bit of a point on the curve says nothing, RFC 7748 §5, but is hashed.)
            opening[at] ^= 1 << (bit % 8);
            Some(wrong(at))
        }
        Opening::Short(length) => {
            opening.truncate(usize::from(length) % opening.len());
            Some(short(opening.len()))
        }
        Opening::Garbage(bytes) => {
            let right = std::mem::replace(opening, bytes.to_vec());
            let told_early = if input.is_server { 5 } else { 1 };
            match bytes.iter().zip(&right).position(|(byte, own)| byte != own) {
                Some(at) if at < told_early => Some(wrong(at)),
                _ if bytes.len() < right.len() => Some(short(bytes.len())),
                Some(_) => Some(ChannelError::WrongKey),
                None => None,
            }
        }
    }
}

/// What is heard is what the peer said, up to its first mistake, which is told by its name; what is said is
/// sealed as the peer expects it.
pub fn check(input: &Input<'_>) {
    let keys: Vec<Key> = (1..=1 + input.keys % 64).map(|number| Key::new([number; 32])).collect();
    let which = usize::from(input.which) % keys.len();
    let (mut room, mut outgoing) = (vec![0xaa; 1024 << (input.size % 3)], vec![0xaa; 1500]);
    let size = room.len();
    let config = ChannelConfig::new(Conversation::File);
    let mut random = dice(7);
    let (key, own) = (&keys[which], [0x99; 32]);
    let secret = if matches!(input.opening, Opening::OtherKey) { &own } else { key.as_bytes() };
    let made = if input.is_server {
        Channel::server(START, config, &keys, &mut random, &mut room, &mut outgoing)
    } else {
        Channel::client(START, config, key, &mut random, &mut room, &mut outgoing)
    };
    // Some may have enough in the middle of a record.
    let (overstates, pauses) = (input.overstates, !input.keys.is_multiple_of(2));
    let mut end = End {
        channel: made.expect("its buffers are large enough"),
        talker: Talker::new(START),
        driver: ManualDriver { overstates, pauses, ..ManualDriver::default() },
        failed: None,
    };
    end.talker.say(input.says);
    end.talker.has_finished = input.finishes;

    let peers_size = if matches!(input.opening, Opening::UnknownSize) { 7 } else { input.size % 7 };
    let prologue = [1, b'B', b'W', 1, 3, if input.is_server { peers_size } else { input.size % 3 }];
    let noise = noise(&prologue, secret);
    let mut buffer = [0; 128];
    let (mut shakes, mut opening) = if input.is_server {
        let mut shakes = noise.build_initiator().expect("it is complete");
        let length = shakes.write_message(&[], &mut buffer).expect("there is room");
        (shakes, [&prologue, &buffer[..length]].concat())
    } else {
        let mut shakes = noise.build_responder().expect("it is complete");
        end.send(START);
        let first = end.take_sent();
        assert_eq!(first[..6], prologue);
        let read = shakes.read_message(&first[6..], &mut buffer);
        assert_eq!(read.is_err(), matches!(input.opening, Opening::OtherKey));
        // Without the key it answers all the same.
        let length = shakes.write_message(&[peers_size], &mut buffer).unwrap_or(49);
        (shakes, [&[1], &buffer[..length]].concat())
    };
    let failure = spoil(input, &mut opening);
    for piece in input.cuts.pieces(&opening) {
        end.hear(START, piece);
    }
    if let Some(failure) = failure {
        end.end(START);
        assert_eq!(end.failed, Some(SecuredError::Channel(failure)));
        assert!(!end.talker.is_called && !end.channel.is_open());
        assert!(end.take_sent().is_empty(), "it says something to who has no key");
        return;
    }
    let mut sent = end.take_sent();
    if input.is_server {
        assert_eq!((sent.len(), sent[0]), (50, 1), "it says something before it knows to whom");
        let length = shakes.read_message(&sent[1..], &mut buffer).expect("it has the key");
        assert_eq!(buffer[..length], [input.size % 3]);
        sent.clear();
    } else {
        assert!(!sent.is_empty(), "it does not prove that it has the key");
    }
    let state = shakes.into_transport_mode().expect("the handshake is over");
    talk(input, &mut end, Peer { state, last: Vec::new() }, sent, size);
    if input.is_server && end.channel.is_open() {
        assert_eq!(end.channel.peer_key(), which);
    }
}

fn talk(input: &Input<'_>, end: &mut End<'_>, mut peer: Peer, mut sent: Vec<u8>, size: usize) {
    let mut model = Model { is_proven: !input.is_server, ..Model::default() };
    assert_eq!((end.channel.is_open(), end.talker.is_called), (model.is_proven, model.is_proven));
    for record in &input.records {
        match *record {
            Record::Data(data) => {
                let plain = [&[0], data].concat();
                let record = peer.record(&plain);
                model.come(&plain, &record, size);
            }
            Record::Much(count) => {
                let mut plain = vec![b'x'; 1 + usize::from(count) % 5_000];
                plain[0] = 0;
                let record = peer.record(&plain);
                model.come(&plain, &record, size);
            }
            Record::End => {
                let record = peer.record(&[1]);
                model.come(&[1], &record, size);
            }
            Record::Kind(kind, rest) => {
                let plain = [&[kind], rest].concat();
                let record = peer.record(&plain);
                model.come(&plain, &record, size);
            }
            Record::Nothing => {
                let record = peer.record(&[]);
                model.come(&[], &record, size);
            }
            Record::Flipped(data, at, bit) => {
                let mut record = peer.record(&[&[0], data].concat());
                let at = 2 + usize::from(at) % (record.len() - 2);
                record[at] ^= 1 << (bit % 8);
                model.come(&[], &record, size);
            }
            Record::Repeated => {
                let record = peer.last.clone();
                if !record.is_empty() {
                    model.come(&[], &record, size);
                }
            }
            Record::Skipped => {
                let last = std::mem::take(&mut peer.last);
                peer.record(b"\0skipped");
                peer.last = last;
                model.is_skipped = true;
            }
            Record::Length(short) => model.come(&[], &[0, short % 17], size),
        }
    }
    for piece in input.cuts.pieces(&model.stream) {
        end.hear(START, piece);
        assert!(model.heard.starts_with(&end.talker.hears));
    }
    if input.ends {
        end.end(START);
        if !model.is_proven {
            model.fail(ChannelError::HandshakeCut);
        } else if !model.has_ended {
            model.fail(ChannelError::Cut);
        }
    }
    assert_eq!(end.talker.is_called, model.is_proven);
    if end.driver.closed {
        // Both have said that they end: what comes behind that is heard by nobody.
        assert!(model.has_ended && input.finishes && end.failed.is_none());
    } else {
        assert_eq!(end.failed, model.error.map(SecuredError::Channel));
    }
    assert_eq!((&end.talker.hears, end.talker.hears_end), (&model.heard, model.has_ended));
    sent.extend(end.take_sent());
    let (said, has_ended) = peer.open(&sent, !input.is_server);
    if !input.is_server || (model.is_proven && model.error.is_none()) {
        assert_eq!((&said[..], has_ended), (input.says, input.finishes));
    } else {
        // It may have heard the mistake before it could say anything.
        assert!(input.says.starts_with(&said) && (!has_ended || said == input.says));
        assert!(model.is_proven || sent.is_empty());
    }
    if end.failed.is_none() && !end.driver.is_over() {
        let mut now = START;
        let mut secured = Secured { session: &mut end.talker, channel: &mut end.channel };
        end.driver.run_out(&mut now, &mut secured, |_| {});
    }
}
