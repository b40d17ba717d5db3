//! What a receiver makes of what comes in; apart from the requests, so that it is compiled once for
//! all capacities.

use heapless::Vec;

use super::queue::Queue;
use crate::file::config::TransferConfig;
use crate::file::digest::SegmentDigester;
use crate::file::error::ReceiverError;
use crate::file::event::ReceiverEvent;
use crate::file::hash_tree::Digest;
use crate::file::layout::Layout;
use crate::file::progress::Progress;
use crate::file::range::range_of;
use crate::file::request::Request;
use crate::file::response::{Refusal, ResponseHeader};
use crate::file::segment::{Segment, SegmentSize};
use crate::file::wire::{
    MARKER, PREFIX, RESPONSE_HEADER, begins, decode_response, gather, is_intact, is_one_bit_off,
};
use crate::logging::debug;
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct ReceiverState {
    timeout: Duration,
    pub(super) queue: Queue,
    pub(super) stage: Stage,
    digester: SegmentDigester,
    /// The header of an answer has come.
    pub(super) framed: bool,
    pub(super) send_side: SendSide,
    /// The server has ended its direction, or is not waited for any longer.
    pub(super) ended: bool,
    pub(super) progress: Progress,
}

/// How far this side's direction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SendSide {
    Open,
    /// The caller has no more requests; the direction ends once they are out.
    Finished,
    Shutdown,
}

#[derive(Debug)]
pub(super) enum Stage {
    /// For the header of the next answer.
    Header(Vec<u8, RESPONSE_HEADER>),
    /// In the contents, which go on at this offset.
    Contents(Expected, u64),
    /// For the digest of this segment.
    Digest(Expected, Segment, Vec<u8, { size_of::<Digest>() }>),
    /// All bytes of an answer are there.
    Counted { proven: bool },
}

/// What an answer consists of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected {
    end: u64,
    size: u64,
    layout: Layout,
    /// Whether its last byte shows that it is whole.
    is_proven: bool,
}

impl Expected {
    fn new(request: &Request<'_>, answer: &ResponseHeader) -> Self {
        let layout = Layout::of(request);
        let end = answer.offset.saturating_add(answer.length);
        let is_proven = answer.length == 0 || !matches!(layout, Layout::Contents);
        Self { end, size: answer.size, layout, is_proven }
    }

    /// The segment that holds the byte at `offset`, if there are any.
    const fn segment(&self, offset: u64) -> Option<Segment> {
        self.layout.segment(offset, self.size)
    }
}

impl Stage {
    /// What comes at `position`, where a segment begins if there are any.
    fn at(expected: Expected, position: u64) -> Self {
        match (expected.layout, expected.segment(position)) {
            _ if position >= expected.end => Self::Counted { proven: expected.is_proven },
            (Layout::Digests(_), Some(segment)) => Self::Digest(expected, segment, Vec::new()),
            _ => Self::Contents(expected, position),
        }
    }
}

impl ReceiverState {
    /// At the start: it waits for the first answer.
    pub(super) fn new(now: Instant, config: TransferConfig) -> Self {
        Self {
            timeout: config.timeout,
            queue: Queue::default(),
            stage: Stage::Header(Vec::new()),
            digester: SegmentDigester::new(SegmentSize::MAX.segment(0, 0)),
            framed: false,
            send_side: SendSide::Open,
            ended: false,
            progress: Progress::new(&config, Deadline::after(now, config.timeout)),
        }
    }

