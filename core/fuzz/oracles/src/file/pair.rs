//! Both sides, over a link that loses, doubles, damages and breaks off, and with a server whose file
//! changes without a word.

use std::ops::Range;

use arbitrary::Arbitrary;
use barewire_core::file::{
    Digest, Offer, Receiver, ReceiverError, ReceiverEvent, Refusal, Request, RootDigester,
    SegmentSize, TransferConfig,
};

use super::server::Server;
use super::wire;
use super::witness::Witness;
use crate::manual_driver::{ManualDriver, byte_at};
use crate::script::START;

const NAME: &[u8] = b"name";

/// What is downloaded, and what happens on each try.
#[derive(Debug, Arbitrary)]
pub struct Input {
    verify: bool,
    segment: u8,
    size: u16,
    tries: Vec<Try>,
}

#[derive(Debug, Default, Arbitrary)]
struct Try {
    /// The server has another version by now, longer by so much or shorter.
    changed: Option<i8>,
    /// It has the mark of the first.
    is_secret: bool,
    /// The contents change, and nothing else, once so much of the answer is out.
    shifts: Option<u16>,
    /// The hashes of all segments are asked for before what is missing.
    asks_hashes: bool,
    faults: Vec<Fault>,
    /// How the sender's link and the receiver's take bytes.
    room: u8,
    pieces: u8,
}

/// A misfortune of what the server sends, at an offset of its stream.
#[derive(Debug, Arbitrary)]
enum Fault {
    Flip(u16, u8),
    Lose(u16, u8),
    Double(u16, u8),
    /// The stream ends there, in order.
    End(u16),
    /// The connection is reset there.
    Reset(u16),
}

/// A version of the file: the number of its contents, its size and its mark.
#[derive(Clone, Copy, Debug)]
struct Version {
    number: u8,
    size: u64,
    tag: u64,
}

impl Version {
    fn contents(self) -> Vec<u8> {
        (0..self.size).map(|at| byte_at(self.number, at)).collect()
    }

    /// What a server that has it sends for the requests.
    fn serve(self, requests: &[u8], attempt: &Try) -> Vec<u8> {
        let offer = Offer { size: self.size, tag: self.tag, modified: self.number.into() };
        let mut server = Server::<16, _>::new(self.number, |_, _: &Request<'_>| Ok(offer));
        server.room = if attempt.room == 0 { u64::MAX } else { attempt.room.into() };
        server.changes = attempt.shifts.map(|at| (at.into(), self.number + 1));
        server.turn(START, requests, false);
        server.end(START);
        assert!(server.driver.closed);
        server.driver.sent
    }
}

/// What came of a download so far.
struct Download<'i> {
    input: &'i Input,
    segment: SegmentSize,
    /// All that the server ever had; the last is what it has.
    versions: Vec<Version>,
    /// The mark of what is held.
    tag: u64,
    /// What has verified, and its digests.
    held: Vec<u8>,
    digests: Vec<Digest>,
    complete: bool,
}

/// What comes over one connection.
struct Attempt<'a> {
    /// The last of them is for what is missing.
    requests: &'a [Request<'a>],
    version: Version,
    /// What the server ever had.
    contents: Vec<Vec<u8>>,
    witness: Witness<'a>,
    is_damaged: bool,
    has_shifted: bool,
    /// What has not verified.
    fresh: Vec<u8>,
    is_refused: bool,
}

