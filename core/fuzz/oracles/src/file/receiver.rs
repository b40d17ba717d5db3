//! The side that wants the files, against any server.

use arbitrary::Arbitrary;
use barewire_core::file::{
    Offer, Receiver, ReceiverError, ReceiverEvent, Refusal, Request, RequestError, TransferConfig,
};
use barewire_core::time::{Duration, Instant};

use super::server::Server;
use super::wire::{self, Asking, Place};
use super::witness::Witness;
use crate::manual_driver::{ManualDriver, byte_at};
use crate::script::{Cuts, START, Span};

const NAME: &[u8] = b"name";

/// The longest range that an honest server sends here.
const LONGEST: u64 = 3_000;

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

/// What the server sends; each but the last kind is an answer to the next request.
#[derive(Debug, Arbitrary)]
enum Piece<'a> {
    /// As a sender answers, and perhaps one bit changed.
    Honest {
        size: Place,
        tag: u8,
        modified: i64,
        flip: Option<u16>,
    },
    /// Any header whose check is right, but for a byte, and so many bytes behind it.
    Header {
        status: u8,
        flags: u8,
        numbers: [Place; 5],
        change: Option<(u8, u8)>,
        bytes: u8,
    },
    Bytes(&'a [u8]),
}

/// What an honest server sends, whose file has such a size; not too much.
fn honest(request: &Request<'_>, size: u64, tag: u64, modified: i64) -> Vec<u8> {
    let answer = |_: usize, asked: &Request<'_>| -> Result<Offer, Refusal> {
        assert_eq!(asked, request, "what is asked is what is heard");
        let start = wire::range(asked, u64::MAX, tag).map_or(0, |range| range.start);
        Ok(Offer { size: size.min(start.saturating_add(LONGEST)), tag, modified })
    };
    let mut server = Server::<4, _>::new(1, answer);
    server.turn(START, &wire::request(request), false);
    server.driver.sent
}

/// The stream of a server.
fn stream(pieces: &[Piece<'_>], requests: &[Request<'_>]) -> Vec<u8> {
    let (mut stream, mut requests) = (Vec::new(), requests.iter());
    for piece in pieces.iter().take(8) {
        let start = stream.len();
        match *piece {
            Piece::Honest { size, tag, modified, flip } => {
                let Some(request) = requests.next() else { continue };
                stream.extend(honest(request, size.offset(), u64::from(tag).max(1), modified));
                if let Some(flip) = flip {
                    let at = start + usize::from(flip / 8) % (stream.len() - start);
                    stream[at] ^= 1 << (flip % 8);
                }
            }
            Piece::Header { status, flags, numbers, change, bytes } => {
                let Some(request) = requests.next() else { continue };
                let mut header =
                    wire::response(request, status % 9, flags % 4, numbers.map(Place::offset));
                if let Some((at, value)) = change {
                    header[usize::from(at) % wire::CHECKED] = value;
                    let check = wire::check(request, &header[..wire::CHECKED]);
                    header[wire::CHECKED..].copy_from_slice(&check);
                }
                stream.extend(header);
                stream.extend((0..bytes).map(|at| byte_at(1, at.into())));
            }
            Piece::Bytes(bytes) => stream.extend_from_slice(bytes),
        }
    }
    stream
}

/// What came of a conversation.
#[derive(Debug, PartialEq, Eq)]
struct Course {
    failed: Option<ReceiverError>,
    closed: bool,
    /// What the witness has left.
    left: (usize, usize),
    now: Instant,
}

/// Has a receiver read the stream in pieces, after the first of which it may wait.
fn receive<'p>(
    (requests, stream): (&[Request<'_>], &[u8]),
    pieces: impl Iterator<Item = &'p [u8]>,
    input: &Input<'_>,
    mut pause: Option<Duration>,
) -> Course {
    let mut receiver = Receiver::<256>::new(START, TransferConfig::default());
    let mut driver = ManualDriver { overstates: input.overstates, ..ManualDriver::default() };
    for request in requests {
        receiver.request(START, request).expect("there is room");
    }
    receiver.finish();
    let (mut now, mut failed) = (START, None);
    driver.transmit(now, &mut receiver, u64::MAX);
    assert_eq!(driver.sent, requests.iter().flat_map(wire::request).collect::<Vec<_>>());
    assert!(driver.has_shut_down(), "there is nothing more to ask");

    let mut witness = Witness::new(requests, stream, input.ends);
    let mut see = |event: ReceiverEvent<'_>| witness.see(&event);
    for piece in pieces {
        failed = driver.hear(now, &mut receiver, piece, &mut see);
        if let Some(span) = pause.take() {
            now += span;
            failed = failed.or_else(|| driver.expire(now, &mut receiver, &mut see));
        }
        driver.transmit(now, &mut receiver, u64::MAX);
        if driver.is_over() {
            break;
        }
    }
    if input.ends && !driver.is_over() {
        driver.ended = true;
        failed = driver.listen(now, &mut receiver, &mut see);
        driver.transmit(now, &mut receiver, u64::MAX);
        assert!(failed.is_some() || receiver.unanswered() == 0, "nothing more comes");
    }
    let (closed, at) = (driver.closed, now);
    if !driver.is_over() {
        let late = driver.run_out(&mut now, &mut receiver, |_| panic!("an event from nothing"));
        assert_eq!(late.is_some(), receiver.unanswered() > 0, "{late:?}");
    }
    let left = witness.left();
    assert_eq!(left.0, receiver.unanswered());
    assert!(!closed || left.0 == 0, "an end in order, and questions left");
    Course { failed, closed, left, now: at }
}

/// Whatever a server sends, what is told of it is what it said and what is proven; as much is told
/// however it is cut; an honest server is believed; and the conversation ends.
pub fn check(input: &Input<'_>) {
    let mut requests: Vec<_> =
        input.requests.iter().take(4).map(|asking| asking.request(NAME)).collect();
    requests.retain(|request| {
        let asked = Receiver::<64>::new(START, TransferConfig::default()).request(START, request);
        let is_whole = wire::is_whole(request);
        assert_eq!(asked, if is_whole { Ok(()) } else { Err(RequestError::CutsSegment) });
        is_whole
    });
    let stream = stream(&input.pieces, &requests);
    let conversation = (&requests[..], &stream[..]);
    let whole = receive(conversation, [&stream[..]].into_iter(), input, None);
    let cut =
        receive(conversation, input.cuts.pieces(&stream), input, input.pause.map(Span::duration));
    if cut.now > START {
        assert!(cut.left.1 >= whole.left.1, "a wait brings no more");
    } else {
        assert_eq!(cut, whole);
    }
    let is_honest = |piece: &Piece<'_>| matches!(piece, Piece::Honest { flip: None, .. });
    if input.ends && input.pieces.len() == requests.len() && input.pieces.iter().all(is_honest) {
        assert!(whole.closed && whole.left == (0, 0), "{whole:?}");
    }
}