    /// `requests` are the bytes that the queue is about.
    pub(super) fn handle_input<'i>(
        &mut self,
        requests: &[u8],
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<ReceiverEvent<'i>, ReceiverError> {
        loop {
            match &mut self.stage {
                Stage::Counted { proven: true } => return Ok(self.complete(requests, now)),
                _ if input.is_empty() => return Err(nb::Error::WouldBlock),
                // What follows is no response that was asked for, so the count was not right either.
                Stage::Counted { proven: false }
                    if self.queue.length() < 2 || input.first() != Some(&MARKER) =>
                {
                    return Err(nb::Error::Other(ReceiverError::Malformed));
                }
                // The server has gone on, so it had sent all there was.
                Stage::Counted { proven: false } => return Ok(self.complete(requests, now)),
                Stage::Header(_) if self.queue.length() == 0 => {
                    // Nobody asked for it.
                    *input = &[];
                }
                Stage::Header(header) => {
                    let before = header.len();
                    if before == 0 {
                        self.progress.begin(now);
                    }
                    gather(header, RESPONSE_HEADER, input);
                    self.progress.moved(now, header.len().saturating_sub(before));
                    let begun = begins(header);
                    if let Err(refusal) = begun
                        && !(refusal == Refusal::Malformed && is_one_bit_off(header))
                    {
                        return Err(nb::Error::Other(self.unreadable(refusal)));
                    }
                    if let Ok(mut header) = <[u8; RESPONSE_HEADER]>::try_from(header.as_slice()) {
                        // Its check is of what was sent.
                        header.iter_mut().zip(PREFIX).for_each(|(place, byte)| *place = byte);
                        let answered = self.answered(requests, now, begun, &header);
                        return answered.map_err(nb::Error::Other);
                    }
                }
                Stage::Contents(expected, position) => {
                    let (expected, start) = (*expected, *position);
                    let segment = expected.segment(start);
                    let end = segment.map_or(expected.end, |segment| segment.end());
                    let room = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
                    let (part, rest) = input.split_at_checked(room).unwrap_or((input, &[]));
                    *input = rest;
                    let position = start.saturating_add(part.len() as u64);
                    // What shows that it is whole has a stall of its own.
                    let is_last = position == expected.end;
                    self.progress.moved(now, if is_last { usize::MAX } else { part.len() });
                    self.stage = match segment {
                        Some(segment) => {
                            if start == segment.start() {
                                self.digester.restart(segment);
                            }
                            self.digester.update(part);
                            if position == end {
                                Stage::Digest(expected, segment, Vec::new())
                            } else {
                                Stage::Contents(expected, position)
                            }
                        }
                        None => Stage::at(expected, position),
                    };
                    return Ok(ReceiverEvent::Contents(part));
                }
                Stage::Digest(expected, segment, digest) => {
                    let (expected, segment, before) = (*expected, *segment, digest.len());
                    gather(digest, size_of::<Digest>(), input);
                    let gathered = digest.len().saturating_sub(before);
                    let digest = digest.as_slice().try_into().ok();
                    self.progress.moved(now, gathered);
                    if let Some(digest) = digest {
                        self.stage = Stage::at(expected, segment.end());
                        return self.digest(expected, segment, digest).map_err(nb::Error::Other);
                    }
                }
            }
        }
    }

    /// What does not begin as a response does.
    fn unreadable(&self, refusal: Refusal) -> ReceiverError {
        match refusal {
            Refusal::NotSupported => ReceiverError::OtherVersion,
            _ if self.framed => ReceiverError::Malformed,
            _ => ReceiverError::NotFramed,
        }
    }

    /// The digest of a segment is there.
    fn digest<'i>(
        &self,
        expected: Expected,
        segment: Segment,
        digest: Digest,
    ) -> Result<ReceiverEvent<'i>, ReceiverError> {
        let (start, end) = (segment.start(), segment.end());
        match expected.layout {
            Layout::Digests(_) => Ok(ReceiverEvent::Digest { start, end, digest }),
            _ if self.digester.finish() == digest => {
                Ok(ReceiverEvent::Verified { start, end, digest })
            }
            _ => {
                debug!("the digest of the segment from {} on is wrong", start);
                Err(ReceiverError::Corrupt)
            }
        }
    }

    /// A header is there, which has begun so, and is that of an answer if it is intact.
    fn answered<'i>(
        &mut self,
        requests: &[u8],
        now: Instant,
        begun: Result<(), Refusal>,
        header: &[u8; RESPONSE_HEADER],
    ) -> Result<ReceiverEvent<'i>, ReceiverError> {
        let request = self.queue.first(requests).ok_or(ReceiverError::Malformed)?;
        match (begun, is_intact(&request, header)) {
            (Ok(()), true) => {}
            (Err(refusal), false) => return Err(self.unreadable(refusal)),
            _ => return Err(ReceiverError::DamagedHeader),
        }
        self.framed = true;
        let answer = match decode_response(header).ok_or(ReceiverError::Malformed)? {
            Ok(answer) => answer,
            Err(refusal) => {
                self.next(requests, now);
                return Ok(ReceiverEvent::Refused(refusal));
            }
        };
        if answer.verified != request.verify {
            let is_less = request.verify;
            return Err(if is_less { ReceiverError::Unverified } else { ReceiverError::Malformed });
        }
        let range = answer.offset..answer.offset.saturating_add(answer.length);
        if range_of(&request, answer.size, answer.tag) != Ok(range) {
            return Err(ReceiverError::Malformed);
        }
        self.stage = Stage::at(Expected::new(&request, &answer), answer.offset);
        Ok(ReceiverEvent::Response(answer))
    }

    pub(super) fn complete<'i>(&mut self, requests: &[u8], now: Instant) -> ReceiverEvent<'i> {
        self.next(requests, now);
        ReceiverEvent::Complete
    }

    fn next(&mut self, requests: &[u8], now: Instant) {
        self.queue.remove_first(requests);
        self.stage = Stage::Header(Vec::new());
        self.await_peer(now);
    }

    /// The time for what comes next begins.
    pub(super) fn await_peer(&mut self, now: Instant) {
        self.progress.deadline = Deadline::after(now, self.timeout);
    }

    /// The stream has ended: what is wrong with that, if anything.
    pub(super) fn end(&self) -> Result<(), ReceiverError> {
        match &self.stage {
            Stage::Header(_) if self.queue.length() == 0 => Ok(()),
            Stage::Header(header)
                if !self.framed && (header.is_empty() || begins(header).is_err()) =>
            {
                Err(ReceiverError::NotFramed)
            }
            _ => Err(ReceiverError::CutShort),
        }
    }

    /// What is late, if anything.
    pub(super) fn late(&self) -> ReceiverError {
        match &self.stage {
            Stage::Header(header) if header.is_empty() => ReceiverError::TimedOut,
            Stage::Counted { .. } => ReceiverError::Unclosed,
            _ => ReceiverError::Stalled,
        }
    }
}
