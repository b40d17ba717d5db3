//! A driver that follows the [driving rule](barewire_core::session) to the letter, and judges whether
//! the session keeps its side of it.

use barewire_core::session::{Event, Output, Session};
use barewire_core::time::Instant;

/// More calls in a row that only give events are a livelock, as long as no byte was taken.
const IDLE_EVENTS: usize = 8;

/// More deadlines in a row, with nothing but time passing, and the conversation never ends.
const DEADLINES: usize = 16;

/// One end of a connection: what came in, and what went out.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own about a connection")]
pub struct Driver {
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
    /// The sending direction has ended.
    pub shut: bool,
    /// The connection was closed in order.
    pub closed: bool,
    /// The session has failed.
    pub failed: bool,
    /// What was said to be sent is more than was lent, whenever that was all of it.
    pub overstates: bool,
    /// Bytes taken, events and transmissions so far.
    pub moves: usize,
}

/// The byte at an offset of the contents that have this number.
pub fn byte_at(contents: u8, offset: u64) -> u8 {
    let [low, second, third, ..] = offset.to_le_bytes();
    low.wrapping_mul(31) ^ second ^ third.rotate_left(4) ^ contents
}

impl Driver {
    /// Whether no further call is to be made.
    pub fn is_over(&self) -> bool {
        self.closed || self.failed
    }

    /// Rules 2 and 3: `bytes` have arrived, and then perhaps the end of the stream.
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

    /// Offers what is held.
    pub fn listen<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        if self.is_over() {
            return None;
        }
        let mut rest = &self.held[..];
        let mut idle = 0;
        let mut failure = None;
        while !self.held.is_empty() {
            let offered = rest;
            let step = session.handle_input(now, &mut rest);
            assert!(
                rest.is_empty() || rest.as_ptr_range().end == offered.as_ptr_range().end,
                "the input is advanced from the front only"
            );
            idle = if rest.len() < offered.len() { 0 } else { idle + 1 };
            assert!(idle <= IDLE_EVENTS, "events without end");
            match settle(step, &mut on_event) {
                Ok(true) => self.moves += 1,
                Ok(false) => {
                    let mut again = rest;
                    let step = session.handle_input(now, &mut again);
                    let is_drained = settle(step, |_| {}).is_ok_and(|had_more| !had_more);
                    assert!(is_drained && again.len() == rest.len(), "there was more to give");
                    break;
                }
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        let taken = self.held.len() - rest.len();
        self.moves += taken;
        self.held.drain(..taken);
        if failure.is_none() && self.ended && self.held.is_empty() {
            failure = self.hear_end(now, session, on_event);
        }
        self.failed |= failure.is_some();
        failure
    }

    fn hear_end<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        for _ in 0..IDLE_EVENTS {
            match settle(session.handle_end(now), &mut on_event) {
                Ok(true) => self.moves += 1,
                Ok(false) => return None,
                Err(error) => return Some(error),
            }
        }
        panic!("events without end");
    }

    /// Rule 4. An early call is to be harmless, and one that is due is to have been worth it.
    pub fn expire<S: Session>(
        &mut self,
        now: Instant,
        session: &mut S,
        mut on_event: impl FnMut(Event<'_, S>),
    ) -> Option<S::Error> {
        if self.is_over() {
            return None;
        }
        let before = (session.poll_deadline(), shape(session.poll_transmit()));
        let is_due = before.0.is_some_and(|deadline| deadline <= now);
        for _ in 0..IDLE_EVENTS {
            match settle(session.handle_timeout(now), &mut on_event) {
                Ok(true) => {
                    assert!(is_due, "an early call brought an event");
                    self.moves += 1;
                }
                Ok(false) => {
                    let after = (session.poll_deadline(), shape(session.poll_transmit()));
                    assert!(is_due || after == before, "an early call changed something");
                    // What was due may have given way to something else that is due already.
                    if after.0.is_none_or(|deadline| deadline > now) {
                        return None;
                    }
                }
                Err(error) => {
                    assert!(is_due, "an early call failed");
                    self.failed = true;
                    return Some(error);
                }
            }
        }
        panic!("the deadline stays in the past: {:?}", session.poll_deadline());
    }

    /// Rule 1, as long as the link takes no more than `room` bytes.
    pub fn transmit<S: Session>(&mut self, now: Instant, session: &mut S, room: u64) {
        let mut room = room;
        while !self.closed {
            let output = session.poll_transmit();
            assert_eq!(output, session.poll_transmit(), "asked again, it is the same");
            let (count, most) = match output {
                Output::Nothing => break,
                Output::Close => {
                    self.closed = true;
                    break;
                }
                Output::Shutdown => {
                    assert!(!std::mem::replace(&mut self.shut, true), "shut twice");
                    (0, 0)
                }
                Output::Bytes { head, tail, .. } => {
                    assert!(!head.is_empty(), "nothing is lent");
                    let most = (head.len() + tail.len()) as u64;
                    let count = most.min(room);
                    let parts = head.iter().chain(tail);
                    self.sent.extend(parts.take(usize::try_from(count).unwrap_or(usize::MAX)));
                    (count, most)
                }
                Output::Contents { offset, length } => {
                    assert!(length > 0 && offset.checked_add(length).is_some(), "no range");
                    // Of a range that is only named, half at a time: it may be without end.
                    let is_small = self.source.is_some() || room >= length;
                    let count = if is_small { length.min(room) } else { length - length / 2 };
                    self.send_contents(offset, count);
                    (count, length)
                }
            };
            assert!(most == 0 || !self.shut, "bytes after the end of the direction");
            if count < most && count == 0 {
                break;
            }
            room = room.saturating_sub(count);
            self.moves += 1;
            let is_all = count == most && self.overstates;
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            session.transmitted(now, if is_all { usize::MAX } else { count });
        }
    }

    fn send_contents(&mut self, offset: u64, count: u64) {
        let end = offset + count;
        if let Some(source) = self.source {
            self.sent.extend((offset..end).map(|offset| byte_at(source, offset)));
        } else if count > 0 {
            match self.contents.last_mut() {
                Some((at, _, last)) if *at == self.sent.len() && *last == offset => *last = end,
                _ => self.contents.push((self.sent.len(), offset, end)),
            }
        }
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
}

/// Passes an event on; tells whether there was one.
fn settle<V, E>(step: nb::Result<V, E>, mut on_event: impl FnMut(V)) -> Result<bool, E> {
    match step {
        Ok(event) => on_event(event),
        Err(nb::Error::WouldBlock) => return Ok(false),
        Err(nb::Error::Other(error)) => return Err(error),
    }
    Ok(true)
}

/// What of an output can be kept while the session goes on.
fn shape(output: Output<'_>) -> (u8, u64, u64) {
    match output {
        Output::Nothing => (0, 0, 0),
        Output::Bytes { head, tail, .. } => (1, head.len() as u64, tail.len() as u64),
        Output::Contents { offset, length } => (2, offset, length),
        Output::Shutdown => (3, 0, 0),
        Output::Close => (4, 0, 0),
    }
}
