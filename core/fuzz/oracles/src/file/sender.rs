//! The side that has the files, against any client.

use arbitrary::Arbitrary;
use barewire_core::file::{
    Offer, Receiver, ReceiverEvent, Refusal, Request, SenderError, TransferConfig,
};
use barewire_core::session::Session;
use barewire_core::time::Instant;

use super::server::{Server, Told};
use super::wire::{self, Asking, Place};
use super::witness::Witness;
use crate::manual_driver::{ManualDriver, byte_at};
use crate::script::{Cuts, START, Span};

/// The longest name here.
const LONGEST: usize = 12;

/// The most that is sent for a request.
const MOST: u64 = 5_000;

/// What the contents are.
const SOURCE: u8 = 1;

/// What a client sends, what its owner has, and how both are moved.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    pieces: Vec<Piece<'a>>,
    ends: bool,
    answers: Vec<Answer>,
    cuts: Cuts,
    /// How much the link takes at once, of bytes and of contents.
    room: u8,
    overstates: bool,
    is_early: bool,
    /// So much time passes in the middle of the stream.
    pause: Option<Span>,
    /// The owner wants no more requests from this piece on.
    stop: Option<u8>,
}

#[derive(Debug, Arbitrary)]
enum Piece<'a> {
    Request(Asking, &'a [u8]),
    /// A request with one byte of its header changed.
    Changed(Asking, &'a [u8], u8, u8),
    Bytes(&'a [u8]),
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Answer {
    Offer { size: Place, tag: u8, modified: i64 },
    Refuse(u8),
}

impl Answer {
    fn to(self, request: &Request<'_>) -> Result<Offer, Refusal> {
        const ALL: [Refusal; 7] = [
            Refusal::NotFound,
            Refusal::Refused,
            Refusal::Malformed,
            Refusal::NotSupported,
            Refusal::Busy,
            Refusal::Failed,
            Refusal::PastEnd,
        ];
        match self {
            Self::Refuse(number) => Err(ALL[usize::from(number) % ALL.len()]),
            Self::Offer { size, tag, modified } => {
                let tag = u64::from(tag).max(1);
                let start = wire::range(request, u64::MAX, tag).map_or(0, |range| range.start);
                Ok(Offer { size: size.offset().min(start.saturating_add(MOST)), tag, modified })
            }
        }
    }
}

/// What the client sends, and whether all of it is framed requests that are well made.
fn stream(pieces: &[Piece<'_>]) -> (Vec<u8>, bool) {
    let (mut stream, mut is_good) = (Vec::new(), !pieces.is_empty());
    for piece in pieces.iter().take(16) {
        match *piece {
            Piece::Request(asking, name) => {
                let name = &name[..name.len().min(LONGEST)];
                let request = asking.request(name);
                is_good &= wire::is_whole(&request);
                stream.extend(wire::request(&request));
            }
            Piece::Changed(asking, name, at, value) => {
                let mut bytes = wire::request(&asking.request(name));
                bytes[usize::from(at) % wire::REQUEST] = value;
                stream.extend(bytes);
                is_good = false;
            }
            Piece::Bytes(bytes) => {
                stream.extend_from_slice(bytes);
                is_good = false;
            }
        }
    }
    (stream, is_good)
}

/// What is left of a framed stream behind what was told of it: each request is as it was sent, and may
/// be asked for.
fn rest<'s>(told: &[Told], stream: &'s [u8]) -> &'s [u8] {
    let mut rest = stream;
    for told in told {
        match told.request() {
            Some(request) => {
                rest = rest.strip_prefix(&wire::request(&request)[..]).expect("it was not asked");
                let is_acceptable = wire::is_acceptable(request.operation, request.name);
                assert_eq!(told.is_heard, is_acceptable, "{request:?}");
                let is_refused = told.answer == Some(Err(Refusal::Refused));
                assert!(is_acceptable || is_refused);
            }
            None => assert!(told.is_last(), "{told:?}"),
        }
    }
    rest
}

/// What goes out is, to a receiver that asked for the same, what was offered and nothing else; how many
/// answers it is.
fn answers(told: &[Told], sent: &[u8], ends: bool) -> usize {
    // Of what the sender could not read, any request may have been the beginning.
    let requests = told.iter().map(|told| told.request().unwrap_or(Request::get(b"")));
    let requests: Vec<_> = requests.collect();
    let mut receiver = Receiver::<4_096>::new(START, TransferConfig::default());
    for request in &requests {
        receiver.request(START, request).expect("what is heard can be said");
    }
    receiver.finish();
    let mut driver = ManualDriver::default();
    driver.transmit(START, &mut receiver, u64::MAX);
    let (mut witness, mut position) = (Witness::new(&requests, sent, ends), 0);
    let mut see = |event: ReceiverEvent<'_>| {
        let answer = told[requests.len() - witness.left().0].answer;
        match event {
            ReceiverEvent::Response(header) => {
                let offer = Offer { size: header.size, tag: header.tag, modified: header.modified };
                assert_eq!(answer, Some(Ok(offer)));
                position = header.offset;
            }
            ReceiverEvent::Refused(refusal) => assert_eq!(answer, Some(Err(refusal))),
            ReceiverEvent::Contents(bytes) => {
                let mut contents = (position..).map(|at| byte_at(SOURCE, at));
                assert!(bytes.iter().all(|byte| contents.next() == Some(*byte)), "other contents");
                position += bytes.len() as u64;
            }
            _ => {}
        }
        witness.see(&event);
    };
    let mut failed = driver.hear(START, &mut receiver, sent, &mut see);
    if ends {
        driver.ended = true;
        failed = failed.or(driver.listen(START, &mut receiver, &mut see));
    }
    assert!(failed.is_none() || requests.is_empty(), "{failed:?}");
    let (unanswered, untold) = witness.left();
    assert!(!ends || untold == 0, "more than was asked for");
    requests.len() - unanswered
}

/// Every request is heard as it was sent, and answered in its turn with what was offered, however
/// the streams are cut; and the conversation ends.
pub fn check(input: &Input<'_>) {
    let (stream, is_good) = stream(&input.pieces);
    // A client that speaks under a key is answered in the framed form, too.
    let is_framed = matches!(stream.first(), Some(0 | 1));
    let answer = |number: usize, request: &Request<'_>| match input.answers.len() {
        0 => Err(Refusal::NotFound),
        count => input.answers[number % count].to(request),
    };
    let mut server = Server::<LONGEST, _>::new(SOURCE, answer);
    server.driver.overstates = input.overstates;
    server.is_early = input.is_early;
    server.room = if input.room == 0 { u64::MAX } else { input.room.into() };
    let mut now = START;
    let (mut pause, mut is_exact) = (input.pause, true);
    for (number, piece) in input.cuts.pieces(&stream).enumerate() {
        if input.stop.is_some_and(|stop| usize::from(stop) == number) {
            server.sender.stop(now);
            is_exact = false;
        }
        server.turn(now, piece, false);
        if let Some(span) = pause.take() {
            now += span.duration();
            server.turn(now, &[], true);
            // A name that silence ends may be a part of that name, and a time-out ends it all.
            is_exact &= is_framed && server.failed.is_none() && !server.driver.has_shut_down();
        }
    }
    if input.ends {
        server.end(now);
    }
    if is_framed {
        let rest = rest(&server.told, &stream);
        let is_over = server.told.last().is_some_and(Told::is_last);
        let is_known = |told: &Told| told.request().is_some() || !told.is_last();
        assert!(!is_good || server.told.iter().all(is_known), "{:?}", server.told);
        let count = answers(&server.told, &server.driver.sent, is_exact);
        if is_exact {
            assert_eq!(count, server.told.len(), "not answered");
            let is_cut = !is_over && !rest.is_empty();
            assert!(!is_good || !is_cut, "not heard: {rest:?}");
            let cut_short = is_cut && input.ends;
            assert_eq!(server.failed, cut_short.then_some(SenderError::CutShort));
            assert_eq!(server.driver.has_shut_down(), is_over || (input.ends && !is_cut));
        }
    } else {
        judge_plain(&server.told, &server.driver.sent, &stream);
        assert!(!is_exact || !input.ends || server.driver.has_shut_down());
    }
    end(server, now);
}

/// One name, and all of a file or nothing.
fn judge_plain(told: &[Told], sent: &[u8], stream: &[u8]) {
    let [told] = told else { return assert!(told.is_empty() && sent.is_empty()) };
    // Of what is too long for a name nothing is told.
    let name = told.request().map_or(&[][..], |request| request.name);
    assert!(stream.starts_with(name) && name.len() <= LONGEST);
    let size = match told.answer {
        Some(Ok(offer)) => offer.size,
        _ => 0,
    };
    assert!((0..size).map(|at| byte_at(SOURCE, at)).eq(sent.iter().copied()), "not the file");
}

/// Nothing more comes: it ends.
fn end<F: Fn(usize, &Request<'_>) -> Result<Offer, Refusal>>(
    mut server: Server<LONGEST, F>,
    mut now: Instant,
) {
    for _ in 0..4 {
        let Some(deadline) = server.sender.poll_deadline() else { break };
        now = now.max(deadline);
        server.turn(now, &[], true);
    }
    assert!(server.failed.is_some() || server.driver.closed, "it never ends");
}
