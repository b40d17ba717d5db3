//! The side that has the files.

mod state;

use core::fmt;
use core::ops::Range;

use state::{Flow, Phase};

use super::request_reader::RequestReader;
use super::{Config, Digest, MAX_NAME, Refusal, Request, show};
use crate::session::{Events, Output, Session};
use crate::time::Instant;

/// The server's side of one connection: it hears requests, and sends what its owner offers.
///
/// # What the owner does
///
/// Each [`Asked::Request`] is to be answered by [`offer`](Self::offer) or
/// [`refuse`](Self::refuse). From then on [`demand`](Self::demand) tells what the machine waits for,
/// if it waits for its owner: look at it after each turn of the driver. Until a demand is met,
/// nothing more goes out, and the next request is not taken from the input.
///
/// The contents are never given to the machine. It names what is to go out next as
/// [`Output::Contents`], a range of what was offered.
///
/// `N` is the longest name in bytes, at most [`MAX_NAME`]; a longer one is refused as malformed.
/// The machine takes `N` bytes of memory and at most 272 more (64-bit).
///
/// ```
/// use barewire_core::file::{Asked, Config, Demand, Sender};
/// use barewire_core::session::{Output, Session};
/// use barewire_core::time::Instant;
///
/// let (now, contents) = (Instant::ZERO, b"all of it");
/// let mut sender = Sender::<64>::new(now, Config::default());
///
/// // A plain request, as `printf 'name\n' | nc` sends it.
/// match sender.handle_input(now, &mut &b"name\n"[..]) {
///     Ok(Asked::Request(request)) => assert_eq!(request.name, b"name"),
///     other => panic!("{other:?}"),
/// }
/// assert_eq!(sender.demand(), Some(Demand::Answer));
/// sender.offer(now, contents.len() as u64, 1);
/// assert_eq!(sender.poll_transmit(), Output::Contents { offset: 0, length: 9 });
/// sender.transmitted(now, 9);
///
/// // The file is still what was offered; so the stream may end in order.
/// assert_eq!(sender.demand(), Some(Demand::Confirm));
/// sender.confirm(now);
/// assert_eq!(sender.poll_transmit(), Output::Shutdown);
/// ```
#[derive(Debug)]
pub struct Sender<const N: usize = MAX_NAME> {
    requests: RequestReader<N>,
    flow: Flow,
}

/// What a client has asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asked<'a> {
    /// The owner is to [offer](Sender::offer) it or to [refuse](Sender::refuse) it.
    Request(Request<'a>),
    /// The machine has refused it by itself: the request was malformed or its name is one that
    /// nobody may ask for. There is nothing to answer.
    Refused {
        /// Why.
        refusal: Refusal,
        /// The name, as far as there was one. It may hold anything.
        name: &'a [u8],
    },
}

impl fmt::Debug for Asked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request(request) => request.fmt(f),
            Self::Refused { refusal, name } => {
                write!(f, "{refusal}: ")?;
                show(name, f)
            }
        }
    }
}

/// What a [`Sender`] waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Demand {
    /// The answer to the request: [`Sender::offer`] or [`Sender::refuse`].
    Answer,
    /// The digest of these bytes of what was offered, by [`Sender::supply`]. It is asked for as soon
    /// as the segment begins, and needed once the segment has gone out.
    ///
    /// A client takes what its digests prove for whole before it is confirmed. So check, after these
    /// bytes were read for the digest, that the contents are still what was offered; if they are not,
    /// reset the connection. (A digest that is known from before needs no check: if other bytes went
    /// out, it proves them wrong.)
    Digest {
        /// Where the segment begins.
        offset: u64,
        /// Its length, at most [`SEGMENT`](super::SEGMENT).
        length: u64,
    },
    /// All has gone out: [`Sender::confirm`] that it was what had been offered. If the file has
    /// changed (save that it only grew), reset the connection instead: the client must not take
    /// what it got for the whole.
    Confirm,
}

/// How a conversation fails: each is the client's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum SendError {
    /// The client ended its stream in the middle of a request.
    CutShort,
    /// No request was complete within [`Config::timeout`].
    TimedOut,
    /// The client took nothing for [`Config::stall`].
    Stalled,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CutShort => "the request broke off",
            Self::TimedOut => "no request came in time",
            Self::Stalled => "the client took nothing for too long",
        })
    }
}

impl core::error::Error for SendError {}

impl<const N: usize> Sender<N> {
    /// A sender for a connection that was opened at `now`.
    pub fn new(now: Instant, config: Config) -> Self {
        Self { requests: RequestReader::new(config.quiet), flow: Flow::new(now, config) }
    }

    /// What the machine waits for, if it waits for its owner.
    pub fn demand(&self) -> Option<Demand> {
        self.flow.demand()
    }

    /// Whether the client speaks the framed form; false before its first request.
    pub const fn is_framed(&self) -> bool {
        self.flow.framed
    }

    /// Whether nothing has been asked on this connection, not even in part. A client that sees such a
    /// conversation end in order takes the server for one that knows the plain form only; so an owner
    /// that would [stop](Self::stop) it resets the connection instead.
    pub fn is_unasked(&self) -> bool {
        self.flow.phase == Phase::Listening && !self.flow.framed && !self.requests.has_begun()
    }

