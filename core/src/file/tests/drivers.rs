//! Drivers by hand: the driving rule of [`driver`](crate::driver), with all that happens kept.

use super::std::format;
use super::std::string::String;
use super::std::vec::Vec;

use super::{MODIFIED, NOW, TAG, digest, subtree};
use crate::file::{
    Digest, Offer, Pending, PlainReceiver, Receiver, ReceiverError, ReceiverEvent, Refusal,
    Request, RequestEvent, ResponseHeader, Sender, SenderError, TransferConfig,
};
use crate::session::{Events, InMemory, Output, Session};
use crate::time::Instant;

/// A sender, its driver, and an owner who has some files.
pub(super) struct Server<const N: usize = 64> {
    pub(super) sender: Sender<N>,
    /// What was asked.
    pub(super) asked: Vec<String>,
    /// What went out; the half-close shows in `is_shut`.
    pub(super) sent: Vec<u8>,
    /// What the sender has left of its input.
    pub(super) held: Vec<u8>,
    pub(super) is_shut: bool,
    pub(super) is_closed: bool,
    pub(super) failed: Option<SenderError>,
    /// How many bytes the link takes at once.
    pub(super) step: usize,
    pub(super) digests: Digests,
    /// Of how many bytes digests were wanted.
    pub(super) hashed: u64,
    /// How many bytes of contents went out.
    pub(super) moved: u64,
    has_ended: bool,
    contents: Vec<u8>,
    file: fn(&[u8]) -> Result<Vec<u8>, Refusal>,
}

/// When the owner provides digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digests {
    /// As soon as they are pending.
    Early,
    /// Once nothing else can go out.
    Late,
}

/// What the owner has.
pub(super) fn lookup(name: &[u8]) -> Result<Vec<u8>, Refusal> {
    match name {
        b"a" => Ok(b"alpha".to_vec()),
        b"empty" => Ok(Vec::new()),
        b"" => Ok(b"5\t0\ta\n0\t0\tempty\n".to_vec()),
        b"busy" => Err(Refusal::Busy),
        b"failed" => Err(Refusal::Failed),
        b"device" => Err(Refusal::Refused),
        _ => Err(Refusal::NotFound),
    }
}

impl<const N: usize> Server<N> {
    pub(super) fn new() -> Self {
        Self::with(lookup)
    }

    pub(super) fn with(file: fn(&[u8]) -> Result<Vec<u8>, Refusal>) -> Self {
        Self {
            sender: Sender::new(NOW, TransferConfig::default()),
            asked: Vec::new(),
            sent: Vec::new(),
            held: Vec::new(),
            is_shut: false,
            is_closed: false,
            failed: None,
            step: usize::MAX,
            digests: Digests::Late,
            hashed: 0,
            moved: 0,
            has_ended: false,
            contents: Vec::new(),
            file,
        }
    }

    /// Bytes arrive, and everything that they lead to happens.
    pub(super) fn hear(&mut self, now: Instant, bytes: &[u8]) {
        self.held.extend(bytes);
        self.turn(now);
    }

    pub(super) fn hear_end(&mut self, now: Instant) {
        self.has_ended = true;
        self.turn(now);
    }

    /// The time comes.
    pub(super) fn expire(&mut self, now: Instant) {
        while self.failed.is_none() {
            let asked = self.sender.handle_timeout(now).map(own);
            if !self.settle(now, asked) {
                break;
            }
        }
        self.turn(now);
    }

    pub(super) fn turn(&mut self, now: Instant) {
        while self.failed.is_none() && !self.is_closed {
            let input = core::mem::take(&mut self.held);
            let mut rest = &input[..];
            let asked = self.sender.handle_input(now, &mut rest).map(own);
            self.held = rest.to_vec();
            let mut moved = self.settle(now, asked);
            if self.has_ended && self.held.is_empty() && self.failed.is_none() {
                let asked = self.sender.handle_end(now).map(own);
                moved |= self.settle(now, asked);
            }
            if !(self.transmit(now) || moved || self.held.len() < input.len()) {
                break;
            }
        }
    }

