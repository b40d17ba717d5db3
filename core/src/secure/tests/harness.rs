//! Both ends of a channel in memory, and what speaks through it.

extern crate std;
use core::convert::Infallible;
use core::mem;
use std::vec::Vec;

use crate::secure::rand_core::CryptoRng;
use crate::secure::{
    Channel, ChannelConfig, ChannelError, Conversation, Key, RandomFn, Secured, SecuredError,
};
use crate::session::{Events, Output, Session};
use crate::time::Instant;

pub(super) const NOW: Instant = Instant::from_secs(9);

/// No chance at all: each byte is one more than the last.
pub(super) fn dice(mut next: u8) -> impl CryptoRng {
    RandomFn::new(move |bytes| {
        for byte in bytes {
            *byte = next;
            next = next.wrapping_add(1);
        }
    })
}

pub(super) fn key(number: u8) -> Key {
    Key::new([number; 32])
}

pub(super) const CONFIG: ChannelConfig = ChannelConfig::new(Conversation::Chat);

/// A session that says what it is told to, and takes what it may.
#[derive(Debug)]
pub(super) struct Talker {
    pub(super) says: Vec<u8>,
    pub(super) finishes: bool,
    has_shut_down: bool,
    pub(super) hears: Vec<u8>,
    pub(super) hears_end: bool,
    /// How many bytes it takes yet.
    pub(super) takes: usize,
    pub(super) deadline: Option<Instant>,
}

impl Talker {
    pub(super) fn new() -> Self {
        Self {
            says: Vec::new(),
            finishes: false,
            has_shut_down: false,
            hears: Vec::new(),
            hears_end: false,
            takes: usize::MAX,
            deadline: None,
        }
    }
}

impl<'s> Events<'s> for Talker {
    type Event = &'s [u8];
}

impl Session for Talker {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<&'s [u8], Infallible> {
        // Words end with a full stop: what has none is taken without an event.
        let most = self.takes.min(input.len());
        let stop = input[..most].iter().position(|byte| *byte == b'.').map(|at| at + 1);
        let (taken, rest) = input.split_at(stop.unwrap_or(most));
        *input = rest;
        self.takes -= taken.len();
        self.hears.extend_from_slice(taken);
        if stop.is_some() { Ok(taken) } else { Err(nb::Error::WouldBlock) }
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        self.hears_end = true;
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<&[u8], Infallible> {
        self.deadline = None;
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match self.says.split_first() {
            Some(_) => {
                let (head, tail) = self.says.split_at(self.says.len().div_ceil(2));
                Output::Bytes { head, tail, more: false }
            }
            None if self.finishes && !self.has_shut_down => Output::Shutdown,
            None if self.has_shut_down && self.hears_end => Output::Close,
            None => Output::Nothing,
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.has_shut_down = self.says.is_empty();
        self.says.drain(..count.min(self.says.len()));
    }

    fn poll_deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

/// One end.
pub(super) struct End<'b> {
    pub(super) channel: Channel<'b>,
    pub(super) talker: Talker,
    /// What was sent and has not been fetched, and whether the direction has ended behind it.
    pub(super) sent: Vec<u8>,
    pub(super) has_shut_down: bool,
    pub(super) has_closed: bool,
    /// What arrived and was not taken.
    pub(super) held: Vec<u8>,
}

impl<'b> End<'b> {
    pub(super) fn client(key: &Key, buffers: &'b mut [Vec<u8>; 2]) -> Self {
        let [receive, send] = buffers;
        let made = Channel::client(NOW, CONFIG, key, &mut dice(0x20), receive, send);
        Self::new(made.unwrap())
    }

    pub(super) fn server(keys: &'b [Key], buffers: &'b mut [Vec<u8>; 2]) -> Self {
        let [receive, send] = buffers;
        let made = Channel::server(NOW, CONFIG, keys, &mut dice(0x40), receive, send);
        Self::new(made.unwrap())
    }