    /// Offers contents of `size` bytes in the version `tag` (not 0) as the answer to the request.
    /// Gives the range of them that will go out: the end of the offered contents, or all.
    ///
    /// `None`: the offset lies past the end, which is what the client is told; or nothing was asked.
    pub fn offer(&mut self, now: Instant, size: u64, tag: u64) -> Option<Range<u64>> {
        if self.flow.phase != Phase::Asked {
            return None;
        }
        self.flow.offer(now, size, tag)
    }

    /// Refuses the request. Without one, it does nothing.
    pub fn refuse(&mut self, now: Instant, refusal: Refusal) {
        if self.flow.phase == Phase::Asked {
            self.flow.refuse(now, refusal);
        }
    }

    /// Supplies the digest that is [demanded](Demand::Digest). Without a demand, it does nothing.
    pub fn supply(&mut self, now: Instant, digest: Digest) {
        if let Some(Demand::Digest { .. }) = self.flow.demand() {
            // Only while nothing else goes out has the client waited for it.
            if let Output::Nothing = self.flow.poll_transmit() {
                self.flow.progress(now);
            }
            self.flow.digest = Some(digest);
        }
    }

    /// Confirms that what has gone out is what was offered, as [demanded](Demand::Confirm). Without a
    /// demand, it does nothing.
    pub fn confirm(&mut self, now: Instant) {
        if self.flow.demand() == Some(Demand::Confirm) {
            self.flow.finish(now);
        }
    }

    /// Takes no further request: the conversation ends after the one at work, or at once.
    pub fn stop(&mut self, now: Instant) {
        self.flow.stopping = true;
        if self.flow.phase == Phase::Listening && !self.requests.has_begun() {
            self.flow.end(now);
        }
    }
}

impl<'s, const N: usize> Events<'s> for Sender<N> {
    type Event = Asked<'s>;
}

impl<const N: usize> Session for Sender<N> {
    type Error = SendError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Asked<'s>, SendError> {
        match self.flow.phase {
            Phase::Listening => {}
            // Back-pressure: one request after another.
            Phase::Asked | Phase::Sending | Phase::Refusing(_) if self.flow.framed => {
                return Err(nb::Error::WouldBlock);
            }
            // Nothing that could be said now means anything.
            _ => {
                *input = &[];
                return Err(nb::Error::WouldBlock);
            }
        }
        let incoming = self.requests.handle_input(now, input).ok_or(nb::Error::WouldBlock)?;
        Ok(self.flow.ask(now, &incoming))
    }

    fn handle_end(&mut self, now: Instant) -> nb::Result<Asked<'_>, SendError> {
        self.flow.ended = true;
        if self.flow.phase != Phase::Listening {
            return Err(nb::Error::WouldBlock);
        }
        let has_begun = self.requests.has_begun();
        match self.requests.handle_end() {
            Some(incoming) => Ok(self.flow.ask(now, &incoming)),
            None if has_begun => Err(nb::Error::Other(SendError::CutShort)),
            None => {
                self.flow.end(now);
                Err(nb::Error::WouldBlock)
            }
        }
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Asked<'_>, SendError> {
        if self.poll_deadline().is_none_or(|deadline| now < deadline) {
            return Err(nb::Error::WouldBlock);
        }
        match self.flow.phase {
            Phase::Listening => {}
            Phase::Ending { .. } => {
                self.flow.ended = true;
                return Err(nb::Error::WouldBlock);
            }
            Phase::Asked | Phase::Sending | Phase::Refusing(_) => {
                return Err(nb::Error::Other(SendError::Stalled));
            }
        }
        // The quiet period ends a name if it is over before the time for it is.
        let deadline = self.flow.deadline;
        if self.requests.poll_deadline().is_some_and(|quiet| quiet <= deadline) {
            let incoming = self.requests.handle_timeout(now).ok_or(nb::Error::WouldBlock)?;
            return Ok(self.flow.ask(now, &incoming));
        }
        if self.flow.framed && !self.requests.has_begun() {
            // A client that has what it wanted and stays is no failure.
            self.flow.end(now);
            return Err(nb::Error::WouldBlock);
        }
        Err(nb::Error::Other(SendError::TimedOut))
    }

    fn poll_transmit(&self) -> Output<'_> {
        self.flow.poll_transmit()
    }

    fn transmitted(&mut self, now: Instant, count: usize) {
        self.flow.transmitted(now, count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        let deadline = self.flow.deadline;
        match self.flow.phase {
            Phase::Listening => {
                let quiet = self.requests.poll_deadline();
                Some(quiet.map_or(deadline, |quiet| quiet.min(deadline)))
            }
            Phase::Ending { .. } => {
                (!matches!(self.flow.poll_transmit(), Output::Close)).then_some(deadline)
            }
            // What the owner takes its time for is not the client's fault.
            _ => (!matches!(self.flow.poll_transmit(), Output::Nothing)).then_some(deadline),
        }
    }
}