    /// Carries out what the sender wants, and provides what is pending, until it wants nothing.
    pub(super) fn transmit(&mut self, now: Instant) -> bool {
        let mut moved = false;
        while !self.is_closed {
            let is_silent = self.sender.poll_transmit() == Output::Nothing;
            if (self.digests == Digests::Early || is_silent) && self.oblige(now) {
                continue;
            }
            let is_contents = matches!(self.sender.poll_transmit(), Output::Contents { .. });
            let lent = InMemory { session: &mut self.sender, contents: &self.contents };
            let count = match lent.poll_transmit() {
                Output::Nothing => break,
                Output::Contents { .. } => panic!("more than was offered"),
                Output::Close => {
                    self.is_closed = true;
                    break;
                }
                Output::Shutdown => {
                    assert!(!core::mem::replace(&mut self.is_shut, true));
                    0
                }
                Output::Bytes { head, tail, .. } => {
                    assert!(!head.is_empty() && tail.is_empty() && !self.is_shut);
                    let (part, _) = head.split_at_checked(self.step).unwrap_or((head, &[]));
                    self.sent.extend(part);
                    part.len()
                }
            };
            self.moved += if is_contents { count as u64 } else { 0 };
            self.sender.transmitted(now, count);
            moved = true;
        }
        moved
    }

    /// Does what the sender waits for, if it waits for its owner and it was asked.
    fn oblige(&mut self, now: Instant) -> bool {
        match self.sender.pending() {
            Some(Pending::Digest(segment)) => {
                let [start, end] = [segment.start(), segment.end()];
                let [first, last] = [start, end].map(|offset| usize::try_from(offset).unwrap());
                let part = &self.contents[first..last];
                let is_whole = part.len() == self.contents.len();
                self.hashed += end - start;
                let digest = if is_whole { digest(part) } else { subtree(start, part) };
                self.sender.provide_digest(now, digest);
            }
            Some(Pending::Confirm) => self.sender.confirm(now),
            Some(Pending::Response) => panic!("every request is answered at once"),
            None => return false,
        }
        true
    }

    /// Keeps an event, and answers it.
    fn settle(&mut self, now: Instant, asked: nb::Result<Owned, SenderError>) -> bool {
        match asked {
            Ok((text, name)) => {
                self.asked.push(text);
                assert!(self.asked.len() < 999, "requests without end");
                match name.map(|name| (self.file)(&name)) {
                    Some(Ok(contents)) => {
                        let size = contents.len() as u64;
                        self.sender.offer(now, Offer { size, tag: TAG, modified: MODIFIED });
                        self.contents = contents;
                    }
                    Some(Err(refusal)) => self.sender.refuse(now, refusal),
                    None => {}
                }
                true
            }
            Err(nb::Error::WouldBlock) => false,
            Err(nb::Error::Other(error)) => {
                self.failed = Some(error);
                false
            }
        }
    }
}

/// An event as a text, and the name of what is to be answered.
type Owned = (String, Option<Vec<u8>>);

fn own(asked: RequestEvent<'_>) -> Owned {
    let name = match asked {
        RequestEvent::Request(Request { name, .. }) => Some(name.to_vec()),
        RequestEvent::Refused { .. } => None,
    };
    (format!("{asked:?}"), name)
}

/// What a receiver has told; contents that follow each other are one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Answered(ResponseHeader),
    Refused(Refusal),
    Contents(Vec<u8>),
    Verified { start: u64, end: u64, digest: Digest },
    Digest { start: u64, end: u64, digest: Digest },
    Complete,
    Failed(ReceiverError),
}

/// A receiver and its driver.
pub(super) struct Client<S> {
    pub(super) receiver: S,
    pub(super) seen: Vec<Seen>,
    pub(super) sent: Vec<u8>,
    pub(super) is_shut: bool,
    pub(super) is_closed: bool,
}

