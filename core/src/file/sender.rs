//! The side that has the files.

mod state;

use core::ops::Range;

use state::{Phase, SenderState};

use super::config::TransferConfig;
use super::error::SenderError;
use super::event::{Pending, RequestEvent};
use super::hash_tree::Digest;
use super::request::{MAX_NAME, Request};
use super::request_reader::RequestReader;
use super::response::{Offer, Refusal};
use crate::session::{Events, Output, Session};
use crate::time::Instant;

/// The server's side of one connection: it hears requests, and sends what its owner offers.
///
/// # What the owner does
///
/// Each [`RequestEvent::Request`] is to be answered by [`offer`](Self::offer) or
/// [`refuse`](Self::refuse). From then on [`pending`](Self::pending) tells what the machine waits for,
/// if it waits for its owner: look at it after each turn of the driver. Until that is
/// provided, nothing more goes out, and the next request is not taken from the input.
///
/// The contents are never given to the machine. It names what is to go out next as
/// [`Output::Contents`], a range of what was offered.
///
/// `N` is the longest name in bytes, at most [`MAX_NAME`]; a longer one is refused as malformed.
/// The machine takes `N` bytes of memory and at most 328 more (64-bit).
///
/// ```
/// use barewire_core::file::{Offer, Pending, RequestEvent, Sender, TransferConfig};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::time::Instant;
///
/// let (now, contents) = (Instant::ZERO, b"all of it");
/// let mut sender = Sender::<64>::new(now, TransferConfig::default());
///
/// // A plain request, as `printf 'name\n' | nc` sends it.
/// match sender.handle_input(now, &mut &b"name\n"[..]) {
///     Ok(RequestEvent::Request(request)) => assert_eq!(request.name, b"name"),
///     other => panic!("{other:?}"),
/// }
/// assert_eq!(sender.pending(), Some(Pending::Response));
/// sender.offer(now, Offer { size: contents.len() as u64, tag: 1, modified: 0 });
/// assert_eq!(sender.poll_transmit(), Output::Contents { offset: 0, length: 9 });
/// sender.transmitted(now, 9);
///
/// // The file is still what was offered; so the stream may end in order.
/// assert_eq!(sender.pending(), Some(Pending::Confirm));
/// sender.confirm(now);
/// assert_eq!(sender.poll_transmit(), Output::Shutdown);
/// ```
#[derive(Debug)]
pub struct Sender<const N: usize = MAX_NAME> {
    requests: RequestReader<N>,
    state: SenderState,
}

impl<const N: usize> Sender<N> {
    /// A sender for a connection that was opened at `now`.
    pub fn new(now: Instant, config: TransferConfig) -> Self {
        Self { requests: RequestReader::new(config.quiet), state: SenderState::new(now, config) }
    }

    /// What the machine waits for, if it waits for its owner.
    pub fn pending(&self) -> Option<Pending> {
        self.state.pending()
    }

    /// Whether the client speaks the framed form; false before its first request.
    pub const fn is_framed(&self) -> bool {
        self.state.framed
    }

    /// Whether nothing is asked at the moment, not even in part, and nothing is under way: a connection that
    /// is kept for what may come, or until the client, which is told no more, closes it as well.
    pub fn is_idle(&self) -> bool {
        self.is_listening() || self.state.phase == Phase::Ending { write_closed: true }
    }

    fn is_listening(&self) -> bool {
        self.state.phase == Phase::Listening && !self.requests.has_begun()
    }

    /// Whether nothing has been asked on this connection, not even in part. A client that sees such a
    /// conversation end in order takes the server for one that knows the plain form only; so an owner
    /// that would [stop](Self::stop) it resets the connection instead.
    pub fn is_unasked(&self) -> bool {
        self.is_listening() && !self.state.framed
    }

