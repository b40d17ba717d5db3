//! The side that has the files, against any client.

use arbitrary::Arbitrary;
use barewire_core::file::{
    Digest, Operation, Pending, Refusal, Request, RequestEvent, SEGMENT, Sender, SenderError,
    TransferConfig,
};
use barewire_core::session::{Output, Session};
use barewire_core::time::Instant;

use super::wire::{self, Asking, Place, Read};
use crate::manual_driver::ManualDriver;
use crate::script::{Cuts, START, Span};
use crate::text::{Model, Said};

/// The longest name here.
const LONGEST: usize = 12;

/// Digests are known by nobody for more than this many segments of an offer.
const SEGMENTS: u64 = 3;

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
    /// Digests are provided as soon as they are pending, not only once nothing else can go out.
    is_early: bool,
    /// So much time passes in the middle of the stream.
    pause: Option<Span>,
    /// The owner wants no more requests from this piece on.
    stop: Option<u8>,
}

#[derive(Debug, Arbitrary)]
enum Piece<'a> {
    Request(Asking<'a>),
    /// A request with one byte of its header changed.
    Changed(Asking<'a>, u8, u8),
    Bytes(&'a [u8]),
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Answer {
    Offer(Place, u8),
    Refuse(u8),
}

fn refusal(number: u8) -> Refusal {
    const ALL: [Refusal; 7] = [
        Refusal::NotFound,
        Refusal::Refused,
        Refusal::Malformed,
        Refusal::NotSupported,
        Refusal::Busy,
        Refusal::Failed,
        Refusal::PastEnd,
    ];
    ALL[usize::from(number) % ALL.len()]
}

fn digest(offset: u64, length: u64) -> Digest {
    let mut digest = [0xd1; 32];
    digest[..8].copy_from_slice(&offset.to_be_bytes());
    digest[8..16].copy_from_slice(&length.to_be_bytes());
    digest
}

/// What was asked: a request, or the status of its refusal and the name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Request { is_list: bool, verify: bool, offset: u64, tag: u64, name: Vec<u8> },
    Refused(u8, Vec<u8>),
}

impl Told {
    fn of(asked: &RequestEvent<'_>) -> Self {
        match asked {
            RequestEvent::Request(request) => Self::request(request),
            RequestEvent::Refused { refusal, name } => {
                Self::Refused(refusal.status(), name.to_vec())
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn request(request: &Request<'_>) -> Self {
        Self::Request {
            is_list: request.operation == Operation::List,
            verify: request.verify,
            offset: request.offset,
            tag: request.tag,
            name: request.name.to_vec(),
        }
    }
}

/// The size and tag of what is offered: where digests are wanted, of not too many segments.
fn offered(answer: Answer, verify: bool, offset: u64, held: u64) -> Result<(u64, u64), Refusal> {
    match answer {
        Answer::Refuse(number) => Err(refusal(number)),
        Answer::Offer(size, tag) => {
            let (size, tag) = (size.offset(), tag.into());
            let start = if held != 0 && held != tag { 0 } else { offset };
            let most = start.saturating_add(SEGMENTS * SEGMENT);
            Ok((if verify { size.min(most) } else { size }, tag))
        }
    }
}

/// Everything that is to come of a stream.
#[derive(Debug, Default)]
struct Expected {
    told: Vec<Told>,
    sent: Vec<u8>,
    contents: Vec<(usize, u64, u64)>,
    /// The stream is understood no further, or was plain.
    is_done: bool,
    cut_short: bool,
    is_framed: bool,
}

impl Expected {
    fn of(stream: &[u8], ends: bool, answers: &[Answer]) -> Self {
        let mut expected = Self { is_framed: stream.first() == Some(&0), ..Self::default() };
        if expected.is_framed {
            expected.hear_framed(stream, ends, answers);
        } else {
            expected.hear_plain(stream, ends, answers);
        }
        expected
    }

    fn answer(&self, answers: &[Answer]) -> Answer {
        let number = self.told.iter().filter(|told| matches!(told, Told::Request { .. })).count();
        let last = answers.len().max(1);
        answers.get((number - 1) % last).copied().unwrap_or(Answer::Refuse(0))
    }

    fn hear_plain(&mut self, stream: &[u8], ends: bool, answers: &[Answer]) {
        let mut model = Model::new(LONGEST, None);
        let mut first = None;
        model.hear(START, stream, |said| {
            first.get_or_insert(said);
        });
        let last = if ends { model.end() } else { None };
        self.is_done = ends || first.is_some();
        match first.or(last) {
            None => {}
            Some(Said::TooLong | Said::TooLate) => self.told.push(Told::Refused(3, Vec::new())),
            Some(Said::Text(name)) => {
                let request = Request { verify: false, ..Request::get(&name) };
                if !wire::is_acceptable(&request) {
                    return self.told.push(Told::Refused(2, name));
                }
                self.told.push(Told::request(&request));
                if let Ok((size @ 1.., _)) = offered(self.answer(answers), false, 0, 0) {
                    self.contents.push((0, 0, size));
                }
            }
        }
    }

    fn hear_framed(&mut self, stream: &[u8], ends: bool, answers: &[Answer]) {
        let mut rest = stream;
        loop {
            let (request, length) = match wire::read_request(rest, LONGEST) {
                Read::Whole(request, length) => (request, length),
                Read::Part => {
                    self.cut_short = ends && !rest.is_empty();
                    self.is_done = ends && rest.is_empty();
                    return;
                }
                Read::Wrong(status) => {
                    self.told.push(Told::Refused(status, Vec::new()));
                    self.refuse(status);
                    self.is_done = true;
                    return;
                }
            };
            rest = &rest[length..];
            if wire::is_acceptable(&request) {
                self.told.push(Told::request(&request));
                self.is_done = self.serve(&request, answers);
                if self.is_done {
                    return;
                }
            } else {
                self.told.push(Told::Refused(2, request.name.to_vec()));
                self.refuse(2);
            }
        }
    }

    fn refuse(&mut self, status: u8) {
        self.sent.extend(wire::response(status, false, [0; 3]));
    }

    /// The answer to a request; tells whether the server closes after it.
    fn serve(&mut self, request: &Request<'_>, answers: &[Answer]) -> bool {
        let &Request { offset, tag: held, verify, .. } = request;
        let (size, tag) = match offered(self.answer(answers), verify, offset, held) {
            Ok(offer) => offer,
            Err(refusal) => {
                self.refuse(refusal.status());
                return matches!(refusal.status(), 3 | 4);
            }
        };
        let mut position = if held != 0 && held != tag { 0 } else { offset };
        if position > size {
            self.refuse(7);
            return false;
        }
        self.sent.extend(wire::response(0, verify, [position, size, tag]));
        while position < size {
            let end = if verify { wire::segment_end(position, size) } else { size };
            self.contents.push((self.sent.len(), position, end));
            if verify {
                self.sent.extend(digest(position, end - position));
            }
            position = end;
        }
        false
    }
}

/// A sender and its owner.
struct Server<'a> {
    sender: Sender<LONGEST>,
    driver: ManualDriver,
    answers: &'a [Answer],
    is_early: bool,
    room: u64,
    told: Vec<Told>,
    failed: Option<SenderError>,
}

impl Server<'_> {
    /// Bytes arrive, perhaps after a wait, and everything that they lead to happens.
    fn turn(&mut self, now: Instant, bytes: &[u8], has_waited: bool) {
        let Self { sender, driver, told, .. } = self;
        let mut on_asked = |asked: RequestEvent<'_>| told.push(Told::of(&asked));
        let mut failed = driver.hear(now, sender, bytes, &mut on_asked);
        if has_waited {
            failed = failed.or(driver.expire(now, sender, &mut on_asked));
        }
        self.failed = self.failed.or(failed);
        while self.failed.is_none() && !self.driver.closed {
            let before = self.driver.judge.moves();
            let met = self.oblige(now);
            let Self { sender, driver, told, .. } = self;
            driver.transmit(now, sender, self.room);
            self.failed = driver.listen(now, sender, |asked| told.push(Told::of(&asked)));
            if !met && self.driver.judge.moves() == before {
                break;
            }
        }
    }

    /// Provides what is pending, if it is time for it.
    fn oblige(&mut self, now: Instant) -> bool {
        let is_silent = self.sender.poll_transmit() == Output::Nothing;
        match self.sender.pending() {
            Some(Pending::Response) => {
                let Some(Told::Request { verify, offset, tag, .. }) = self.told.last() else {
                    panic!("an answer to nothing");
                };
                let number = self.told.iter().filter(|told| matches!(told, Told::Request { .. }));
                let last = self.answers.len().max(1);
                let answer = self.answers.get((number.count() - 1) % last).copied();
                match offered(answer.unwrap_or(Answer::Refuse(0)), *verify, *offset, *tag) {
                    Ok((size, tag)) => {
                        let range = self.sender.offer(now, size, tag);
                        assert!(range.is_none_or(|range| range.end == size));
                    }
                    Err(refusal) => self.sender.refuse(now, refusal),
                }
            }
            Some(Pending::Digest { offset, length }) if self.is_early || is_silent => {
                assert!(length > 0 && length <= SEGMENT);
                self.sender.provide_digest(now, digest(offset, length));
            }
            Some(Pending::Confirm) => self.sender.confirm(now),
            _ => return false,
        }
        true
    }
}

/// Every request is heard as it was sent, and answered in its turn with what was offered, however
/// the streams are cut; and the conversation ends.
pub fn check(input: &Input<'_>) {
    let mut stream = Vec::new();
    for piece in input.pieces.iter().take(16) {
        match piece {
            Piece::Request(asking) => stream.extend(wire::request(&asking.request())),
            Piece::Changed(asking, at, value) => {
                let mut bytes = wire::request(&asking.request());
                bytes[usize::from(*at) % 24] = *value;
                stream.extend(bytes);
            }
            Piece::Bytes(bytes) => stream.extend_from_slice(bytes),
        }
    }
    let expected = Expected::of(&stream, input.ends, &input.answers);
    let mut server = Server {
        sender: Sender::new(START, TransferConfig::default()),
        driver: ManualDriver { overstates: input.overstates, ..ManualDriver::default() },
        answers: &input.answers,
        is_early: input.is_early,
        room: if input.room == 0 { u64::MAX } else { input.room.into() },
        told: Vec::new(),
        failed: None,
    };
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
            is_exact &=
                expected.is_framed && server.failed.is_none() && !server.driver.has_shut_down();
        }
    }
    if input.ends && !server.driver.is_over() {
        server.driver.ended = true;
        server.turn(now, &[], false);
    }
    judge(&server, &expected, is_exact, input.ends);
    if server.failed.is_none() && !server.driver.closed {
        let before = server.told.len();
        for _ in 0..4 {
            let Some(deadline) = server.sender.poll_deadline() else { break };
            now = now.max(deadline);
            server.turn(now, &[], true);
        }
        // Only silence can have brought a further one: the name of a plain request.
        let more = server.told.len() - before;
        assert!(more == 0 || (!expected.is_framed && more == 1), "{:?}", server.told);
        assert!(server.failed.is_some() || server.driver.closed, "it never ends");
    }
}

fn judge(server: &Server<'_>, expected: &Expected, is_exact: bool, ends: bool) {
    let ManualDriver { sent, contents, closed, .. } = &server.driver;
    if !is_exact {
        if expected.is_framed {
            assert!(expected.told.starts_with(&server.told), "{:?}", server.told);
            assert!(expected.sent.starts_with(sent));
        }
        return;
    }
    assert_eq!(server.told, expected.told);
    assert_eq!((sent, contents), (&expected.sent, &expected.contents));
    assert_eq!(server.failed, expected.cut_short.then_some(SenderError::CutShort));
    assert_eq!(server.driver.has_shut_down(), expected.is_done);
    assert_eq!(*closed, expected.is_done && ends);
}
