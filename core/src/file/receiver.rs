//! The side that wants the files, in the framed form.

mod state;

use core::fmt;

use heapless::Deque;
use state::{Asking, Awaited, Flow, Stage};

use super::wire::RequestHeader;
use super::{Answer, Config, Refusal, Request};
use crate::session::{Events, Output, Session};
use crate::time::Instant;

/// The client's side of one connection: it asks, and lends what comes in.
///
/// [`request`](Self::request) may be called any number of times, also before the last answer has
/// come; the answers come in the order of the requests. Once there is nothing more to ask, call
/// [`finish`](Self::finish).
///
/// Each answer is a sequence of events: either [`Refused`](Received::Refused), or
/// [`Answered`](Received::Answered), then the contents, then [`Complete`](Received::Complete).
/// Verified contents come with a [`Verified`](Received::Verified) after each segment; what has
/// verified may be kept, whatever happens afterwards. All else that comes before `Complete` may be
/// a part only.
///
/// `N` is the room for requests that have not gone out, in bytes (24 and the name each); `DEPTH` is
/// how many may be unanswered at once. The machine takes `N` bytes of memory, 24 for each of
/// `DEPTH`, and at most 2,096 more, most of it for the digest (64-bit).
///
/// ```
/// use barewire_core::file::{Config, Received, Receiver, Request};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::time::Instant;
///
/// let now = Instant::ZERO;
/// let mut receiver = Receiver::<64, 4>::new(now, Config::default());
/// receiver.request(now, &Request { verify: false, ..Request::get(b"name") })?;
/// receiver.finish();
/// let Output::Bytes { head, .. } = receiver.poll_transmit() else { panic!() };
/// assert_eq!(head, b"\0BW\x01\x01\0\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0name");
///
/// let mut input = &b"\0BW\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0\x01ok"[..];
/// let answered = receiver.handle_input(now, &mut input).unwrap();
/// assert!(matches!(answered, Received::Answered(answer) if answer.size == 2));
/// assert_eq!(receiver.handle_input(now, &mut input), Ok(Received::Contents(b"ok")));
/// assert_eq!(receiver.handle_end(now), Ok(Received::Complete));
/// # Ok::<(), barewire_core::file::RequestError>(())
/// ```
#[derive(Debug)]
pub struct Receiver<const N: usize, const DEPTH: usize> {
    outgoing: Deque<u8, N>,
    /// What was asked for, and is not answered in full.
    awaited: Deque<Awaited, DEPTH>,
    flow: Flow,
}

/// What has come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Received<'a> {
    /// The server has what was asked for, and is about to send it.
    Answered(Answer),
    /// The server does not send it. The next answer is that to the next request.
    Refused(Refusal),
    /// The next bytes of the contents, never empty. Nothing proves them yet.
    Contents(&'a [u8]),
    /// The digest was right: all contents before `end` are proven.
    Verified {
        /// An offset in the file.
        end: u64,
    },
    /// The contents are whole.
    Complete,
}

/// Why a request cannot be made: each is the caller's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum RequestError {
    /// The name is longer than [`MAX_NAME`](super::MAX_NAME), or can never fit in the machine.
    TooLong,
    /// Too much is unanswered already: ask again after the next answer is complete.
    Full,
    /// After [`Receiver::finish`], or after the server has ended its stream.
    Finished,
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "the name is too long",
            Self::Full => "too many requests are unanswered",
            Self::Finished => "the conversation is ending",
        })
    }
}

impl core::error::Error for RequestError {}

/// How a download fails: each is the server's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ReceiveError {
    /// The server closed, or spoke otherwise, where the first answer should have begun: it knows the
    /// plain form only, perhaps.
    NotFramed,
    /// The server sent nothing at all. In the plain form that may also mean an empty file.
    Nothing,
    /// The server ended its stream before all was sent.
    CutShort,
    /// The answer makes no sense, or does not end where it said.
    Malformed,
    /// The digest is not that of the contents.
    Corrupt,
    /// The answer did not begin within [`Config::timeout`].
    TimedOut,
    /// Nothing came for [`Config::stall`].
    Stalled,
    /// All bytes have come, but the server did not end its stream in time, so nothing shows that it
    /// had no more to say.
    Unclosed,
}

