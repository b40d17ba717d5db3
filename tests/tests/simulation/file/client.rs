//! A client that comes again until it has what it wants.

use std::collections::VecDeque;

use barewire_core::file::{
    Digest, Receiver, ReceiverError, ReceiverEvent, Refusal, Request, RootDigester, SegmentSize,
    TransferConfig,
};
use barewire_core::time::Instant;
use barewire_oracles::file::wire;
use barewire_tests::simulator::random::Random;
use barewire_tests::simulator::stream::{End, Streams};

use super::ending::Ending;
use super::progress_tracker::ProgressTracker;
use super::store::Store;

/// What one client wants, and what it has of it.
#[derive(Debug)]
pub(super) struct WantedFile {
    pub(super) name: String,
    pub(super) verify: bool,
    segment: SegmentSize,
    pub(super) held: Vec<u8>,
    /// The version of what is held.
    tag: u64,
    /// How much of it has verified, and the digests of that.
    proven: usize,
    digests: Vec<Digest>,
    /// The size that was told.
    size: u64,
    pub(super) state: State,
    /// What is complete is one version, not several.
    pub(super) is_one: bool,
    /// How many bytes of contents have come in all.
    pub(super) travelled: usize,
    /// How often they began anew with another version.
    pub(super) restarts: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Wanted,
    Complete,
    /// The server has no such file.
    Missing,
}

impl WantedFile {
    /// Asks for what is missing.
    fn request(&self) -> Request<'_> {
        let offset = self.held.len() as u64;
        let tag = if self.held.is_empty() { 0 } else { self.tag };
        Request::get(self.name.as_bytes())
            .with_offset(offset)
            .with_tag(tag)
            .with_verify(self.verify)
            .with_segment(self.segment)
    }

    /// The number of the file, if there is one.
    pub(super) fn file(&self, store: &Store) -> Option<usize> {
        self.name.parse().ok().filter(|file| *file < store.count())
    }

    /// Forgets what may be wrong.
    fn rest(&mut self) {
        if self.verify {
            self.held.truncate(self.proven);
        }
    }
}

/// The wishes for all files of the store, and perhaps one for a file that is not there.
pub(super) fn wishes(random: &mut Random, store: &Store) -> Vec<WantedFile> {
    let mut names: Vec<_> = (0..store.count()).map(|file| file.to_string()).collect();
    if random.chance(20) {
        names.insert(random.count(0..=names.len()), "none".into());
    }
    let wish = |name| WantedFile {
        name,
        verify: random.chance(60),
        segment: store.segment,
        held: Vec::new(),
        tag: 0,
        proven: 0,
        digests: Vec::new(),
        size: 0,
        state: State::Wanted,
        is_one: false,
        travelled: 0,
        restarts: 0,
    };
    names.into_iter().map(wish).collect()
}

/// One connection of the client.
#[derive(Debug)]
pub(super) struct ClientConnection<'w> {
    wishes: &'w mut [WantedFile],
    /// So small that requests have to wait for answers.
    receiver: Receiver<90>,
    /// What is still to be asked for.
    to_ask: VecDeque<usize>,
    /// What was asked for and is not answered.
    asked: VecDeque<usize>,
    moved_at: Instant,
    pub(super) ending: Option<Ending<ReceiverError>>,
}

impl<'w> ClientConnection<'w> {
    pub(super) fn new(now: Instant, wishes: &'w mut [WantedFile], config: TransferConfig) -> Self {
        wishes.iter_mut().for_each(WantedFile::rest);
        let is_wanted = |number: &usize| wishes[*number].state == State::Wanted;
        let to_ask = (0..wishes.len()).filter(is_wanted).collect();
        let receiver = Receiver::new(now, config);
        let asked = VecDeque::new();
        let mut visit = Self { wishes, receiver, to_ask, asked, moved_at: now, ending: None };
        visit.ask(now);
        visit
    }

    /// How many questions have no answer, and how many were never asked.
    pub(super) fn left(&self) -> [usize; 2] {
        [self.asked.len(), self.to_ask.len()]
    }