    /// The framed request that came last, until the next begins.
    pub fn request(&self) -> Option<Request<'_>> {
        self.requests.current()
    }

    /// Offers something as the answer to the request. Gives the range of it that will go out, or the
    /// digests of which will.
    ///
    /// `None`: the range lies past the end or cuts a segment, which is what the client is told; or nothing
    /// was asked.
    pub fn offer(&mut self, now: Instant, offer: Offer) -> Option<Range<u64>> {
        if self.state.phase != Phase::Requested {
            return None;
        }
        self.state.offer(now, offer, self.requests.current().as_ref())
    }

    /// Refuses the request. Without one, it does nothing.
    pub fn refuse(&mut self, now: Instant, refusal: Refusal) {
        if self.state.phase == Phase::Requested {
            self.state.refuse(now, refusal, self.requests.current().as_ref());
        }
    }

    /// Provides the digest that is [pending](Pending::Digest). If none is, it does nothing.
    pub fn provide_digest(&mut self, now: Instant, digest: Digest) {
        if let Some(Pending::Digest(_)) = self.state.pending() {
            // Only while nothing else goes out has the client waited for it.
            if let Output::Nothing = self.state.poll_transmit() {
                self.state.progress.begin(now);
            }
            self.state.digest = Some(digest);
        }
    }

    /// Begins the client's time anew, where it was the owner that kept contents back until `now`: for want
    /// of them, or because they are not to go out faster. To be called before the driver's next step.
    pub fn excuse(&mut self, now: Instant) {
        if self.state.phase == Phase::Sending {
            self.state.progress.begin(now);
        }
    }

    /// Confirms that what has gone out is what was offered, where that is
    /// [pending](Pending::Confirm). If it is not, it does nothing.
    pub fn confirm(&mut self, now: Instant) {
        if self.state.pending() == Some(Pending::Confirm) {
            self.state.finish(now);
        }
    }

    /// Takes no further request: the conversation ends after the one at work, or at once.
    pub fn stop(&mut self, now: Instant) {
        self.state.stopping = true;
        if self.is_listening() {
            self.state.end(now);
        }
    }
}

impl<'s, const N: usize> Events<'s> for Sender<N> {
    type Event = RequestEvent<'s>;
}

impl<const N: usize> Session for Sender<N> {
    type Error = SenderError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<RequestEvent<'s>, SenderError> {
        match self.state.phase {
            Phase::Listening => {}
            // Back-pressure: one request after another.
            Phase::Requested | Phase::Sending | Phase::Refusing(_) if self.state.framed => {
                return Err(nb::Error::WouldBlock);
            }
            // Nothing that could be said now means anything.
            _ => {
                *input = &[];
                return Err(nb::Error::WouldBlock);
            }
        }
        let incoming = self.requests.handle_input(now, input).ok_or(nb::Error::WouldBlock)?;
        Ok(self.state.take_request(now, &incoming))
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<RequestEvent<'_>, SenderError> {
        self.state.ended = true;
        if self.state.phase != Phase::Listening {
            return Err(nb::Error::WouldBlock);
        }
        let has_begun = self.requests.has_begun();
        match self.requests.handle_end() {
            Some(incoming) => Ok(self.state.take_request(now, &incoming)),
            None if has_begun => Err(nb::Error::Other(SenderError::CutShort)),
            None => {
                self.state.end(now);
                Err(nb::Error::WouldBlock)
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<RequestEvent<'_>, SenderError> {
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        match self.state.phase {
            Phase::Listening => {}
            Phase::Ending { .. } => {
                self.state.ended = true;
                return Err(nb::Error::WouldBlock);
            }
            Phase::Requested | Phase::Sending | Phase::Refusing(_) => {
                return Err(nb::Error::Other(SenderError::Stalled));
            }
        }
        // The quiet period ends a name if it is over before the time for it is.
        if self.requests.deadline() <= self.state.progress.deadline {
            let incoming = self.requests.handle_timeout(now).ok_or(nb::Error::WouldBlock)?;
            return Ok(self.state.take_request(now, &incoming));
        }
        if self.state.framed && !self.requests.has_begun() {
            // A client that has what it wanted and stays is no failure.
            self.state.end(now);
            return Err(nb::Error::WouldBlock);
        }
        Err(nb::Error::Other(SenderError::TimedOut))
    }

    fn poll_transmit(&self) -> Output<'_> {
        self.state.poll_transmit()
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.state.transmitted(now, count);
    }

    /// None while the machine waits for its owner, or once the conversation is over.
    fn poll_deadline(&self) -> Option<Instant> {
        let deadline = self.state.progress.deadline;
        match (self.state.phase, self.state.poll_transmit()) {
            (Phase::Listening, _) => deadline.min(self.requests.deadline()).instant(),
            (Phase::Ending { .. }, Output::Nothing) => deadline.instant(),
            // What the owner takes its time for is not the client's fault.
            (_, Output::Nothing | Output::Close) => None,
            _ => deadline.instant(),
        }
    }
}
