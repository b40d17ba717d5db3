//! The side that wants the files, against any server.

use arbitrary::Arbitrary;
use barewire_core::file::{Receiver, ReceiverError, ReceiverEvent, Request, TransferConfig};
use barewire_core::session::Session;
use barewire_core::time::Instant;

use super::wire::{self, Place, Read, Response};
use crate::manual_driver::{ManualDriver, byte_at};
use crate::script::{Cuts, START, Span};

/// What is asked for, and what the server sends.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    requests: Vec<Asking>,
    pieces: Vec<Piece<'a>>,
    ends: bool,
    cuts: Cuts,
    overstates: bool,
    pause: Option<Span>,
}

/// A request, as far as its answer depends on it.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Asking {
    verify: bool,
    tag: Option<u8>,
    offset: Place,
}

#[derive(Debug, Arbitrary)]
enum Piece<'a> {
    /// What an honest server would answer to the next request: so many bytes of contents with their
    /// digests, and perhaps one bit of all that changed.
    Honest {
        length: u8,
        tag: u8,
        verified: bool,
        flip: Option<u16>,
    },
    /// A header of any size, and so many bytes behind it.
    Offer {
        offset: Place,
        size: Place,
        tag: u8,
        verified: bool,
        bytes: u8,
    },
    Refusal(u8),
    Bytes(&'a [u8]),
}

/// What a receiver has told; contents that follow each other are one.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Answered(u64, u64, u64, bool),
    Refused(u8),
    Contents(Vec<u8>),
    Verified(u64),
    Complete,
}

fn contents(seen: &mut Vec<Seen>, bytes: &[u8]) {
    match seen.last_mut() {
        _ if bytes.is_empty() => {}
        Some(Seen::Contents(before)) => before.extend_from_slice(bytes),
        _ => seen.push(Seen::Contents(bytes.to_vec())),
    }
}

fn see(seen: &mut Vec<Seen>, received: ReceiverEvent<'_>) {
    match received {
        ReceiverEvent::Response(answer) => {
            seen.push(Seen::Answered(answer.offset, answer.size, answer.tag, answer.verified));
        }
        ReceiverEvent::Refused(refusal) => seen.push(Seen::Refused(refusal.status())),
        ReceiverEvent::Contents(bytes) => {
            assert!(!bytes.is_empty(), "nothing is lent");
            contents(seen, bytes);
        }
        ReceiverEvent::Verified { end } => seen.push(Seen::Verified(end)),
        ReceiverEvent::Complete => seen.push(Seen::Complete),
        other => unreachable!("{other:?}"),
    }
}

/// Everything that is to come of a stream, by a reader that has all of it at once.
struct Expected<'a> {
    requests: &'a [Asking],
    rest: &'a [u8],
    ends: bool,
    seen: Vec<Seen>,
    heard: bool,
}

/// Why the reading stops: more is to come, or it has failed.
type Stop = Option<ReceiverError>;

impl<'a> Expected<'a> {
    fn take(&mut self, count: usize) -> &'a [u8] {
        let (part, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        part
    }

    /// There is no more of an answer.
    fn stops(&self) -> Stop {
        self.ends.then_some(ReceiverError::CutShort)
    }

    fn read(&mut self) -> Result<(), Stop> {
        let requests = self.requests;
        for (number, asking) in requests.iter().enumerate() {
            self.read_answer(asking, number + 1 < requests.len())?;
        }
        Ok(())
    }

    fn read_answer(&mut self, asking: &Asking, is_more_asked: bool) -> Result<(), Stop> {
        match self.rest.first() {
            None if self.ends && !self.heard => return Err(Some(ReceiverError::NotFramed)),
            Some(1..) if !self.heard => return Err(Some(ReceiverError::NotFramed)),
            Some(1..) => return Err(Some(ReceiverError::Malformed)),
            None | Some(0) => {}
        }
        let response = match wire::read_response(self.rest) {
            Read::Whole(response, length) => {
                self.take(length);
                response
            }
            Read::Part => return Err(self.stops()),
            Read::Wrong(_) => return Err(Some(ReceiverError::Malformed)),
        };
        self.heard = true;
        let (offset, size, verified) = match response {
            Response::Refusal(status) => {
                self.seen.push(Seen::Refused(status));
                return Ok(());
            }
            Response::Offer { offset, size, tag, verified } => {
                let held = u64::from(asking.tag.unwrap_or_default());
                let wanted = if held != 0 && held != tag { 0 } else { asking.offset.offset() };
                if offset != wanted || (verified && !asking.verify) {
                    return Err(Some(ReceiverError::Malformed));
                }
                self.seen.push(Seen::Answered(offset, size, tag, verified));
                (offset, size, verified)
            }
        };
        if verified {
            self.read_segments(offset, size)?;
        } else {
            self.read_counted(size - offset, is_more_asked)?;
        }
        self.seen.push(Seen::Complete);
        Ok(())
    }

