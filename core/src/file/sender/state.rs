//! What a sender does between two requests; apart from the reading of requests, so that it is
//! compiled once for every length of a name.

use core::ops::Range;

use crate::file::config::TransferConfig;
use crate::file::event::{Pending, RequestEvent};
use crate::file::hash_tree::Digest;
use crate::file::layout::Layout;
use crate::file::name::is_acceptable;
use crate::file::progress::Progress;
use crate::file::range::range_of;
use crate::file::request::Request;
use crate::file::request_reader::Incoming;
use crate::file::response::{Offer, Refusal, ResponseHeader};
use crate::file::segment::Segment;
use crate::file::wire::{RESPONSE_HEADER, encode_response};
use crate::logging::debug;
use crate::session::Output;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct SenderState {
    timeout: Duration,
    pub(super) phase: Phase,
    /// The requests have the framed form. False until the first has come; so a sender that listens and
    /// is framed has answered something.
    pub(super) framed: bool,
    header: [u8; RESPONSE_HEADER],
    /// How much of the header has gone out.
    header_sent: usize,
    /// The next byte of the contents to go out.
    position: u64,
    /// Where a digest comes next, or the contents end.
    stop: u64,
    /// Where the range ends, and the file.
    end: u64,
    size: u64,
    layout: Layout,
    /// Of what the next digest is.
    segment: Option<Segment>,
    pub(super) digest: Option<Digest>,
    digest_sent: usize,
    /// The owner wants no more requests.
    pub(super) stopping: bool,
    /// The client has ended its direction.
    pub(super) ended: bool,
    pub(super) progress: Progress,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// For the next request.
    Listening,
    /// For the owner's answer.
    Requested,
    /// The response goes out, and after it, if any was offered, the contents.
    Sending,
    Refusing(Refusal),
    /// This side has no more to say. Whatever the client still says is thrown away, since unread
    /// bytes would turn the close into a reset, and that could destroy what is still on its way.
    Ending {
        write_closed: bool,
    },
}

impl SenderState {
    /// At the start: it waits for the first request.
    pub(super) fn new(now: Instant, config: TransferConfig) -> Self {
        Self {
            timeout: config.timeout,
            phase: Phase::Listening,
            framed: false,
            header: [0; RESPONSE_HEADER],
            header_sent: RESPONSE_HEADER,
            position: 0,
            stop: 0,
            end: 0,
            size: 0,
            layout: Layout::Contents,
            segment: None,
            digest: None,
            digest_sent: 0,
            stopping: false,
            ended: false,
            progress: Progress::new(&config, Deadline::after(now, config.timeout)),
        }
    }

    pub(super) fn pending(&self) -> Option<Pending> {
        match self.phase {
            Phase::Requested => Some(Pending::Response),
            Phase::Sending => self.pending_contents(),
            Phase::Listening | Phase::Refusing(_) | Phase::Ending { .. } => None,
        }
    }

    fn pending_contents(&self) -> Option<Pending> {
        if let Some(segment) = self.segment {
            return self.digest.is_none().then_some(Pending::Digest(segment));
        }
        let is_out = self.header_is_out() && self.position == self.end;
        is_out.then_some(Pending::Confirm)
    }

    fn header_is_out(&self) -> bool {
        self.header_sent >= RESPONSE_HEADER
    }