    /// Asks for as much as there is room for; tells whether that was anything.
    fn ask(&mut self, now: Instant) -> bool {
        let mut has_asked = false;
        while let Some(&number) = self.to_ask.front()
            && self.receiver.request(now, &self.wishes[number].request()).is_ok()
        {
            self.asked.extend(self.to_ask.pop_front());
            has_asked = true;
            if self.to_ask.is_empty() {
                self.receiver.finish();
            }
        }
        assert_eq!(self.receiver.unanswered(), self.asked.len());
        has_asked
    }

    pub(super) fn turn(&mut self, streams: &mut Streams, end: End, store: &Store) {
        loop {
            let now = streams.now();
            let Self { wishes, receiver, asked, moved_at, .. } = self;
            let mut tracked = ProgressTracker { session: receiver, moved_at };
            let outcome = streams.drive(end, &mut tracked, |event| {
                let wish = &mut wishes[*asked.front().expect("an answer without a question")];
                if take(wish, event, store) {
                    asked.pop_front();
                }
            });
            if let Some(outcome) = outcome {
                self.ending = Some(Ending { outcome, at: now, moved_at: self.moved_at });
                return;
            }
            if !self.ask(now) {
                return;
            }
        }
    }
}

/// Judges what has come; tells whether that was the end of an answer.
fn take(wish: &mut WantedFile, event: ReceiverEvent<'_>, store: &Store) -> bool {
    let file = wish.file(store);
    match event {
        ReceiverEvent::Refused(Refusal::NotFound) => {
            assert_eq!(file, None);
            wish.state = State::Missing;
        }
        ReceiverEvent::Refused(refusal) => assert_eq!(refusal, Refusal::Busy),
        ReceiverEvent::Response(answer) => {
            let mut had = store.had(file.unwrap(), answer.tag);
            assert!(had.any(|version| version.len() as u64 == answer.size));
            wish.size = answer.size;
            let is_same = !wish.held.is_empty() && wish.tag == answer.tag;
            if is_same {
                assert_eq!(answer.offset, wish.held.len() as u64, "nothing comes twice");
            } else {
                assert_eq!(answer.offset, 0, "no two versions are mixed");
                wish.restarts += usize::from(!wish.held.is_empty());
                wish.held.clear();
                wish.proven = 0;
                wish.digests.clear();
            }
            wish.tag = answer.tag;
            return false;
        }
        ReceiverEvent::Contents(bytes) => {
            assert!(!bytes.is_empty());
            wish.held.extend(bytes);
            wish.travelled += bytes.len();
            return false;
        }
        ReceiverEvent::Verified { start, end, digest } => {
            assert_eq!((wish.proven as u64, wish.held.len() as u64), (start, end));
            let bytes = &wish.held[wish.proven..];
            let mut had = store.had(file.unwrap(), wish.tag);
            let is_there =
                |version: &[u8]| version.get(wish.proven..wish.held.len()) == Some(bytes);
            assert!(had.any(is_there), "a wrong byte has verified");
            assert_eq!(digest, wire::digest(start, bytes, start == 0 && end == wish.size));
            wish.proven = wish.held.len();
            wish.digests.push(digest);
            return false;
        }
        ReceiverEvent::Complete => {
            wish.is_one = store.had(file.unwrap(), wish.tag).any(|version| wish.held == version);
            assert!(wish.is_one || store.is_secretive, "whole, but not the version that was told");
            assert_eq!(wish.held.len() as u64, wish.size);
            if wish.verify && wish.size > 0 {
                let mut root = RootDigester::<16>::new();
                wish.digests.iter().for_each(|digest| root.push(*digest).unwrap());
                let root = root.finish().map(blake3::Hash::from_bytes);
                let is_told = |version: &[u8]| root == Some(blake3::hash(version));
                let is_told = store.had(file.unwrap(), wish.tag).any(is_told);
                assert_eq!(is_told, wish.is_one, "the hash tells whether it is one version");
            }
            wish.state = State::Complete;
        }
        other => panic!("{other:?}"),
    }
    true
}