    fn read_contents(&mut self, length: u64) -> Result<&'a [u8], Stop> {
        let part = self.take(usize::try_from(length).unwrap_or(usize::MAX));
        contents(&mut self.seen, part);
        if (part.len() as u64) < length { Err(self.stops()) } else { Ok(part) }
    }

    fn read_segments(&mut self, offset: u64, size: u64) -> Result<(), Stop> {
        let mut position = offset;
        while position < size {
            let end = wire::segment_end(position, size);
            let part = self.read_contents(end - position)?;
            let digest = self.take(32);
            if digest.len() < 32 {
                return Err(self.stops());
            }
            if blake3::hash(part).as_bytes() != digest {
                return Err(Some(ReceiverError::Corrupt));
            }
            self.seen.push(Seen::Verified(end));
            position = end;
        }
        Ok(())
    }

    /// Without digests, only what comes next shows that the count was right.
    fn read_counted(&mut self, length: u64, is_more_asked: bool) -> Result<(), Stop> {
        self.read_contents(length)?;
        match self.rest.first() {
            _ if length == 0 => Ok(()),
            None if self.ends => Ok(()),
            None => Err(None),
            Some(0) if is_more_asked => Ok(()),
            Some(_) => Err(Some(ReceiverError::Malformed)),
        }
    }
}

/// The stream of a server.
fn stream(input: &Input<'_>) -> Vec<u8> {
    let mut stream = Vec::new();
    let mut requests = input.requests.iter().cycle();
    for piece in input.pieces.iter().take(8) {
        match *piece {
            Piece::Honest { length, tag, verified, flip } => {
                let start = stream.len();
                let Some(asking) = requests.next() else { continue };
                let (held, tag) = (u64::from(asking.tag.unwrap_or_default()), u64::from(tag));
                let offset = if held != 0 && held != tag { 0 } else { asking.offset.offset() };
                let size = offset.saturating_add(length.into());
                let verified = verified && asking.verify;
                stream.extend(wire::response(0, verified, [offset, size, tag]));
                let mut position = offset;
                while position < size {
                    let end = if verified { wire::segment_end(position, size) } else { size };
                    let part: Vec<u8> = (position..end).map(|at| byte_at(length, at)).collect();
                    stream.extend(&part);
                    if verified {
                        stream.extend(blake3::hash(&part).as_bytes());
                    }
                    position = end;
                }
                if let Some(flip) = flip {
                    let at = start + usize::from(flip / 8) % (stream.len() - start);
                    stream[at] ^= 1 << (flip % 8);
                }
            }
            Piece::Offer { offset, size, tag, verified, bytes } => {
                requests.next();
                let numbers = [offset.offset(), size.offset(), tag.into()];
                stream.extend(wire::response(0, verified, numbers));
                stream.extend((0..bytes).map(|at| byte_at(tag, at.into())));
            }
            Piece::Refusal(status) => {
                requests.next();
                stream.extend(wire::response(status % 9, false, [0; 3]));
            }
            Piece::Bytes(bytes) => stream.extend_from_slice(bytes),
        }
    }
    stream
}

/// What is told of a stream is what a reader of the whole would tell, however it is cut; and the
/// conversation ends.
pub fn check(input: &Input<'_>) {
    let requests = &input.requests[..input.requests.len().min(4)];
    let input_stream = stream(input);
    let mut receiver = Receiver::<128, 4>::new(START, TransferConfig::default());
    let mut driver = ManualDriver { overstates: input.overstates, ..ManualDriver::default() };
    let mut asked = Vec::new();
    for asking in requests {
        let &Asking { verify, tag, offset } = asking;
        let (offset, tag) = (offset.offset(), tag.unwrap_or_default().into());
        let request = Request { offset, tag, verify, ..Request::get(b"name") };
        receiver.request(START, &request).expect("there is room");
        asked.extend(wire::request(&request));
    }
    receiver.finish();
    let mut expected = Expected {
        requests,
        rest: &input_stream,
        ends: input.ends,
        seen: Vec::new(),
        heard: false,
    };
    let stop = expected.read();

    let (mut now, mut seen, mut failed) = (START, Vec::new(), None);
    driver.transmit(now, &mut receiver, u64::MAX);
    assert_eq!(driver.sent, asked);
    assert!(driver.has_shut_down(), "there is nothing more to ask");
    let mut pause = input.pause;
    let mut on_received = |received: ReceiverEvent<'_>| see(&mut seen, received);
    for piece in input.cuts.pieces(&input_stream) {
        failed = driver.hear(now, &mut receiver, piece, &mut on_received);
        if let Some(span) = pause.take() {
            now += span.duration();
            failed = failed.or_else(|| driver.expire(now, &mut receiver, &mut on_received));
        }
        driver.transmit(now, &mut receiver, u64::MAX);
        if driver.is_over() {
            break;
        }
    }
    if input.ends && !driver.is_over() {
        driver.ended = true;
        failed = driver.listen(now, &mut receiver, &mut on_received);
        driver.transmit(now, &mut receiver, u64::MAX);
    }
    if matches!(
        failed,
        Some(ReceiverError::TimedOut | ReceiverError::Stalled | ReceiverError::Unclosed)
    ) {
        return assert!(now > START, "nothing was late");
    }
    if driver.closed && now > START {
        // It had all that it wanted, and waited for nothing more.
        return assert!(stop.is_ok());
    }
    assert_eq!(seen, expected.seen);
    assert_eq!(failed, stop.err().flatten());
    assert_eq!(driver.closed, stop.is_ok() && input.ends);
    end(driver, receiver, now, stop.is_ok());
}

/// Nothing more comes: it ends, and only with what it asked for can it end well.
fn end(
    mut driver: ManualDriver,
    mut receiver: impl Session<Error = ReceiverError>,
    now: Instant,
    is_whole: bool,
) {
    let mut now = now;
    if !driver.is_over() {
        let failed = driver.run_out(&mut now, &mut receiver, |_| panic!("an event from nothing"));
        assert_eq!(failed.is_none(), is_whole, "{failed:?}");
    }
}
