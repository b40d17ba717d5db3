//! A member of a keyed room, as the load has many of them.

use core::convert::Infallible;
use std::io;

use barewire_core::nb;
use barewire_core::secure::{Channel, ChannelConfig, Conversation, Secured, SecuredError};
use barewire_core::session::{Event, Events, Output, Session};
use barewire_core::time::Instant;

use crate::key::{chance, key};

/// Nothing here waits for a clock.
const NOW: Instant = Instant::ZERO;

/// Room for the largest records, so that the server's buffers set their size.
const RECEIVE: usize = 64 * 1024;
const SEND: usize = 4 * 1024;

/// One end of a channel, and what is said through it.
pub(crate) struct Voice {
    channel: Channel<'static>,
    words: Words,
}

impl Voice {
    /// One that opens a channel to a room. Its buffers are never given back: there are as many as members,
    /// and the process ends with the benchmark.
    ///
    /// # Errors
    ///
    /// The buffers are too small.
    pub(crate) fn new(seed: u64) -> io::Result<Self> {
        let [receive, output] = [RECEIVE, SEND].map(|size| Box::leak(vec![0; size].into()));
        let config = ChannelConfig::new(Conversation::Chat);
        let channel = Channel::client(NOW, config, &key(), &mut chance(seed), receive, output);
        let channel = channel.map_err(|error| io::Error::other(format!("{error:?}")))?;
        Ok(Self { channel, words: Words::default() })
    }

    /// Opens what has arrived, and hands on what was said.
    ///
    /// # Errors
    ///
    /// It was not sealed with the key, or `heard` says so.
    pub(crate) fn hear(
        &mut self,
        mut bytes: &[u8],
        mut heard: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        loop {
            match self.secured().handle_input(NOW, &mut bytes) {
                Ok(said) => heard(said)?,
                Err(nb::Error::WouldBlock) => return Ok(()),
                Err(nb::Error::Other(error)) => return Err(failed(error)),
            }
        }
    }

    /// Says a line, as soon as the channel is open.
    pub(crate) fn say(&mut self, line: &[u8]) {
        self.words.line.extend_from_slice(line);
    }

    /// Hands `send` what is to go out.
    ///
    /// # Errors
    ///
    /// Those of `send`.
    pub(crate) fn send(&mut self, mut send: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        loop {
            let mut secured = self.secured();
            secured.prepare_transmit(NOW);
            let Output::Bytes { head, .. } = secured.poll_transmit() else { return Ok(()) };
            send(head)?;
            let count = head.len();
            secured.transmitted(NOW, count);
        }
    }

    fn secured(&mut self) -> Secured<'_, 'static, &mut Words> {
        Secured { session: &mut self.words, channel: &mut self.channel }
    }
}

fn failed(error: SecuredError<Infallible>) -> io::Error {
    io::Error::other(format!("the channel: {error:?}"))
}

/// A conversation that hands on all it hears, and says what it is told to.
#[derive(Debug, Default)]
struct Words {
    line: Vec<u8>,
    heard: Vec<u8>,
}

impl<'s> Events<'s> for Words {
    type Event = &'s [u8];
}

impl Session for Words {
    type Error = Infallible;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Event<'s, Self>, Infallible> {
        if input.is_empty() {
            return Err(nb::Error::WouldBlock);
        }
        self.heard.clear();
        self.heard.extend_from_slice(input);
        *input = &[];
        Ok(&self.heard)
    }

    fn handle_end(&mut self, _: Instant) -> nb::Result<Event<'_, Self>, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _: Instant) -> nb::Result<Event<'_, Self>, Infallible> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &self.line[..] {
            [] => Output::Nothing,
            head => Output::Bytes { head, tail: &[], more: false },
        }
    }

    fn transmitted(&mut self, _: Instant, count: usize) {
        self.line.drain(..count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}