impl fmt::Display for ReceiveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotFramed => "the server does not know the framed form",
            Self::Nothing => "the server sent nothing",
            Self::CutShort => "the server closed before all was sent",
            Self::Malformed => "the server's answer makes no sense",
            Self::Corrupt => "the contents do not match their digest",
            Self::TimedOut => "the server did not answer in time",
            Self::Stalled => "nothing came for too long",
            Self::Unclosed => "the server did not close",
        })
    }
}

impl core::error::Error for ReceiveError {}

impl<const N: usize, const DEPTH: usize> Receiver<N, DEPTH> {
    /// A receiver for a connection that was opened at `now`.
    pub fn new(now: Instant, config: Config) -> Self {
        Self { outgoing: Deque::new(), awaited: Deque::new(), flow: Flow::new(now, config) }
    }

    /// Asks for something.
    ///
    /// # Errors
    /// [`RequestError`]; then nothing is asked.
    pub fn request(&mut self, now: Instant, request: &Request<'_>) -> Result<(), RequestError> {
        if self.flow.asking != Asking::Open || self.flow.ended {
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
            self.flow.deadline = now + self.flow.config.timeout;
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
        if self.flow.asking == Asking::Open {
            self.flow.asking = Asking::Finished;
        }
    }

    /// How many requests are not answered in full.
    pub fn unanswered(&self) -> usize {
        self.awaited.len()
    }

    /// Whether the header of an answer has come, so that the server does know the framed form.
    pub const fn has_heard(&self) -> bool {
        self.flow.heard
    }
}

impl<'s, const N: usize, const DEPTH: usize> Events<'s> for Receiver<N, DEPTH> {
    type Event = Received<'s>;
}

impl<const N: usize, const DEPTH: usize> Session for Receiver<N, DEPTH> {
    type Error = ReceiveError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Received<'s>, ReceiveError> {
        self.flow.handle_input(&mut self.awaited, now, input)
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Received<'_>, ReceiveError> {
        if let Stage::Counted { .. } = self.flow.stage {
            return Ok(self.flow.complete(&mut self.awaited, now));
        }
        self.flow.end(!self.awaited.is_empty()).map_err(nb::Error::Other)?;
        self.flow.ended = true;
        Err(nb::Error::WouldBlock)
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Received<'_>, ReceiveError> {
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        if self.awaited.is_empty() {
            // All that was asked for is there; the server may stay as it is.
            self.flow.ended = true;
            return Err(nb::Error::WouldBlock);
        }
        Err(nb::Error::Other(self.flow.late()))
    }

    fn poll_transmit(&self) -> Output<'_> {
        let is_over = self.flow.ended && self.awaited.is_empty();
        match (self.outgoing.as_slices(), self.flow.asking) {
            // A server that has answered before it had read what it was asked may never read it.
            (_, Asking::Shut) | (([_, ..], _), _) if is_over => Output::Close,
            (([], []), Asking::Finished) => Output::Shutdown,
            (([], []), Asking::Open) if self.flow.ended => Output::Shutdown,
            (([], []), _) => Output::Nothing,
            ((head, tail), _) => Output::Bytes { head, tail, more: false },
        }
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        if self.outgoing.is_empty() {
            if self.flow.asking == Asking::Finished || self.flow.ended {
                self.flow.asking = Asking::Shut;
                if self.awaited.is_empty() {
                    self.flow.deadline = now + self.flow.config.timeout;
                }
            }
            return;
        }
        for _ in 0..count {
            if self.outgoing.pop_front().is_none() {
                break;
            }
        }
        if matches!(&self.flow.stage, Stage::Header(header) if header.is_empty()) {
            self.flow.deadline = now + self.flow.config.timeout;
        }
    }

    /// None while there is nothing to wait for.
    fn poll_deadline(&self) -> Option<Instant> {
        let is_ending = self.flow.asking != Asking::Open && !self.flow.ended;
        (is_ending || !self.awaited.is_empty()).then_some(self.flow.deadline)
    }
}