impl Seen {
    /// A file of one segment was right.
    pub(super) fn verified(contents: &[u8]) -> Self {
        Self::Verified { start: 0, end: contents.len() as u64, digest: digest(contents) }
    }
}

impl Client<Receiver<1024>> {
    /// Asks for all of `requests`, and for nothing more.
    pub(super) fn asking(requests: &[Request<'_>]) -> Self {
        let mut receiver = Receiver::new(NOW, TransferConfig::default());
        for request in requests {
            receiver.request(NOW, request).unwrap();
        }
        receiver.finish();
        Self::new(receiver)
    }
}

impl Client<PlainReceiver<'static>> {
    pub(super) fn plain(name: &'static str) -> Self {
        let name = crate::text::Text::new(name).unwrap();
        Self::new(PlainReceiver::new(NOW, name, TransferConfig::default()))
    }
}

impl<S> Client<S>
where
    S: Session<Error = ReceiverError> + for<'s> Events<'s, Event = ReceiverEvent<'s>>,
{
    /// A driver that has sent what there is to send.
    pub(super) fn new(receiver: S) -> Self {
        let seen = Vec::new();
        let mut client =
            Self { receiver, seen, sent: Vec::new(), is_shut: false, is_closed: false };
        client.transmit(NOW);
        client
    }

    pub(super) fn hear(&mut self, now: Instant, bytes: &[u8]) {
        let mut input = bytes;
        while !self.has_failed() {
            let step = self.receiver.handle_input(now, &mut input);
            if !settle(&mut self.seen, step) {
                break;
            }
        }
        assert!(input.is_empty() || self.has_failed(), "a receiver leaves nothing");
        self.transmit(now);
    }

    pub(super) fn hear_end(&mut self, now: Instant) {
        while !self.has_failed() && settle(&mut self.seen, self.receiver.handle_end(now)) {}
        self.transmit(now);
    }

    pub(super) fn expire(&mut self, now: Instant) {
        while !self.has_failed() && settle(&mut self.seen, self.receiver.handle_timeout(now)) {}
        self.transmit(now);
    }

    pub(super) fn has_failed(&self) -> bool {
        matches!(self.seen.last(), Some(Seen::Failed(_)))
    }

    pub(super) fn transmit(&mut self, now: Instant) {
        while !self.is_closed && !self.has_failed() {
            let count = match self.receiver.poll_transmit() {
                Output::Nothing => break,
                Output::Contents { .. } => panic!("a receiver sends no contents"),
                Output::Close => {
                    self.is_closed = true;
                    break;
                }
                Output::Shutdown => {
                    assert!(!core::mem::replace(&mut self.is_shut, true));
                    0
                }
                Output::Bytes { head, tail, .. } => {
                    assert!(!head.is_empty() && !self.is_shut);
                    self.sent.extend(head.iter().chain(tail));
                    head.len() + tail.len()
                }
            };
            self.receiver.transmitted(now, count);
        }
    }
}

fn settle(seen: &mut Vec<Seen>, step: nb::Result<ReceiverEvent<'_>, ReceiverError>) -> bool {
    let next = match step {
        Err(nb::Error::WouldBlock) => return false,
        Err(nb::Error::Other(error)) => Seen::Failed(error),
        Ok(ReceiverEvent::Response(answer)) => Seen::Answered(answer),
        Ok(ReceiverEvent::Refused(refusal)) => Seen::Refused(refusal),
        Ok(ReceiverEvent::Verified { start, end, digest }) => Seen::Verified { start, end, digest },
        Ok(ReceiverEvent::Digest { start, end, digest }) => Seen::Digest { start, end, digest },
        Ok(ReceiverEvent::Complete) => Seen::Complete,
        Ok(ReceiverEvent::Contents(bytes)) => {
            assert!(!bytes.is_empty());
            if let Some(Seen::Contents(before)) = seen.last_mut() {
                before.extend(bytes);
                return true;
            }
            Seen::Contents(bytes.to_vec())
        }
    };
    seen.push(next);
    true
}