    pub(super) fn new(channel: Channel<'b>) -> Self {
        Self {
            channel,
            talker: Talker::new(),
            sent: Vec::new(),
            has_shut_down: false,
            has_closed: false,
            held: Vec::new(),
        }
    }

    pub(super) fn secured(&mut self) -> Secured<'_, 'b, &mut Talker> {
        Secured { session: &mut self.talker, channel: &mut self.channel }
    }

    /// Sends what there is to send; gives all that was sent since.
    pub(super) fn send(&mut self) -> Vec<u8> {
        loop {
            let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
            secured.prepare_transmit(NOW);
            let count = match secured.poll_transmit() {
                Output::Bytes { head, tail, .. } => {
                    assert!(tail.is_empty() && !self.has_shut_down);
                    self.sent.extend_from_slice(head);
                    head.len()
                }
                Output::Shutdown => {
                    assert!(!self.has_shut_down);
                    self.has_shut_down = true;
                    0
                }
                output => {
                    self.has_closed |= output == Output::Close;
                    return mem::take(&mut self.sent);
                }
            };
            secured.transmitted(NOW, count);
        }
    }

    /// A record of what no channel says, in the place of the next.
    pub(super) fn seal_raw(&mut self, plain: &[u8]) -> Vec<u8> {
        let mut sealed = plain.to_vec();
        let tag = self.channel.cipher().seal(&[], &mut sealed).unwrap();
        let length = u16::try_from(sealed.len() + tag.len()).unwrap();
        length.to_be_bytes().into_iter().chain(sealed).chain(tag).collect()
    }

    /// Takes bytes, by the driving rule.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Result<(), ChannelError> {
        self.held.extend_from_slice(bytes);
        loop {
            let (before, mut input) = (self.held.len(), &self.held[..]);
            let mut secured = Secured { session: &mut self.talker, channel: &mut self.channel };
            let result = secured.handle_input(NOW, &mut input).map(|_| ());
            let left = input.len();
            self.held.drain(..before - left);
            match result {
                Err(nb::Error::Other(error)) => return Err(of_channel(error)),
                Err(nb::Error::WouldBlock) if left == before => return Ok(()),
                _ => {}
            }
        }
    }

    /// The peer has ended its direction.
    pub(super) fn end(&mut self) -> Result<(), ChannelError> {
        match self.secured().handle_end(NOW).map(|_| ()) {
            Err(nb::Error::Other(error)) => Err(of_channel(error)),
            _ => Ok(()),
        }
    }
}

fn of_channel(error: SecuredError<Infallible>) -> ChannelError {
    match error {
        SecuredError::Channel(error) => error,
        SecuredError::Session(never) => match never {},
    }
}

pub(super) fn buffers(receive: usize, send: usize) -> [Vec<u8>; 2] {
    [std::vec![0xaa; receive], std::vec![0xaa; send]]
}

/// Both ends, once they are open.
pub(super) fn open<'b>(
    keys: &'b [Key],
    at_client: &'b mut [Vec<u8>; 2],
    at_server: &'b mut [Vec<u8>; 2],
) -> [End<'b>; 2] {
    let mut client = End::client(&keys[keys.len() - 1], at_client);
    let mut server = End::server(keys, at_server);
    server.hear(&client.send()).unwrap();
    client.hear(&server.send()).unwrap();
    server.hear(&client.send()).unwrap();
    assert!(client.channel.is_open() && server.channel.is_open());
    [client, server]
}

/// Runs with both ends open, and with buffers of these sizes.
pub(super) fn with_open(sizes: [usize; 2], run: impl FnOnce([End<'_>; 2])) {
    let [receive, send] = sizes;
    let (mut at_client, mut at_server) = (buffers(receive, send), buffers(receive, send));
    run(open(&[key(1), key(2)], &mut at_client, &mut at_server));
}

/// What hexadecimal digits stand for.
pub(in crate::secure) fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    digits.as_chunks().0.iter().map(|[high, low]| u8::try_from(high << 4 | low).unwrap()).collect()
}
