//! A stack in memory, with whims.

use std::fmt;

use barewire_core::driver::Transport;

use crate::adapter::{Peer, Seen, Stack};
use crate::random::Random;

/// A connection in memory, whose stack is as unkind as one may be: it cuts what it received, takes
/// one slice or both, says that it is full in either way, and resets whoever closes with bytes unread.
///
/// The kit tries its own driver on it. It is public for who has a driver of their own to try.
#[expect(clippy::struct_excessive_bools, reason = "independent facts about one connection")]
#[derive(Debug)]
pub struct ScriptedStream {
    arrived: Vec<u8>,
    ended: bool,
    is_broken: bool,
    is_closed: bool,
    room: Option<usize>,
    refuses_shutdown: bool,
    contents: Vec<u8>,
    /// What the peer has not looked at yet.
    out: Seen,
    /// How many bytes are received at once at most, and whether that is all in a turn.
    piece: usize,
    pauses: bool,
    is_pausing: bool,
    is_late: bool,
    takes_both: bool,
    says_zero: bool,
}

/// The peer has reset the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WasReset;

impl fmt::Display for WasReset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connection reset by peer")
    }
}

impl std::error::Error for WasReset {}

impl ScriptedStream {
    /// A connection with the whims that `seed` stands for.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(!seed);
        Self {
            arrived: Vec::new(),
            ended: false,
            is_broken: false,
            is_closed: false,
            room: None,
            refuses_shutdown: false,
            contents: Vec::new(),
            out: Seen::default(),
            piece: random.pick(&[1, 3, usize::MAX]),
            pauses: false,
            is_pausing: false,
            is_late: false,
            takes_both: random.below(2) == 0,
            says_zero: random.below(2) == 0,
        }
    }

    /// The same, whose stack gives one piece in a turn of the driver, and the rest in others: as one that has other
    /// connections to serve.
    #[must_use]
    pub fn pausing(mut self) -> Self {
        self.pauses = true;
        self
    }

    /// Whether [`receive`](Transport::receive) has something to give: bytes, the end, or an error.
    pub fn is_readable(&self) -> bool {
        self.is_broken || self.ended || !self.arrived.is_empty()
    }

    /// Whether [`send`](Transport::send) takes something, or has an error to give.
    pub fn is_writable(&self) -> bool {
        self.is_broken || self.room != Some(0)
    }

    fn check(&self) -> nb::Result<(), WasReset> {
        assert!(!self.is_closed, "a connection that was closed is used");
        if self.is_broken { Err(nb::Error::Other(WasReset)) } else { Ok(()) }
    }

    fn take<'b>(&mut self, bytes: impl Iterator<Item = &'b u8>) -> nb::Result<usize, WasReset> {
        self.check()?;
        assert!(!self.out.ended, "bytes are sent behind the end of the direction");
        let before = self.out.received.len();
        self.out.received.extend(bytes.take(self.room.unwrap_or(usize::MAX)));
        let count = self.out.received.len() - before;
        self.room = self.room.map(|room| room - count);
        if count == 0 && !self.says_zero { Err(nb::Error::WouldBlock) } else { Ok(count) }
    }
}

impl Transport for ScriptedStream {
    type Error = WasReset;

    fn receive(&mut self) -> nb::Result<&[u8], WasReset> {
        self.check()?;
        if !self.is_readable() || self.has_paused() {
            return Err(nb::Error::WouldBlock);
        }
        Ok(&self.arrived[..self.arrived.len().min(self.piece)])
    }

    fn consume(&mut self, count: usize) {
        self.arrived.drain(..count);
        self.is_pausing = self.pauses && count > 0;
    }

    fn send(&mut self, head: &[u8], tail: &[u8], _more: bool) -> nb::Result<usize, WasReset> {
        let tail = if self.takes_both { tail } else { &[] };
        self.take(head.iter().chain(tail))
    }

    fn send_contents(&mut self, offset: u64, length: u64) -> nb::Result<usize, WasReset> {
        let cut = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
        let contents = self.contents.get(cut(offset)..).unwrap_or_default();
        let contents = contents[..contents.len().min(cut(length))].to_vec();
        match self.take(contents.iter()) {
            // Here zero means that there are none.
            Ok(0) if !contents.is_empty() => Err(nb::Error::WouldBlock),
            Err(nb::Error::WouldBlock) if contents.is_empty() => Ok(0),
            sent => sent,
        }
    }

    fn shut_down(&mut self) -> nb::Result<(), WasReset> {
        self.check()?;
        if self.refuses_shutdown {
            return Err(nb::Error::WouldBlock);
        }
        self.out.ended = true;
        Ok(())
    }
}

impl Peer for ScriptedStream {
    fn deliver(&mut self, bytes: &[u8]) {
        self.arrived.extend_from_slice(bytes);
        // RFC 9293 §3.10.7.1: what comes to a connection that is closed is answered by a reset.
        self.out.reset |= self.is_closed;
    }

    fn end(&mut self) {
        self.ended = true;
    }

    fn reset(&mut self) {
        self.arrived.clear();
        self.is_broken = true;
    }

    fn look(&mut self, seen: &mut Seen) {
        seen.received.append(&mut self.out.received);
        (seen.ended, seen.reset) = (self.out.ended, self.out.reset);
    }

    fn set_room(&mut self, bytes: Option<usize>) -> bool {
        self.room = bytes;
        true
    }

    fn set_shutdown_refused(&mut self, is_refused: bool) -> bool {
        self.refuses_shutdown = is_refused;
        true
    }

    fn set_contents(&mut self, contents: &[u8]) -> bool {
        self.contents = contents.to_vec();
        true
    }

    fn unread(&mut self) -> Option<usize> {
        Some(self.arrived.len())
    }
}

impl Stack for ScriptedStream {
    fn close(&mut self) {
        self.is_closed = true;
        if self.arrived.is_empty() {
            self.out.ended = true;
        } else {
            // RFC 1122 §4.2.2.13: nobody reads that any more.
            self.abort();
        }
    }

    fn abort(&mut self) {
        self.is_closed = true;
        self.out.reset = true;
    }

    fn begin_turn(&mut self, is_late: bool) {
        (self.is_pausing, self.is_late) = (false, is_late);
    }

    fn has_paused(&self) -> bool {
        self.is_pausing && !self.is_late && self.is_readable()
    }
}
