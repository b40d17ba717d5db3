//! The side that wants the files, in the framed form.

mod state;

use core::mem;

use heapless::Deque;
use state::{Awaited, ReceiverState, SendSide, Stage};

use super::config::TransferConfig;
use super::error::{ReceiverError, RequestError};
use super::event::ReceiverEvent;
use super::request::Request;
use super::wire::RequestHeader;
use crate::session::{Events, Output, Session};
use crate::time::Instant;

/// The client's side of one connection: it asks, and lends what comes in.
///
/// [`request`](Self::request) may be called any number of times, also before the last answer has
/// come; the answers come in the order of the requests. Once there is nothing more to ask, call
/// [`finish`](Self::finish).
///
/// Each answer is a sequence of events: either [`Refused`](ReceiverEvent::Refused), or
/// [`Answered`](ReceiverEvent::Response), then the contents, then [`Complete`](ReceiverEvent::Complete).
/// Verified contents come with a [`Verified`](ReceiverEvent::Verified) after each segment; what has
/// verified may be kept, whatever happens afterwards. All else that comes before `Complete` may be
/// a part only.
///
/// `N` is the room for requests that have not gone out, in bytes (24 and the name each); `DEPTH` is
/// how many may be unanswered at once. The machine takes `N` bytes of memory, 24 for each of
/// `DEPTH`, and at most 2,096 more, most of it for the digest (64-bit).
///
/// ```
/// use barewire_core::file::{Receiver, ReceiverEvent, Request, TransferConfig};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::time::Instant;
///
/// let now = Instant::ZERO;
/// let mut receiver = Receiver::<64, 4>::new(now, TransferConfig::default());
/// receiver.request(now, &Request { verify: false, ..Request::get(b"name") })?;
/// receiver.finish();
/// let Output::Bytes { head, .. } = receiver.poll_transmit() else { panic!() };
/// assert_eq!(head, b"\0BW\x01\x01\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0name");
///
/// let mut input = &b"\0BW\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x01ok"[..];
/// let answered = receiver.handle_input(now, &mut input).unwrap();
/// assert!(matches!(answered, ReceiverEvent::Response(answer) if answer.size == 2));
/// assert_eq!(receiver.handle_input(now, &mut input), Ok(ReceiverEvent::Contents(b"ok")));
/// assert_eq!(receiver.handle_end(now), Ok(ReceiverEvent::Complete));
/// # Ok::<(), barewire_core::file::RequestError>(())
/// ```
#[derive(Debug)]
pub struct Receiver<const N: usize, const DEPTH: usize> {
    outgoing: Deque<u8, N>,
    /// What was asked for, and is not answered in full.
    awaited: Deque<Awaited, DEPTH>,
    state: ReceiverState,
}

impl<const N: usize, const DEPTH: usize> Receiver<N, DEPTH> {
    /// A receiver for a connection that was opened at `now`.
    pub fn new(now: Instant, config: TransferConfig) -> Self {
        Self {
            outgoing: Deque::new(),
            awaited: Deque::new(),
            state: ReceiverState::new(now, config),
        }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// [`RequestError`]; then nothing is asked.
    pub fn request(&mut self, now: Instant, request: &Request<'_>) -> Result<(), RequestError> {
        if self.state.send_side != SendSide::Open || self.state.ended {
            return Err(RequestError::Finished);
        }
        let header = RequestHeader::of(request).ok_or(RequestError::TooLong)?.encode();
        let length = header.len().saturating_add(request.name.len());
        if length > N {
            return Err(RequestError::TooLong);
        }
        if length > N.saturating_sub(self.outgoing.len()) || self.awaited.is_full() {
            return Err(RequestError::Full);
        }
        if self.awaited.is_empty() {
            self.state.await_peer(now);
        }
        let &Request { offset, tag, verify, .. } = request;
        let _ = self.awaited.push_back(Awaited { offset, tag, verify });
        for &byte in header.iter().chain(request.name) {
            let _ = self.outgoing.push_back(byte);
        }
        Ok(())
    }

    /// There is nothing more to ask: the sending direction ends after the last request.
    pub fn finish(&mut self) {
        if self.state.send_side == SendSide::Open {
            self.state.send_side = SendSide::Finished;
        }
    }

    /// How many requests are not answered in full.
    pub fn unanswered(&self) -> usize {
        self.awaited.len()
    }

    /// Whether the server speaks the framed form; false before the header of its first response.
    pub const fn is_framed(&self) -> bool {
        self.state.framed
    }

    /// A server that has answered before it had read what it was asked may never read it.
    fn is_over(&self) -> bool {
        self.state.ended
            && self.awaited.is_empty()
            && (self.state.send_side == SendSide::Shutdown || !self.outgoing.is_empty())
    }
}

impl<'s, const N: usize, const DEPTH: usize> Events<'s> for Receiver<N, DEPTH> {
    type Event = ReceiverEvent<'s>;
}

impl<const N: usize, const DEPTH: usize> Session for Receiver<N, DEPTH> {
    type Error = ReceiverError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<ReceiverEvent<'s>, ReceiverError> {
        self.state.handle_input(&mut self.awaited, now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<ReceiverEvent<'_>, ReceiverError> {
        if let Stage::Counted { .. } = self.state.stage {
            return Ok(self.state.complete(&mut self.awaited, now));
        }
        self.state.end(!self.awaited.is_empty()).map_err(nb::Error::Other)?;
        if !mem::replace(&mut self.state.ended, true) {
            self.state.await_peer(now);
        }
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<ReceiverEvent<'_>, ReceiverError> {
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        if self.awaited.is_empty() {
            // All that was asked for is there: the server may stay as it is, and the stack need not
            // take the half-close.
            if mem::replace(&mut self.state.ended, true) {
                self.state.send_side = SendSide::Shutdown;
            }
            self.state.await_peer(now);
            return Err(nb::Error::WouldBlock);
        }
        Err(nb::Error::Other(self.state.late()))
    }

    fn poll_transmit(&self) -> Output<'_> {
        if self.is_over() {
            return Output::Close;
        }
        match (self.outgoing.as_slices(), self.state.send_side) {
            (([], []), SendSide::Finished) => Output::Shutdown,
            (([], []), SendSide::Open) if self.state.ended => Output::Shutdown,
            (([], []), _) => Output::Nothing,
            ((head, tail), _) => Output::Bytes { head, tail, more: false },
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        if self.outgoing.is_empty() {
            if self.state.send_side == SendSide::Finished || self.state.ended {
                self.state.send_side = SendSide::Shutdown;
                if self.awaited.is_empty() {
                    self.state.await_peer(now);
                }
            }
            return;
        }
        for _ in 0..count {
            if self.outgoing.pop_front().is_none() {
                break;
            }
        }
        if matches!(&self.state.stage, Stage::Header(header) if header.is_empty()) {
            self.state.await_peer(now);
        }
    }

    /// None between an answer and the next request: then the server owes nothing, and whether it is
    /// still there is for the stack to find out ([`driver`](crate::driver#who-waits-how-long)).
    fn poll_deadline(&self) -> Option<Instant> {
        let is_idle =
            self.awaited.is_empty() && self.state.send_side == SendSide::Open && !self.state.ended;
        if is_idle || self.is_over() { None } else { self.state.deadline.instant() }
    }
}
