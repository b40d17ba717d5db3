//! The session within: what it takes in parts, and how it fails.

extern crate std;
use core::fmt;
use std::vec::Vec;

use zeroize::Zeroizing;

use super::harness::{End, NOW, buffers, key, open, with_open};
use crate::secure::cipher_state::CipherState;
use crate::secure::{Channel, ChannelError, Secured, SecuredError};
use crate::session::{Events, Output, Session};
use crate::time::Instant;

/// Takes three bytes at a call and tells nothing of them; fails at an exclamation mark, with a last word.
#[derive(Default)]
struct Nibbler {
    hears: Vec<u8>,
    says: Vec<u8>,
    shuts_down: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Failed;

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed")
    }
}

impl core::error::Error for Failed {}

impl Events<'_> for Nibbler {
    type Event = ();
}

impl Session for Nibbler {
    type Error = Failed;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        _now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<(), Failed> {
        let (taken, rest) = input.split_at(input.len().min(3));
        *input = rest;
        self.hears.extend_from_slice(taken);
        if taken.contains(&b'!') {
            self.says.extend(b"farewell");
            return Err(nb::Error::Other(Failed));
        }
        Err(nb::Error::WouldBlock)
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<(), Failed> {
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, _now: Instant) -> nb::Result<(), Failed> {
        Err(nb::Error::WouldBlock)
    }

    fn poll_transmit(&self) -> Output<'_> {
        match &self.says[..] {
            [] if self.shuts_down => Output::Shutdown,
            [] => Output::Nothing,
            head => Output::Bytes { head, tail: &[], more: false },
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.shuts_down &= !self.says.is_empty();
        self.says.drain(..count.min(self.says.len()));
    }

    fn poll_deadline(&self) -> Option<Instant> {
        None
    }
}

/// A server within which a nibbler hears all of that, however often it must be offered; and its client.
fn nibble(text: &[u8], shuts_down: bool, then: impl FnOnce(Heard<'_, '_>)) {
    let [mut at_client, mut at_server] = [(); 2].map(|()| buffers(1024, 1024));
    let keys = [key(1)];
    let [mut client, mut server] = open(&keys, &mut at_client, &mut at_server);
    client.talker.says.extend(text);
    let sent = client.send();
    let mut nibbler = Nibbler { shuts_down, ..Nibbler::default() };
    let (mut input, mut calls, mut failed) = (&sent[..], 0, None);
    while !input.is_empty() && failed.is_none() {
        let mut secured = Secured { session: &mut nibbler, channel: &mut server.channel };
        failed =
            secured.handle_input(NOW, &mut input).err().filter(|it| *it != nb::Error::WouldBlock);
        calls += 1;
        assert!(calls <= sent.len(), "it takes nothing any more");
    }
    then(Heard { nibbler, client, server: &mut server.channel, failed });
}

struct Heard<'c, 'b> {
    nibbler: Nibbler,
    client: End<'c>,
    server: &'c mut Channel<'b>,
    failed: Option<nb::Error<SecuredError<Failed>>>,
}

impl Heard<'_, '_> {
    /// What is sent yet, and whether the direction is ended behind it.
    fn last_word(&mut self) -> (Vec<u8>, bool) {
        let mut sent = Vec::new();
        loop {
            let mut secured = Secured { session: &mut self.nibbler, channel: self.server };
            secured.prepare_transmit(NOW);
            let count = match secured.poll_transmit() {
                Output::Bytes { head, .. } => {
                    sent.extend_from_slice(head);
                    head.len()
                }
                output => return (sent, output == Output::Shutdown),
            };
            secured.transmitted(NOW, count);
        }
    }
}

#[test]
fn a_session_that_takes_a_part_of_a_record_gets_each_byte_once() {
    let text: Vec<u8> = (b'a'..=b'z').cycle().take(200).collect();
    nibble(&text, false, |heard| {
        assert_eq!(heard.failed, None);
        assert_eq!(heard.nibbler.hears, text);
    });
}

#[test]
fn who_fails_says_its_last_word_and_no_end_that_it_does_not_say() {
    for shuts_down in [false, true] {
        nibble(b"help!", shuts_down, |mut heard| {
            assert_eq!(heard.failed, Some(nb::Error::Other(SecuredError::Session(Failed))));
            let (sent, is_shut_down) = heard.last_word();
            heard.client.hear(&sent).unwrap();
            assert_eq!(heard.client.talker.hears, b"farewell");
            assert_eq!((heard.client.talker.hears_end, is_shut_down), (shuts_down, shuts_down));
            let ended = if shuts_down { Ok(()) } else { Err(ChannelError::Cut) };
            assert_eq!(heard.client.end(), ended);
        });
    }
}

#[test]
fn who_cannot_seal_any_more_fails_in_time_and_sends_nothing() {
    with_open([1024, 64], |[mut client, _]| {
        *client.channel.cipher() = CipherState::at(Zeroizing::new([5; 32]), u64::MAX);
        client.talker.says.extend(b"one too many");
        assert_eq!((client.send().len(), client.channel.is_open()), (0, false));
        let mut secured = client.secured();
        assert!(secured.poll_deadline().is_some_and(|at| at <= NOW));
        assert_eq!(
            secured.handle_timeout(NOW),
            Err(nb::Error::Other(SecuredError::Channel(ChannelError::Exhausted)))
        );
        assert_eq!(client.hear(b"whatever"), Err(ChannelError::Exhausted));
        assert_eq!(client.end(), Err(ChannelError::Exhausted));
    });
}
