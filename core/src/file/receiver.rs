//! The side that wants the files, in the framed form.

mod queue;
mod state;

use core::mem;

use heapless::Vec;
use state::{ReceiverState, SendSide, Stage};

use super::config::TransferConfig;
use super::error::{ReceiverError, RequestError};
use super::event::ReceiverEvent;
use super::request::Request;
use super::wire::{REQUEST_HEADER, RequestHeader};
use crate::session::{Events, Output, Session};
use crate::time::Instant;

/// The client's side of one connection: it asks, and lends what comes in.
///
/// [`request`](Self::request) may be called any number of times, also before the last answer has
/// come; the answers come in the order of the requests. Once there is nothing more to ask, call
/// [`finish`](Self::finish).
///
/// Each answer is a sequence of events: either [`Refused`](ReceiverEvent::Refused), or
/// [`Response`](ReceiverEvent::Response), then the contents, then [`Complete`](ReceiverEvent::Complete).
/// Where digests were asked for, a [`Verified`](ReceiverEvent::Verified) follows the contents of each
/// segment; what has verified may be kept, whatever happens afterwards. All else that comes before
/// `Complete` may be a part only. Of hashes there is a [`Digest`](ReceiverEvent::Digest) for each
/// segment.
///
/// `N` is the room for requests that are not answered in full, in bytes (40 and the name each). The
/// machine takes `N` bytes of memory, and at most 688 more (64-bit).
///
/// ```
/// use barewire_core::file::{Receiver, ReceiverEvent, Request, TransferConfig};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::time::Instant;
///
/// let now = Instant::ZERO;
/// let mut receiver = Receiver::<64>::new(now, TransferConfig::default());
/// receiver.request(now, &Request::get(b"name").with_verify(false))?;
/// receiver.finish();
/// let Output::Bytes { head, .. } = receiver.poll_transmit() else { panic!() };
/// assert_eq!(head[..8], *b"\0BW\x02\x01\0\0\x04");
/// assert_eq!(head[40..], *b"name");
/// receiver.transmitted(now, 44);
///
/// let response = b"\0BW\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\
///     \0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\
///     \x07\xf5\x70\xbc\xe2\x15\x11\xb2\x6c\x32\xb7\x78\x78\x3c\x57\x70\
///     ok";
/// let mut input = &response[..];
/// let answered = receiver.handle_input(now, &mut input).unwrap();
/// assert!(matches!(answered, ReceiverEvent::Response(answer) if answer.size == 2));
/// assert_eq!(receiver.handle_input(now, &mut input), Ok(ReceiverEvent::Contents(b"ok")));
/// assert_eq!(receiver.handle_end(now), Ok(ReceiverEvent::Complete));
/// # Ok::<(), barewire_core::file::RequestError>(())
/// ```
#[derive(Debug)]
pub struct Receiver<const N: usize> {
    requests: Vec<u8, N>,
    state: ReceiverState,
}

impl<const N: usize> Receiver<N> {
    /// A receiver for a connection that was opened at `now`.
    pub fn new(now: Instant, config: TransferConfig) -> Self {
        Self { requests: Vec::new(), state: ReceiverState::new(now, config) }
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
        if REQUEST_HEADER.saturating_add(request.name.len()) > N {
            return Err(RequestError::TooLong);
        }
        if RequestHeader::decode(&header).is_err() {
            return Err(RequestError::CutsSegment);
        }
        let is_first = self.state.queue.length() == 0;
        if !self.state.queue.push(&mut self.requests, &header, request.name) {
            return Err(RequestError::Full);
        }
        if is_first {
            self.state.await_peer(now);
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
        self.state.queue.length()
    }

    /// Whether the server speaks the framed form; false before the header of its first response.
    pub const fn is_framed(&self) -> bool {
        self.state.framed
    }

    fn is_over(&self) -> bool {
        self.state.ended && self.unanswered() == 0 && self.state.send_side == SendSide::Shutdown
    }
}

impl<'s, const N: usize> Events<'s> for Receiver<N> {
    type Event = ReceiverEvent<'s>;
}

impl<const N: usize> Session for Receiver<N> {
    type Error = ReceiverError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<ReceiverEvent<'s>, ReceiverError> {
        self.state.handle_input(&self.requests, now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<ReceiverEvent<'_>, ReceiverError> {
        if let Stage::Counted { .. } = self.state.stage {
            return Ok(self.state.complete(&self.requests, now));
        }
        self.state.end().map_err(nb::Error::Other)?;
        if !mem::replace(&mut self.state.ended, true) {
            self.state.await_peer(now);
        }
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<ReceiverEvent<'_>, ReceiverError> {
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        if self.unanswered() == 0 {
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
        match (self.state.queue.unsent(&self.requests), self.state.send_side) {
            ([], SendSide::Finished) => Output::Shutdown,
            ([], SendSide::Open) if self.state.ended => Output::Shutdown,
            ([], _) => Output::Nothing,
            (head, _) => Output::Bytes { head, tail: &[], more: false },
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        if self.state.queue.unsent(&self.requests).is_empty() {
            if self.state.send_side == SendSide::Finished || self.state.ended {
                self.state.send_side = SendSide::Shutdown;
                if self.unanswered() == 0 {
                    self.state.await_peer(now);
                }
            }
            return;
        }
        self.state.queue.sent(&self.requests, count);
        if matches!(&self.state.stage, Stage::Header(header) if header.is_empty()) {
            self.state.await_peer(now);
        }
    }

    /// None between an answer and the next request: then the server owes nothing, and whether it is
    /// still there is for the stack to find out ([`driver`](crate::driver#who-waits-how-long)).
    fn poll_deadline(&self) -> Option<Instant> {
        let is_idle =
            self.unanswered() == 0 && self.state.send_side == SendSide::Open && !self.state.ended;
        if is_idle || self.is_over() { None } else { self.state.progress.deadline.instant() }
    }
}
