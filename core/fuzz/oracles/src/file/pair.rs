//! Both sides, over a link that loses, doubles, damages and breaks off, and with a server whose file
//! changes without a word.

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

    fn offer(self) -> Offer {
        Offer { size: self.size, tag: self.tag, modified: self.number.into() }
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

impl Download<'_> {
    /// One connection. Tells why it failed, if it did and was told so.
    fn attempt(&mut self, attempt: &Try) -> Option<ReceiverError> {
        let version = *self.versions.last().expect("there is one");
        let request = Request::get(NAME)
            .with_verify(self.input.verify)
            .with_segment(self.segment)
            .with_offset(self.held.len() as u64)
            .with_tag(self.tag);
        let hashes = Request::hashes(NAME).with_segment(self.segment);
        let requests = [hashes, request];
        let requests = if attempt.asks_hashes { &requests[..] } else { &requests[1..] };
        let mut receiver = Receiver::<128>::new(START, TransferConfig::default());
        for request in requests {
            receiver.request(START, request).expect("there is room");
        }
        receiver.finish();
        let mut driver = ManualDriver::default();
        driver.transmit(START, &mut receiver, u64::MAX);
        let offer = version.offer();
        let mut server = Server::<16, _>::new(version.number, |_, _: &Request<'_>| Ok(offer));
        server.room = if attempt.room == 0 { u64::MAX } else { attempt.room.into() };
        server.turn(START, &driver.sent, false);
        server.end(START);
        assert!(server.driver.closed);
        let (stream, is_damaged, ends) = mangle(&server.driver.sent, &attempt.faults);

        let mut witness = Witness::new(requests, &stream, ends);
        let contents = version.contents();
        let mut fresh = Vec::new();
        let mut is_refused = false;
        let mut on_event = |event: ReceiverEvent<'_>| {
            let is_first = requests.len() > 1 && witness.left().0 > 1;
            witness.see(&event);
            match event {
                ReceiverEvent::Response(answer) => {
                    // Whatever the link did: a header is as it was sent, or an error.
                    let told =
                        Offer { size: answer.size, tag: answer.tag, modified: answer.modified };
                    assert_eq!(told, offer);
                    if is_first {
                        return;
                    }
                    if answer.offset != self.held.len() as u64 {
                        assert_eq!(answer.offset, 0, "it starts over");
                        self.forget();
                    }
                    self.tag = answer.tag;
                }
                ReceiverEvent::Contents(bytes) => fresh.extend_from_slice(bytes),
                ReceiverEvent::Verified { digest, .. } => {
                    // What has verified is what the server has there.
                    let start = self.held.len();
                    assert!(contents[start..].starts_with(&fresh), "not what was sent");
                    self.held.append(&mut fresh);
                    self.digests.push(digest);
                }
                ReceiverEvent::Digest { start, end, digest } => {
                    let [start, end] = [start, end].map(|at| usize::try_from(at).expect("small"));
                    let is_right = digest
                        == wire::digest(
                            start as u64,
                            &contents[start..end],
                            end - start == contents.len(),
                        );
                    assert!(is_right || is_damaged, "another digest");
                    if is_right && let Some(held) = self.held.get(start..end) {
                        let place = start / usize::try_from(self.segment.bytes()).expect("small");
                        let is_same = held == &contents[start..end];
                        assert_eq!(self.digests.get(place) == Some(&digest), is_same);
                    }
                }
                ReceiverEvent::Complete if is_first => {}
                ReceiverEvent::Complete => {
                    let start = self.held.len();
                    let is_right = contents.get(start..) == Some(&fresh[..]);
                    let may_be_wrong = is_damaged && !self.input.verify;
                    assert!(is_right || may_be_wrong, "a part passed off as the whole");
                    self.complete = true;
                }
                ReceiverEvent::Refused(refusal) => {
                    assert_eq!(refusal, Refusal::PastEnd);
                    assert!(request.offset > version.size, "it is there");
                    self.forget();
                    is_refused = true;
                }
                other => unreachable!("{other:?}"),
            }
        };
        let mut failed = None;
        let step = if attempt.pieces == 0 { stream.len() } else { attempt.pieces.into() };
        for piece in stream.chunks(step.max(1)) {
            failed = driver.hear(START, &mut receiver, piece, &mut on_event);
            driver.transmit(START, &mut receiver, u64::MAX);
        }
        if ends && !driver.is_over() {
            driver.ended = true;
            failed = driver.listen(START, &mut receiver, &mut on_event);
        }
        if !ends && !driver.is_over() {
            // A reset: the session is told nothing. One that had only stalled would end as well.
            let mut now = START;
            let failed = driver.run_out(&mut now, &mut receiver, |_| panic!("from nothing"));
            assert!(failed.is_some() || self.complete || is_refused, "a reset is never success");
        }
        if attempt.faults.is_empty() {
            assert!(
                (self.complete || is_refused) && failed.is_none(),
                "without a fault: {failed:?}"
            );
        }
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