    /// Takes a request; what the owner is to be told of it.
    pub(super) fn take_request<'a>(
        &mut self,
        now: Instant,
        incoming: &Incoming<'a>,
    ) -> RequestEvent<'a> {
        let request = match *incoming {
            Incoming::Plain(name) => Request { verify: false, ..Request::get(name.as_bytes()) },
            Incoming::Framed(request) => {
                self.framed = true;
                request
            }
            Incoming::TooLong => return self.refuse_unread(now, Refusal::Malformed),
            Incoming::Unreadable(refusal) => {
                self.framed = true;
                return self.refuse_unread(now, refusal);
            }
        };
        if is_acceptable(request.operation, request.name) {
            self.phase = Phase::Requested;
            return RequestEvent::Request(request);
        }
        let refusal = Refusal::Refused;
        self.refuse(now, refusal, Some(&request));
        RequestEvent::Refused { refusal, name: request.name }
    }

    fn refuse_unread<'a>(&mut self, now: Instant, refusal: Refusal) -> RequestEvent<'a> {
        self.refuse(now, refusal, None);
        RequestEvent::Refused { refusal, name: &[] }
    }

    /// Offers something for a framed request, or else for a plain one.
    pub(super) fn offer(
        &mut self,
        now: Instant,
        offer: Offer,
        request: Option<&Request<'_>>,
    ) -> Option<Range<u64>> {
        let Offer { size, tag, modified } = offer;
        let tag = tag.max(1);
        let range = match request.map_or(Ok(0..size), |request| range_of(request, size, tag)) {
            Ok(range) => range,
            Err(refusal) => {
                self.refuse(now, refusal, request);
                return None;
            }
        };
        self.layout = Layout::Contents;
        if let Some(request) = request {
            let (offset, length) = (range.start, range.end.saturating_sub(range.start));
            let verified = request.verify;
            let header = ResponseHeader { offset, length, size, tag, modified, verified };
            self.header = encode_response(Some(request), Ok(header));
            self.header_sent = 0;
            self.layout = Layout::of(request);
        }
        (self.end, self.size) = (range.end, size);
        self.phase = Phase::Sending;
        self.begin_segment(range.start);
        self.progress.begin(now);
        Some(range)
    }

    const fn sends_contents(&self) -> bool {
        !matches!(self.layout, Layout::Digests(_))
    }

    fn begin_segment(&mut self, start: u64) {
        self.segment = self.layout.segment(start, self.size).filter(|_| start < self.end);
        self.stop = self.segment.map_or(self.end, |segment| segment.end());
        self.position = if self.sends_contents() { start } else { self.stop };
        self.digest = None;
        self.digest_sent = 0;
    }

    pub(super) fn refuse(&mut self, now: Instant, refusal: Refusal, request: Option<&Request<'_>>) {
        debug!("refused: {}", refusal);
        if self.framed {
            self.header = encode_response(request, Err(refusal));
            self.header_sent = 0;
            self.phase = Phase::Refusing(refusal);
            self.progress.begin(now);
        } else {
            self.end(now);
        }
    }

    /// The response is out.
    pub(super) fn finish(&mut self, now: Instant) {
        let closes = matches!(self.phase, Phase::Refusing(refusal) if refusal.closes());
        if !self.framed || closes || self.ended || self.stopping {
            self.end(now);
        } else {
            self.phase = Phase::Listening;
            self.progress.deadline = Deadline::after(now, self.timeout);
        }
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.phase = Phase::Ending { write_closed: false };
        self.progress.begin(now);
    }

    pub(super) fn poll_transmit(&self) -> Output<'_> {
        match self.phase {
            Phase::Refusing(_) | Phase::Sending => self.poll_response(),
            Phase::Ending { write_closed: false } => Output::Shutdown,
            Phase::Ending { write_closed: true } if self.ended => Output::Close,
            Phase::Listening | Phase::Requested | Phase::Ending { write_closed: true } => {
                Output::Nothing
            }
        }
    }

    fn poll_response(&self) -> Output<'_> {
        let is_offer = self.phase == Phase::Sending;
        let header = self.header.get(self.header_sent..).unwrap_or_default();
        if !header.is_empty() {
            let more = is_offer && (self.position < self.stop || self.digest.is_some());
            return Output::Bytes { head: header, tail: &[], more };
        }
        if !is_offer {
            return Output::Nothing;
        }
        match self.stop.saturating_sub(self.position) {
            0 => self.digest.as_ref().map_or(Output::Nothing, |digest| {
                let head = digest.get(self.digest_sent..).unwrap_or_default();
                // Contents follow at once; another digest may take the owner its time.
                let more = self.sends_contents() && self.stop < self.end;
                Output::Bytes { head, tail: &[], more }
            }),
            length => Output::Contents { offset: self.position, length },
        }
    }

    pub(super) fn transmitted(&mut self, now: Instant, count: usize) {
        match self.phase {
            Phase::Listening | Phase::Requested => {}
            Phase::Ending { .. } => self.phase = Phase::Ending { write_closed: true },
            Phase::Refusing(_) => {
                self.header_sent = self.header_sent.saturating_add(count).min(RESPONSE_HEADER);
                self.progress.moved(now, count);
                if self.header_is_out() {
                    self.finish(now);
                }
            }
            Phase::Sending => {
                self.progress.moved(now, count);
                self.sent(count);
            }
        }
    }

    /// Bytes of the header, the contents or a digest have gone out: of whichever was lent.
    fn sent(&mut self, count: usize) {
        if !self.header_is_out() {
            self.header_sent = self.header_sent.saturating_add(count).min(RESPONSE_HEADER);
        } else if self.position < self.stop {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.position = self.position.saturating_add(count).min(self.stop);
        } else if let Some(digest) = &self.digest {
            self.digest_sent = self.digest_sent.saturating_add(count);
            if self.digest_sent >= digest.len() {
                self.begin_segment(self.stop);
            }
        }
    }
}
