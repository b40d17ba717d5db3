//! Both sides, over a link that loses, doubles, damages and breaks off.

use arbitrary::Arbitrary;
use barewire_core::file::{
    Digester, Pending, Receiver, ReceiverError, ReceiverEvent, Request, RequestEvent, SEGMENT,
    Sender, TransferConfig,
};
use barewire_core::time::Instant;

use crate::manual_driver::{ManualDriver, byte_at};
use crate::script::START;

/// What is downloaded, and what the link does on each try.
#[derive(Debug, Arbitrary)]
pub struct Input {
    verify: bool,
    /// The file ends so many bytes behind the first segment; else it is that long.
    is_long: bool,
    size: u8,
    /// How much of a long file's first segment is missing.
    held: u8,
    tries: Vec<Try>,
}

#[derive(Debug, Arbitrary)]
struct Try {
    /// The server has another version by now.
    changed: bool,
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

/// What came of a download so far.
struct Download {
    /// The version of which something is held, and the offset before which all of it has verified.
    tag: u64,
    offset: u64,
    /// What has verified, from the offset at which this test began to look.
    kept: Vec<u8>,
    complete: bool,
}

/// The server's whole side: what it sends for one request.
fn serve(request: &[u8], size: u64, version: u8, room: u64) -> Vec<u8> {
    let mut sender = Sender::<16>::new(START, TransferConfig::default());
    let mut driver = ManualDriver { source: Some(version), ..ManualDriver::default() };
    let failed = driver.hear(START, &mut sender, request, |asked| {
        assert!(matches!(asked, RequestEvent::Request(Request { name: b"name", .. })), "{asked:?}");
    });
    assert_eq!(failed, None);
    sender.offer(START, size, version.into());
    loop {
        let before = driver.judge.moves();
        driver.transmit(START, &mut sender, room);
        match sender.pending() {
            Some(Pending::Digest { offset, length }) => {
                let mut digester = Digester::new();
                for at in offset..offset + length {
                    digester.update(&[byte_at(version, at)]);
                }
                sender.provide_digest(START, digester.finish());
            }
            Some(Pending::Confirm) => sender.confirm(START),
            Some(other) => panic!("{other:?} again"),
            None if driver.judge.moves() == before => break,
            None => {}
        }
    }
    driver.ended = true;
    driver.listen(START, &mut sender, |_| panic!("one request only"));
    driver.transmit(START, &mut sender, u64::MAX);
    assert!(driver.closed);
    driver.sent
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

impl Download {
    /// One connection. Tells why it failed, if it did and was told so.
    fn attempt(
        &mut self,
        input: &Input,
        size: u64,
        version: u8,
        attempt: &Try,
    ) -> Option<ReceiverError> {
        let mut receiver = Receiver::<64, 1>::new(START, TransferConfig::default());
        let &mut Self { tag, offset, .. } = self;
        let request = Request { offset, tag, verify: input.verify, ..Request::get(b"name") };
        receiver.request(START, &request).expect("there is room");
        receiver.finish();
        let mut driver = ManualDriver::default();
        driver.transmit(START, &mut receiver, u64::MAX);
        let room = if attempt.room == 0 { u64::MAX } else { attempt.room.into() };
        let stream = serve(&driver.sent, size, version, room);
        let (stream, damaged, ends) = mangle(&stream, &attempt.faults);

        let mut answer = None;
        let mut fresh = Vec::new();
        let (mut failed, mut refused) = (None, false);
        let step = if attempt.pieces == 0 { stream.len() } else { attempt.pieces.into() };
        let mut on_received = |received: ReceiverEvent<'_>| match received {
            ReceiverEvent::Response(answered) => {
                if answered.offset != self.offset {
                    assert_eq!(answered.offset, 0, "it starts over");
                    self.kept.clear();
                    self.offset = 0;
                }
                answer = Some(answered);
            }
            ReceiverEvent::Contents(bytes) => fresh.extend_from_slice(bytes),
            ReceiverEvent::Verified { end } => {
                // What has verified is what the server has there, whatever the link did.
                assert_eq!(end - self.offset, fresh.len() as u64);
                let mut sent = (self.offset..end).map(|at| byte_at(version, at));
                assert!(fresh.iter().all(|byte| sent.next() == Some(*byte)), "not what was sent");
                self.kept.append(&mut fresh);
                (self.offset, self.tag) = (end, answer.expect("an answer comes first").tag);
            }
            ReceiverEvent::Complete => {
                let is_true = answer.is_some_and(|answer| {
                    (answer.size, answer.tag) == (size, version.into())
                        && answer.verified == input.verify
                });
                assert!(is_true || damaged, "never answered: {answer:?}");
                if is_true && answer.is_some_and(|answer| answer.verified) {
                    assert_eq!(self.offset, size, "a part passed off as the whole");
                } else if !damaged {
                    let mut sent = (self.offset..size).map(|at| byte_at(version, at));
                    assert!(fresh.iter().all(|byte| sent.next() == Some(*byte)));
                    assert_eq!(sent.next(), None, "a part passed off as the whole");
                }
                self.complete = true;
            }
            ReceiverEvent::Refused(_) => {
                assert!(damaged, "it is there");
                refused = true;
            }
            other => unreachable!("{other:?}"),
        };
        for piece in stream.chunks(step.max(1)) {
            failed = driver.hear(START, &mut receiver, piece, &mut on_received);
            driver.transmit(START, &mut receiver, u64::MAX);
        }
        if ends && !driver.is_over() {
            driver.ended = true;
            failed = driver.listen(START, &mut receiver, &mut on_received);
        }
        if !ends && !driver.is_over() {
            // A reset: the session is told nothing. One that had only stalled would end as well.
            let mut now: Instant = START;
            let is_answered = self.complete || refused;
            let failed = driver.run_out(&mut now, &mut receiver, |_| panic!("from nothing"));
            assert!(failed.is_some() || is_answered, "a reset is never success");
        }
        if attempt.faults.is_empty() {
            assert!(self.complete && failed.is_none(), "without a fault: {failed:?}");
        }
        failed
    }
}

/// What arrives is what was sent, or an error says that it is not; what has verified is kept, and in
/// the end the file is one version of it.
pub fn check(input: &Input) {
    let size = if input.is_long { SEGMENT } else { 0 } + u64::from(input.size % 64);
    let mut version = 1;
    let offset = if input.is_long { SEGMENT - u64::from(input.held % 64) } else { 0 };
    let tag = u64::from(input.is_long);
    let mut download = Download { tag, offset, kept: Vec::new(), complete: false };
    for attempt in input.tries.iter().take(3) {
        // A long file would start over, which takes as long as it is long.
        if attempt.changed && !input.is_long {
            version += 1;
        }
        let failed = download.attempt(input, size, version, attempt);
        assert!(failed.is_none() || !download.complete || !input.verify, "{failed:?}");
        if download.complete {
            break;
        }
        if input.is_long && (download.tag != tag || download.offset < offset) {
            // A damaged header made it forget what it holds; so it would start over.
            return;
        }
    }
    if !download.complete {
        let last = Try { changed: false, faults: Vec::new(), room: 0, pieces: 0 };
        download.attempt(input, size, version, &last);
        assert!(download.complete, "in the end, it arrives");
    }
}
