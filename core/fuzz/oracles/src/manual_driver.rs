//! A driver that does one part of the [driving rule](barewire_core::driver) at a time, whichever the
//! fuzzer wants, and [judges](crate::judge) the session.

use std::convert::Infallible;
use std::mem;

use barewire_core::driver::{DriveError, Step, Transport};
use barewire_core::session::{Event, Session};
use barewire_core::time::Instant;

use crate::judge::{Judge, Turn};

/// More deadlines in a row, with nothing but time passing, and the conversation never ends.
const DEADLINES: usize = 16;

/// So much may be due at one time, each thing behind the other.
const EXPIRATIONS: u32 = 8;

/// One end of a connection: what came in, and what went out.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about a connection")]
pub struct ManualDriver {
    /// What has arrived and was not taken.
    pub held: Vec<u8>,
    /// The peer has ended its stream.
    pub ended: bool,
    /// What was sent, contents left aside.
    pub sent: Vec<u8>,
    /// Which contents were sent: behind so many bytes of `sent`, from where to where.
    pub contents: Vec<(usize, u64, u64)>,
    /// With a number, contents are sent as the bytes of [`byte_at`].
    pub source: Option<u8>,
    /// The connection was closed in order.
    pub closed: bool,
    /// The session has failed.
    pub failed: bool,
    /// What was said to be sent is more than was lent, whenever that was all of it.
    pub overstates: bool,
    /// Who drives and judges.
    pub judge: Judge,
    /// The stack takes so many bytes more.
    pub room: u64,
    /// The stack gives what has arrived.
    pub receives: bool,
    /// Behind each part that was taken the stack gives nothing more in that turn, and the rest in the next.
    pub pauses: bool,
    /// It does so now.
    pub is_pausing: bool,
}

/// The byte at an offset of the contents that have this number.
pub fn byte_at(contents: u8, offset: u64) -> u8 {
    let [low, second, third, ..] = offset.to_le_bytes();
    low.wrapping_mul(31) ^ second ^ third.rotate_left(4) ^ contents
}

impl ManualDriver {
    /// Whether no further call is to be made.
    pub fn is_over(&self) -> bool {
        self.closed || self.failed
    }

    /// Whether the session has ended its direction.
    pub fn has_shut_down(&self) -> bool {
        self.judge.has_shut_down()
    }

    /// `bytes` have arrived, and then perhaps the end of the stream.
    pub fn hear<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        bytes: &[u8],
        on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        assert!(bytes.is_empty() || !self.ended, "input never follows the end");
        self.held.extend_from_slice(bytes);
        self.listen(now, session, on_event)
    }

    /// Rules 2 and 3, for what is held.
    pub fn listen<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        loop {
            (self.receives, self.is_pausing) = (true, false);
            let failure = self.turn(now, session, false, 0, &mut on_event);
            if failure.is_some() || !self.is_pausing || self.is_over() {
                return failure;
            }
        }
    }

    /// Rule 4.
    pub fn expire<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        self.turn(now, session, false, EXPIRATIONS, on_event)
    }

    /// Rule 1, as long as the stack takes no more than `room` bytes; for a session that has failed, its
    /// last word.
    pub fn transmit<S: Session>(&mut self, now: Instant, session: &mut S, room: u64) {
        self.room = room;
        self.turn(now, session, true, 0, |_| panic!("an event from nothing"));
    }

    fn turn<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        transmits: bool,
        expirations: u32,
        on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        let mut failure = None;
        if !self.closed && (transmits || !self.failed) {
            let turn = Turn { transmits, expirations, overstates: self.overstates };
            let mut judge = mem::take(&mut self.judge);
            match judge.step(turn, now, session, self, on_event) {
                Step::Over(Ok(())) => self.closed = true,
                Step::Over(Err(DriveError::Session(error))) => {
                    (self.failed, failure) = (true, Some(error));
                }
                Step::Wait(_) | Step::Close | Step::Reset => {}
                over @ Step::Over(_) => panic!("the stack takes everything: {over:?}"),
            }
            self.judge = judge;
        }
        self.receives = false;
        failure
    }

    /// Nothing more happens but time: the conversation is to end. The time is moved on; what is
    /// returned is why it failed, if it did.
    pub fn run_out<S: Session>(
        &mut self,
        now: &mut Instant,
        session: &mut S,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        for _ in 0..DEADLINES {
            let error = self.listen(*now, session, &mut on_event);
            self.transmit(*now, session, u64::MAX);
            if self.is_over() {
                return error;
            }
            let deadline = session.poll_deadline().expect("it waits for ever");
            *now = deadline.max(*now);
            if let Some(error) = self.expire(*now, session, &mut on_event) {
                return Some(error);
            }
        }
        panic!("it never ends");
    }

    fn note_sent(&mut self, count: u64, most: u64) -> nb::Result<usize, Infallible> {
        if count < most && count == 0 {
            return Err(nb::Error::WouldBlock);
        }
        self.room = self.room.saturating_sub(count);
        Ok(usize::try_from(count).unwrap_or(usize::MAX))
    }
}

impl Transport for ManualDriver {
    type Error = Infallible;

    fn receive(&mut self) -> nb::Result<&[u8], Infallible> {
        let has_some = self.ended || !self.held.is_empty();
        self.is_pausing &= has_some;
        if self.receives && has_some && !self.is_pausing {
            Ok(&self.held)
        } else {
            Err(nb::Error::WouldBlock)
        }
    }

    fn consume(&mut self, count: usize) {
        self.held.drain(..count);
        self.is_pausing |= self.pauses && count > 0;
    }

    fn send(&mut self, head: &[u8], tail: &[u8], _more: bool) -> nb::Result<usize, Infallible> {
        let most = (head.len() + tail.len()) as u64;
        let count = most.min(self.room);
        let parts = head.iter().chain(tail);
        self.sent.extend(parts.take(usize::try_from(count).unwrap_or(usize::MAX)));
        self.note_sent(count, most)
    }

    fn send_contents(&mut self, offset: u64, length: u64) -> nb::Result<usize, Infallible> {
        // Of a range that is only named, half at a time: it may be without end.
        let is_small = self.source.is_some() || self.room >= length;
        let count = if is_small { length.min(self.room) } else { length - length / 2 };
        let end = offset + count;
        if let Some(source) = self.source {
            self.sent.extend((offset..end).map(|offset| byte_at(source, offset)));
        } else if count > 0 {
            match self.contents.last_mut() {
                Some((at, _, last)) if *at == self.sent.len() && *last == offset => *last = end,
                _ => self.contents.push((self.sent.len(), offset, end)),
            }
        }
        self.note_sent(count, length)
    }

    fn shut_down(&mut self) -> nb::Result<(), Infallible> {
        Ok(())
    }
}