impl Attempt<'_> {
    fn see(&mut self, event: &ReceiverEvent<'_>, download: &mut Download<'_>) {
        let is_last = self.witness.left().0 == 1;
        self.witness.see(event);
        let start = download.held.len();
        match *event {
            ReceiverEvent::Response(answer) => {
                // Whatever the link did: a header is as it was sent, or an error.
                let Version { size, tag, number } = self.version;
                let told = (answer.size, answer.tag, answer.modified);
                assert_eq!(told, (size, tag, number.into()));
                if is_last {
                    if answer.offset != start as u64 {
                        assert_eq!(answer.offset, 0, "it starts over");
                        download.forget();
                    }
                    download.tag = answer.tag;
                }
            }
            ReceiverEvent::Contents(bytes) => self.fresh.extend_from_slice(bytes),
            ReceiverEvent::Verified { digest, .. } => {
                // What has verified is what one version has there.
                let mut had = self.contents.iter().filter_map(|contents| contents.get(start..));
                assert!(had.any(|contents| contents.starts_with(&self.fresh)), "no version");
                download.held.append(&mut self.fresh);
                download.digests.push(digest);
            }
            ReceiverEvent::Digest { start, end, digest } => {
                self.compare(start..end, digest, download);
            }
            ReceiverEvent::Complete if !is_last => {}
            ReceiverEvent::Complete => {
                let size = usize::try_from(self.version.size).expect("small");
                let is_right = if download.input.verify {
                    self.fresh.is_empty() && start == size
                } else {
                    let fresh = &self.fresh[..];
                    let had = self.contents.iter().any(|contents| contents == fresh);
                    had || ((self.is_damaged || self.has_shifted) && fresh.len() == size)
                };
                assert!(is_right, "a part passed off as the whole");
                download.complete = true;
            }
            ReceiverEvent::Refused(refusal) => {
                assert_eq!(refusal, Refusal::PastEnd);
                assert!(self.requests[self.requests.len() - 1].offset > self.version.size);
                download.forget();
                self.is_refused = true;
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// The server's digest of a segment is that of what is held if that is the same.
    fn compare(&self, segment: Range<u64>, digest: Digest, download: &Download<'_>) {
        let place = usize::try_from(segment.start / download.segment.bytes()).expect("small");
        let bytes = usize::try_from(segment.start).expect("small");
        let bytes = bytes..usize::try_from(segment.end).expect("small");
        let had = self.contents.iter().filter(|all| all.len() as u64 == self.version.size);
        let mut had = had.filter(|all| {
            let own = &all[bytes.clone()];
            digest == wire::digest(segment.start, own, own == &all[..])
        });
        let right = had.next();
        assert!(right.is_some() || self.is_damaged, "another digest");
        if let (Some(right), Some(held)) = (right, download.held.get(bytes.clone())) {
            let is_same = held == &right[bytes];
            assert_eq!(download.digests.get(place) == Some(&digest), is_same);
        }
    }
}

impl Download<'_> {
    /// One connection. Tells why it failed, if it did and was told so.
    fn attempt(&mut self, attempt: &Try) -> Option<ReceiverError> {
        let version = *self.versions.last().expect("there is one");
        let hashes = Request::hashes(NAME).with_segment(self.segment);
        let request = Request::get(NAME)
            .with_verify(self.input.verify)
            .with_segment(self.segment)
            .with_offset(self.held.len() as u64)
            .with_tag(self.tag);
        let requests = [hashes, request];
        let requests = if attempt.asks_hashes { &requests[..] } else { &requests[1..] };
        let mut receiver = Receiver::<128>::new(START, TransferConfig::default());
        for request in requests {
            receiver.request(START, request).expect("there is room");
        }
        receiver.finish();
        let mut driver = ManualDriver::default();
        driver.transmit(START, &mut receiver, u64::MAX);
        let (stream, is_damaged, ends) =
            mangle(&version.serve(&driver.sent, attempt), &attempt.faults);
        if attempt.shifts.is_some() {
            self.versions.push(Version { number: version.number + 1, ..version });
        }

        let mut came = Attempt {
            requests,
            version,
            contents: self.versions.iter().map(|version| version.contents()).collect(),
            witness: Witness::new(requests, &stream, ends),
            is_damaged,
            has_shifted: attempt.shifts.is_some(),
            fresh: Vec::new(),
            is_refused: false,
        };
        let mut failed = None;
        let step = if attempt.pieces == 0 { stream.len() } else { attempt.pieces.into() };
        for piece in stream.chunks(step.max(1)) {
            failed = driver.hear(START, &mut receiver, piece, |event| came.see(&event, self));
            driver.transmit(START, &mut receiver, u64::MAX);
        }
        if ends && !driver.is_over() {
            driver.ended = true;
            failed = driver.listen(START, &mut receiver, |event| came.see(&event, self));
        }
        let is_answered = self.complete || came.is_refused;
        if !ends && !driver.is_over() {
            // A reset: the session is told nothing. One that had only stalled would end as well.
            let mut now = START;
            let failed = driver.run_out(&mut now, &mut receiver, |_| panic!("from nothing"));
            assert!(failed.is_some() || is_answered, "a reset is never success");
        }
        let is_well = is_answered && failed.is_none();
        let is_wrong = !attempt.faults.is_empty() || attempt.shifts.is_some();
        assert!(is_well || is_wrong, "without a fault: {failed:?}");
        failed
    }

    fn forget(&mut self) {
        self.held.clear();
        self.digests.clear();
        self.tag = 0;
    }

    /// The hash of what is held is that of a version if it is that version, and else of none.
    fn judge(&self) {
        let mut root = RootDigester::<8>::new();
        self.digests.iter().for_each(|digest| root.push(*digest).expect("there is room"));
        for version in self.versions.iter().filter(|version| version.size > 0) {
            let contents = version.contents();
            let is_hash = root.finish() == Some(blake3::hash(&contents).into());
            assert_eq!(is_hash, self.held == contents, "{version:?}");
        }
    }
}

/// What arrives of a stream, whether it was damaged, and how it ends.
fn mangle(stream: &[u8], faults: &[Fault]) -> (Vec<u8>, bool, bool) {
    let (mut stream, mut damaged) = (stream.to_vec(), false);
    let place = |stream: &[u8], at: u16| usize::from(at).min(stream.len());
    for fault in faults.iter().take(4) {
        match *fault {
            Fault::Flip(at, bit) => {
                let at = place(&stream, at);
                if let Some(byte) = stream.get_mut(at) {
                    *byte ^= 1 << (bit % 8);
                    damaged = true;
                }
            }
            Fault::Lose(at, count) => {
                let at = place(&stream, at);
                let end = stream.len().min(at + usize::from(count));
                stream.drain(at..end);
                damaged |= at < end;
            }
            Fault::Double(at, count) => {
                let at = place(&stream, at);
                let end = stream.len().min(at + usize::from(count));
                let part = stream[at..end].to_vec();
                stream.splice(at..at, part);
                damaged |= at < end;
            }
            Fault::End(at) => {
                let at = place(&stream, at);
                stream.truncate(at);
                return (stream, damaged, true);
            }
            Fault::Reset(at) => {
                let at = place(&stream, at);
                stream.truncate(at);
                return (stream, damaged, false);
            }
        }
    }
    (stream, damaged, true)
}

/// What arrives is what was sent, or an error says that it is not; what has verified is kept, and in
/// the end the file has come, whose hash tells whether it is of one version.
pub fn check(input: &Input) {
    let first = Version { number: 1, size: u64::from(input.size % 4_500), tag: 1 };
    let mut download = Download {
        input,
        segment: SegmentSize::new(input.segment % 3).expect("it is at most 10"),
        versions: vec![first],
        tag: 0,
        held: Vec::new(),
        digests: Vec::new(),
        complete: false,
    };
    for attempt in input.tries.iter().take(3) {
        if let Some(growth) = attempt.changed {
            let last = download.versions[download.versions.len() - 1];
            let size = last.size.saturating_add_signed(i64::from(growth) * 20);
            let number = last.number + 1;
            let tag = if attempt.is_secret { 1 } else { number.into() };
            download.versions.push(Version { number, size, tag });
        }
        let failed = download.attempt(attempt);
        download.judge();
        assert!(failed.is_none() || !download.complete || !input.verify, "{failed:?}");
        if download.complete {
            break;
        }
    }
    // What is past the end of a file that was cut is asked for once more.
    for _ in 0..2 {
        if !download.complete {
            download.attempt(&Try::default());
            download.judge();
        }
    }
    assert!(download.complete, "in the end, it arrives");
}
