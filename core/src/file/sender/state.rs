//! What a sender does between two requests; apart from the reading of requests, so that it is
//! compiled once for every length of a name.

use core::ops::Range;

use crate::file::config::TransferConfig;
use crate::file::digest::{Digest, segment_end};
use crate::file::event::{Pending, RequestEvent};
use crate::file::name::is_acceptable;
use crate::file::request::Request;
use crate::file::request_reader::Incoming;
use crate::file::response::{Refusal, ResponseHeader};
use crate::file::wire::{RESPONSE_HEADER, encode_response};
use crate::logging::debug;
use crate::session::Output;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct SenderState {
    timeout: Duration,
    stall: Duration,
    pub(super) phase: Phase,
    /// The requests have the framed form. False until the first has come; so a sender that listens and
    /// is framed has answered something.
    pub(super) framed: bool,
    /// Of the request: the offset and the tag of the client, and whether it wants digests.
    wanted: (u64, u64, bool),
    header: [u8; RESPONSE_HEADER],
    /// How much of the header has gone out.
    header_sent: usize,
    /// The next byte of the contents to go out.
    position: u64,
    /// What goes out before the next digest, or all of it.
    segment: (u64, u64),
    size: u64,
    pub(super) digest: Option<Digest>,
    digest_sent: usize,
    /// The owner wants no more requests.
    pub(super) stopping: bool,
    /// The client has ended its direction.
    pub(super) ended: bool,
    pub(super) deadline: Deadline,
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
            stall: config.stall,
            phase: Phase::Listening,
            framed: false,
            wanted: (0, 0, false),
            header: [0; RESPONSE_HEADER],
            header_sent: RESPONSE_HEADER,
            position: 0,
            segment: (0, 0),
            size: 0,
            digest: None,
            digest_sent: 0,
            stopping: false,
            ended: false,
            deadline: Deadline::after(now, config.timeout),
        }
    }

    pub(super) fn pending(&self) -> Option<Pending> {
        match self.phase {
            Phase::Requested => Some(Pending::Response),
            Phase::Sending => {
                let (offset, end) = self.segment;
                if self.wants_digest() {
                    let is_known = self.digest.is_some();
                    let length = end.saturating_sub(offset);
                    (!is_known).then_some(Pending::Digest { offset, length })
                } else {
                    let is_out = self.header_is_out() && self.position == self.size;
                    is_out.then_some(Pending::Confirm)
                }
            }
            Phase::Listening | Phase::Refusing(_) | Phase::Ending { .. } => None,
        }
    }

    fn header_is_out(&self) -> bool {
        self.header_sent >= RESPONSE_HEADER
    }

    /// Whether a digest is to follow the segment.
    fn wants_digest(&self) -> bool {
        let ((.., verify), (start, end)) = (self.wanted, self.segment);
        verify && start < end
    }

    pub(super) fn progress(&mut self, now: Instant) {
        self.deadline = Deadline::after(now, self.stall);
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
        self.wanted = (request.offset, request.tag, request.verify);
        if is_acceptable(request.operation, request.name) {
            self.phase = Phase::Requested;
            return RequestEvent::Request(request);
        }
        let refusal = Refusal::Refused;
        self.refuse(now, refusal);
        RequestEvent::Refused { refusal, name: request.name }
    }

    fn refuse_unread<'a>(&mut self, now: Instant, refusal: Refusal) -> RequestEvent<'a> {
        self.refuse(now, refusal);
        RequestEvent::Refused { refusal, name: &[] }
    }

    pub(super) fn offer(&mut self, now: Instant, size: u64, tag: u64) -> Option<Range<u64>> {
        let (wanted, held, verified) = self.wanted;
        let offset = if held != 0 && held != tag { 0 } else { wanted };
        if offset > size {
            self.refuse(now, Refusal::PastEnd);
            return None;
        }
        if self.framed {
            self.header = encode_response(Ok(ResponseHeader { offset, size, tag, verified }));
            self.header_sent = 0;
        }
        self.size = size;
        self.position = offset;
        self.phase = Phase::Sending;
        self.begin_segment(offset);
        self.progress(now);
        Some(offset..size)
    }

    fn begin_segment(&mut self, start: u64) {
        let (.., verify) = self.wanted;
        let end = if verify { segment_end(start, self.size) } else { self.size };
        self.segment = (start, end);
        self.digest = None;
        self.digest_sent = 0;
    }

    pub(super) fn refuse(&mut self, now: Instant, refusal: Refusal) {
        debug!("refused: status {}", refusal.status());
        if self.framed {
            self.header = encode_response(Err(refusal));
            self.header_sent = 0;
            self.phase = Phase::Refusing(refusal);
            self.progress(now);
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
            self.deadline = Deadline::after(now, self.timeout);
        }
    }

    pub(super) fn end(&mut self, now: Instant) {
        self.phase = Phase::Ending { write_closed: false };
        self.progress(now);
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
            let more = is_offer && self.position < self.size;
            return Output::Bytes { head: header, tail: &[], more };
        }
        let (_, end) = self.segment;
        if !is_offer {
            return Output::Nothing;
        }
        match end.saturating_sub(self.position) {
            0 => self.digest.as_ref().map_or(Output::Nothing, |digest| {
                let head = digest.get(self.digest_sent..).unwrap_or_default();
                Output::Bytes { head, tail: &[], more: end < self.size }
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
                self.progress(now);
                if self.header_is_out() {
                    self.finish(now);
                }
            }
            Phase::Sending => {
                self.progress(now);
                self.sent(count);
            }
        }
    }

    /// Bytes of the header, the contents or a digest have gone out: of whichever was lent.
    fn sent(&mut self, count: usize) {
        let (_, end) = self.segment;
        if !self.header_is_out() {
            self.header_sent = self.header_sent.saturating_add(count).min(RESPONSE_HEADER);
        } else if self.position < end {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            self.position = self.position.saturating_add(count).min(end);
        } else if let Some(digest) = &self.digest {
            self.digest_sent = self.digest_sent.saturating_add(count);
            if self.digest_sent >= digest.len() {
                self.begin_segment(end);
            }
        }
    }
}
