//! The owner of one connection's sender.

use std::borrow::Cow;

use barewire_core::file::{
    Offer, Pending, Refusal, RequestEvent, SegmentDigester, Sender, SenderError, TransferConfig,
};
use barewire_core::session::InMemory;
use barewire_core::time::{Duration, Instant};
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::{End, Outcome, Streams};

use super::ending::Ending;
use super::progress_tracker::ProgressTracker;
use super::store::{Store, Version};

/// Serves one connection from the store, and takes its time.
#[derive(Debug)]
pub(super) struct Responder {
    pub(super) sender: Sender<64>,
    random: Random,
    slowness: Duration,
    /// What was asked for last: the name, and whether with digests.
    asked: (Vec<u8>, bool),
    offered: Option<Version>,
    /// When the demand is going to be met.
    due: Option<Instant>,
    moved_at: Instant,
    pub(super) ending: Option<Ending<SenderError>>,
    /// It has reset the connection since the file had changed.
    pub(super) has_given_up: bool,
    /// How many requests it may refuse for no reason but to be asked again.
    pub(super) refusals: usize,
    /// It may take no further request from some turn on.
    pub(super) may_stop: bool,
    pub(super) has_stopped: bool,
    /// A byte that is not read from the disk as it was written, if the digests tell.
    pub(super) rot: Option<usize>,
    /// Bytes of which it had to make digests.
    pub(super) hashed: usize,
}

impl Responder {
    pub(super) fn new(now: Instant, mut random: Random, config: TransferConfig) -> Self {
        Self {
            sender: Sender::new(now, config),
            slowness: Duration::from_millis(random.pick(&[0, 5, 400])),
            random,
            asked: (Vec::new(), false),
            offered: None,
            due: None,
            moved_at: now,
            ending: None,
            has_given_up: false,
            refusals: 0,
            may_stop: false,
            has_stopped: false,
            rot: None,
            hashed: 0,
        }
    }

    pub(super) fn turn(&mut self, streams: &mut Streams, end: End, store: &mut Store) {
        if self.random.chance(store.haste) {
            store.change(&mut self.random);
        }
        if self.may_stop && !self.has_stopped && self.random.chance(10) {
            self.sender.stop(streams.now());
            (self.has_stopped, self.moved_at) = (true, streams.now());
        }
        loop {
            let now = streams.now();
            let contents = self.contents(store);
            if self.offered.is_some_and(|version| store.bytes_of(version).len() > contents.len()) {
                return self.give_up(streams, end);
            }
            let asked = &mut self.asked;
            let tracked =
                ProgressTracker { session: &mut self.sender, moved_at: &mut self.moved_at };
            let mut lent = InMemory { session: tracked, contents: &contents };
            let outcome = streams.drive(end, &mut lent, |event| {
                if let RequestEvent::Request(request) = event {
                    *asked = (request.name.to_vec(), request.verify);
                }
            });
            if let Some(outcome) = outcome {
                self.ending = Some(Ending { outcome, at: now, moved_at: self.moved_at });
                return;
            }
            let Some(demand) = self.sender.pending() else { return };
            let wait = Duration::ZERO..=self.slowness;
            let due = *self.due.get_or_insert_with(|| now + self.random.span(wait));
            if now < due {
                return streams.wake(end, due);
            }
            (self.due, self.moved_at) = (None, now);
            if !self.oblige(now, demand, store) {
                return self.give_up(streams, end);
            }
        }
    }

    /// What is read of the file that is on its way.
    fn contents<'s>(&self, store: &'s Store) -> Cow<'s, [u8]> {
        let Some(version) = self.offered else { return Cow::default() };
        let mut contents = Cow::Borrowed(store.live(version));
        if let (Some(place), (_, true), true) = (self.rot, &self.asked, store.is_cached(version))
            && !contents.is_empty()
        {
            let place = place % contents.len();
            contents.to_mut()[place] ^= 1;
        }
        contents
    }

    /// Provides what is pending, or tells that it cannot be had.
    fn oblige(&mut self, now: Instant, pending: Pending, store: &Store) -> bool {
        match (pending, self.offered) {
            (Pending::Response, _) => self.answer(now, store),
            (_, None) => panic!("{pending:?} before an offer"),
            (Pending::Digest(segment), Some(version)) => {
                let is_cached = store.is_cached(version);
                let bytes = if is_cached { store.bytes_of(version) } else { store.live(version) };
                let [start, end] = [segment.start(), segment.end()];
                let [start, end] = [start, end].map(|at| usize::try_from(at).unwrap());
                let mut digester = SegmentDigester::new(segment);
                digester.update(&bytes[start..end]);
                self.hashed += end - start;
                if !is_cached && !store.is_unchanged(version) {
                    return false;
                }
                self.sender.provide_digest(now, digester.finish());
            }
            (Pending::Confirm, Some(version)) => {
                if !store.is_unchanged(version) {
                    return false;
                }
                self.sender.confirm(now);
                self.offered = None;
            }
            (other, _) => panic!("{other:?}"),
        }
        true
    }

    fn answer(&mut self, now: Instant, store: &Store) {
        self.offered = None;
        let (name, _) = &self.asked;
        match store.find(name) {
            None => self.sender.refuse(now, Refusal::NotFound),
            Some(_) if self.refusals > 0 && self.random.chance(50) => {
                self.refusals -= 1;
                self.sender.refuse(now, Refusal::Busy);
            }
            Some(version) => {
                let size = store.bytes_of(version).len() as u64;
                let offer = Offer { size, tag: store.mark(version), modified: 0 };
                if self.sender.offer(now, offer).is_some() {
                    self.offered = Some(version);
                }
            }
        }
    }

    fn give_up(&mut self, streams: &mut Streams, end: End) {
        streams.give_up(end);
        self.has_given_up = true;
        let at = streams.now();
        let outcome = Outcome::Broken;
        self.ending = Some(Ending { outcome, at, moved_at: self.moved_at });
    }
}
