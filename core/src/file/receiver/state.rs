//! What a receiver makes of what comes in; apart from the requests, so that it is compiled once for
//! all capacities.

use heapless::Vec;
use heapless::deque::DequeView;

use crate::file::config::TransferConfig;
use crate::file::digest::{Digest, Digester, segment_end};
use crate::file::error::ReceiverError;
use crate::file::event::ReceiverEvent;
use crate::file::response::ResponseHeader;
use crate::file::wire::{MARKER, RESPONSE_HEADER, Response, decode_response, gather};
use crate::logging::debug;
use crate::time::Instant;
use crate::time::deadline::Deadline;

/// What an answer must fit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited {
    pub(super) offset: u64,
    pub(super) tag: u64,
    pub(super) verify: bool,
}

impl Awaited {
    fn fits(self, answer: &ResponseHeader) -> bool {
        let offset = if self.tag != 0 && self.tag != answer.tag { 0 } else { self.offset };
        answer.offset == offset && (self.verify || !answer.verified)
    }
}

#[derive(Debug)]
pub(super) struct ReceiverState {
    config: TransferConfig,
    pub(super) stage: Stage,
    digester: Digester,
    /// The header of an answer has come.
    pub(super) framed: bool,
    pub(super) send_side: SendSide,
    /// The server has ended its direction, or is not waited for any longer.
    pub(super) ended: bool,
    pub(super) deadline: Deadline,
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
    /// In the contents, which go on at `position`.
    Contents { answer: ResponseHeader, position: u64 },
    /// Behind a segment.
    Digest { answer: ResponseHeader, position: u64, digest: Vec<u8, { size_of::<Digest>() }> },
    /// All bytes of an answer are there.
    Counted { verified: bool },
}

impl Stage {
    /// What comes at `position`.
    fn at(answer: ResponseHeader, position: u64) -> Self {
        if position < answer.size {
            Self::Contents { answer, position }
        } else {
            Self::Counted { verified: answer.verified || answer.offset == answer.size }
        }
    }
}

impl ReceiverState {
    /// At the start: it waits for the first answer.
    pub(super) fn new(now: Instant, config: TransferConfig) -> Self {
        Self {
            config,
            stage: Stage::Header(Vec::new()),
            digester: Digester::new(),
            framed: false,
            send_side: SendSide::Open,
            ended: false,
            deadline: Deadline::after(now, config.timeout),
        }
    }

    pub(super) fn handle_input<'i>(
        &mut self,
        awaited: &mut DequeView<Awaited>,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<ReceiverEvent<'i>, ReceiverError> {
        loop {
            match &mut self.stage {
                Stage::Counted { verified: true } => return Ok(self.complete(awaited, now)),
                _ if input.is_empty() => return Err(nb::Error::WouldBlock),
                // What follows is no response that was asked for, so the count was not right either.
                Stage::Counted { verified: false }
                    if awaited.iter().nth(1).is_none() || input.first() != Some(&MARKER) =>
                {
                    return Err(nb::Error::Other(ReceiverError::Malformed));
                }
                // The server has gone on, so it had sent all there was.
                Stage::Counted { verified: false } => return Ok(self.complete(awaited, now)),
                Stage::Header(_) if awaited.is_empty() => {
                    // Nobody asked for it.
                    *input = &[];
                }
                Stage::Header(header) => {
                    if header.is_empty() && input.first() != Some(&MARKER) {
                        let error = if self.framed {
                            ReceiverError::Malformed
                        } else {
                            ReceiverError::NotFramed
                        };
                        return Err(nb::Error::Other(error));
                    }
                    gather(header, RESPONSE_HEADER, input);
                    self.deadline = Deadline::after(now, self.config.stall);
                    if let Ok(header) = header.as_slice().try_into() {
                        let response = decode_response(header);
                        self.framed |= response.is_some();
                        return self.answered(awaited, now, response);
                    }
                }
                Stage::Contents { answer, position } => {
                    let (answer, start) = (*answer, *position);
                    let end =
                        if answer.verified { segment_end(start, answer.size) } else { answer.size };
                    let room = usize::try_from(end.saturating_sub(start)).unwrap_or(usize::MAX);
                    let (part, rest) = input.split_at_checked(room).unwrap_or((input, &[]));
                    *input = rest;
                    let position = start.saturating_add(part.len() as u64);
                    self.deadline = Deadline::after(now, self.config.stall);
                    if answer.verified {
                        self.digester.update(part);
                    }
                    self.stage = if answer.verified && position == end {
                        Stage::Digest { answer, position, digest: Vec::new() }
                    } else {
                        Stage::at(answer, position)
                    };
                    return Ok(ReceiverEvent::Contents(part));
                }
                Stage::Digest { answer, position, digest } => {
                    gather(digest, size_of::<Digest>(), input);
                    self.deadline = Deadline::after(now, self.config.stall);
                    if digest.is_full() {
                        if self.digester.finish() != **digest {
                            debug!("the digest of the segment before {} is wrong", position);
                            return Err(nb::Error::Other(ReceiverError::Corrupt));
                        }
                        let end = *position;
                        self.stage = Stage::at(*answer, end);
                        return Ok(ReceiverEvent::Verified { end });
                    }
                }
            }
        }
    }

    /// The header of an answer is there.
    fn answered<'i>(
        &mut self,
        awaited: &mut DequeView<Awaited>,
        now: Instant,
        response: Option<Response>,
    ) -> nb::Result<ReceiverEvent<'i>, ReceiverError> {
        let malformed = Err(nb::Error::Other(ReceiverError::Malformed));
        let (Some(response), Some(request)) = (response, awaited.front()) else {
            return malformed;
        };
        match response {
            Ok(answer) if request.fits(&answer) => {
                self.stage = Stage::at(answer, answer.offset);
                Ok(ReceiverEvent::Response(answer))
            }
            Ok(_) => malformed,
            Err(refusal) => {
                self.next(awaited, now);
                Ok(ReceiverEvent::Refused(refusal))
            }
        }
    }

    pub(super) fn complete<'i>(
        &mut self,
        awaited: &mut DequeView<Awaited>,
        now: Instant,
    ) -> ReceiverEvent<'i> {
        self.next(awaited, now);
        ReceiverEvent::Complete
    }

    fn next(&mut self, awaited: &mut DequeView<Awaited>, now: Instant) {
        awaited.pop_front();
        self.stage = Stage::Header(Vec::new());
        self.await_peer(now);
    }

    /// The time for what comes next begins.
    pub(super) fn await_peer(&mut self, now: Instant) {
        self.deadline = Deadline::after(now, self.config.timeout);
    }

    /// The stream has ended: what is wrong with that, if anything.
    pub(super) fn end(&self, is_awaiting: bool) -> Result<(), ReceiverError> {
        match &self.stage {
            Stage::Header(_) if !is_awaiting => Ok(()),
            Stage::Header(header) if !self.framed && header.is_empty() => {
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
