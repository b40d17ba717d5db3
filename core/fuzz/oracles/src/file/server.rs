//! A sender and an owner who keeps to the rules.

use barewire_core::file::{
    Offer, Pending, Refusal, Request, RequestEvent, Sender, SenderError, TransferConfig,
};
use barewire_core::session::{Output, Session};
use barewire_core::time::Instant;

use super::wire;
use crate::manual_driver::{ManualDriver, byte_at};
use crate::script::START;

/// A server, whose contents are those of [`byte_at`].
#[derive(Debug)]
pub struct Server<const N: usize, F> {
    /// The machine.
    pub sender: Sender<N>,
    /// Its connection, with the contents that it sends.
    pub driver: ManualDriver,
    /// What it has for a request.
    pub answer: F,
    /// Digests are provided as soon as they are pending, not only once nothing else can go out.
    pub is_early: bool,
    /// So much goes out at once.
    pub room: u64,
    /// Once so many bytes have gone out, the contents are those of this number.
    pub changes: Option<(usize, u8)>,
    /// What the machine has told.
    pub told: Vec<Told>,
    /// Why it failed.
    pub failed: Option<SenderError>,
}

/// What a sender has told of a request, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    name: Vec<u8>,
    /// The request, but for its name. None of one that could not be read.
    request: Option<Request<'static>>,
    /// It was for the owner to answer.
    pub is_heard: bool,
    /// What was offered, or why it was refused.
    pub answer: Option<Result<Offer, Refusal>>,
}

impl Told {
    fn of(event: &RequestEvent<'_>) -> Self {
        let (name, request, answer) = match *event {
            RequestEvent::Request(request) => (request.name, Some(nameless(&request)), None),
            RequestEvent::Refused { refusal, name } => (name, None, Some(Err(refusal))),
            other => unreachable!("{other:?}"),
        };
        Self { name: name.to_vec(), request, is_heard: request.is_some(), answer }
    }

    /// The request, if it could be read.
    pub fn request(&self) -> Option<Request<'_>> {
        let mut request: Request<'_> = self.request?;
        request.name = &self.name;
        Some(request)
    }

    /// Whether the conversation ends with it.
    pub fn is_last(&self) -> bool {
        matches!(self.answer, Some(Err(refusal)) if refusal.closes())
    }
}

fn nameless(request: &Request<'_>) -> Request<'static> {
    let mut nameless = Request::get(b"")
        .with_offset(request.offset)
        .with_length(request.length)
        .with_tag(request.tag)
        .with_verify(request.verify)
        .with_segment(request.segment);
    nameless.operation = request.operation;
    nameless
}

impl<const N: usize, F: Fn(usize, &Request<'_>) -> Result<Offer, Refusal>> Server<N, F> {
    /// One that answers so, of contents that have this number.
    pub fn new(source: u8, answer: F) -> Self {
        Self {
            sender: Sender::new(START, TransferConfig::default()),
            driver: ManualDriver { source: Some(source), ..ManualDriver::default() },
            answer,
            is_early: false,
            room: u64::MAX,
            changes: None,
            told: Vec::new(),
            failed: None,
        }
    }

    /// Bytes arrive, perhaps after a wait, and everything that they lead to happens.
    pub fn turn(&mut self, now: Instant, bytes: &[u8], has_waited: bool) {
        let Self { sender, driver, told, .. } = self;
        let mut on_event = |event: RequestEvent<'_>| told.push(Told::of(&event));
        let mut failed = driver.hear(now, sender, bytes, &mut on_event);
        if has_waited {
            failed = failed.or(driver.expire(now, sender, &mut on_event));
        }
        self.failed = self.failed.or(failed);
        self.note_refused();
        while self.failed.is_none() && !self.driver.closed {
            if let Some((at, source)) = self.changes
                && self.driver.sent.len() >= at
            {
                (self.driver.source, self.changes) = (Some(source), None);
            }
            let before = self.driver.judge.moves();
            let has_provided = self.provide(now);
            let Self { sender, driver, told, .. } = self;
            driver.transmit(now, sender, self.room);
            self.failed = driver.listen(now, sender, |event| told.push(Told::of(&event)));
            self.note_refused();
            if !has_provided && self.driver.judge.moves() == before {
                break;
            }
        }
    }

    /// What was refused by the machine itself can still be read there.
    fn note_refused(&mut self) {
        let last = self.told.last_mut().filter(|told| told.request.is_none() && !told.is_last());
        if let Some(told) = last {
            told.request = self.sender.request().as_ref().map(nameless);
        }
    }

    /// The client's direction ends.
    pub fn end(&mut self, now: Instant) {
        if !self.driver.is_over() {
            self.driver.ended = true;
            self.turn(now, &[], false);
        }
    }

    /// Provides what is pending, if it is time for it.
    fn provide(&mut self, now: Instant) -> bool {
        let is_silent = self.sender.poll_transmit() == Output::Nothing;
        match self.sender.pending() {
            Some(Pending::Response) => {
                let number = self.told.len() - 1;
                // A plain one is for all of a file.
                let request = self.sender.request();
                let request = request.unwrap_or(Request::get(b"").with_verify(false));
                assert!(wire::is_whole(&request), "{request:?}");
                let answer = (self.answer)(number, &request);
                let range = answer.and_then(|offer| wire::range(&request, offer.size, offer.tag));
                match answer {
                    Ok(offer) => assert_eq!(self.sender.offer(now, offer), range.clone().ok()),
                    Err(refusal) => self.sender.refuse(now, refusal),
                }
                self.told[number].answer = Some(range.and(answer));
            }
            Some(Pending::Digest(segment)) if self.is_early || is_silent => {
                let source = self.driver.source.expect("it has contents");
                let bytes = (segment.start()..segment.end()).map(|at| byte_at(source, at));
                let bytes: Vec<u8> = bytes.collect();
                let digest = wire::digest(segment.start(), &bytes, segment.is_whole());
                self.sender.provide_digest(now, digest);
            }
            Some(Pending::Confirm) => self.sender.confirm(now),
            _ => return false,
        }
        true
    }
}
