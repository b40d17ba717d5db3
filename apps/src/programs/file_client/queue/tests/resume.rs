//! What is there of a file need not come again, if it is what the server has.

use std::ops::Range;

use barewire_core::file::{Digest, SegmentDigester, SegmentSize};
use barewire_linux::files::{Download, DownloadOptions};

use super::*;

/// How long a segment is.
const SEGMENT: u64 = SegmentSize::MAX.bytes();
const LENGTH: usize = 1 << 20;

/// A file of two segments and a bit.
fn large() -> Vec<u8> {
    (0..2 * LENGTH + 5).map(|number| number.to_le_bytes()[number % 3]).collect()
}

/// The bytes of `whole` in a range.
fn part(whole: &[u8], range: Range<u64>) -> &[u8] {
    let place = |offset| usize::try_from(offset).expect("it is in memory");
    &whole[place(range.start)..place(range.end)]
}

fn digest(whole: &[u8], segment: Range<u64>) -> Digest {
    let mut digester =
        SegmentDigester::new(SegmentSize::MAX.segment(segment.start, whole.len() as u64));
    digester.update(part(whole, segment));
    digester.finish()
}

impl Fixture<'_> {
    /// The answer begins: so much of `whole` follows from the offset on.
    fn begin(&mut self, whole: &[u8], offset: u64, tag: u64) {
        let size = whole.len() as u64;
        let length = size - offset;
        let header = ResponseHeader { offset, length, size, modified: 0, tag, verified: true };
        self.take(ReceiverEvent::Response(header)).unwrap();
    }

    /// A segment of `whole` comes.
    fn segment(&mut self, whole: &[u8], Range { start, end }: Range<u64>) {
        self.take(ReceiverEvent::Contents(part(whole, start..end))).unwrap();
        let digest = digest(whole, start..end);
        self.take(ReceiverEvent::Verified { start, end, digest }).unwrap();
    }

    /// The digest of the first segment of `whole` is told.
    fn compare(&mut self, whole: &[u8], tag: u64) {
        self.begin(whole, 0, tag);
        let digest = digest(whole, 0..SEGMENT);
        self.take(ReceiverEvent::Digest { start: 0, end: SEGMENT, digest }).unwrap();
        self.take(ReceiverEvent::Complete).unwrap();
    }
}

#[test]
fn after_a_break_all_is_asked_for_again_from_where_it_was() {
    let (folder, whole) = (TempDir::new().unwrap(), large());
    let target = target(folder.path());
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target), file("b", &target)]);
    assert_eq!(fixture.ask(), "a b.");
    fixture.begin(&whole, 0, 7);
    fixture.segment(&whole, 0..SEGMENT);
    assert!(mem::take(&mut fixture.queue.progressed));
    fixture.take(ReceiverEvent::Contents(b"?")).unwrap();

    // The tag proves nothing: what is held is compared, were it on the next connection.
    fixture.queue.rewind();
    fixture.reconnect();
    assert_eq!(fixture.ask(), "#a b");
    fixture.compare(&whole, 7);
    assert!(!fixture.queue.progressed);
    assert_eq!(fixture.ask(), "a.");
    fixture.answer(b"");
    fixture.begin(&whole, SEGMENT, 7);
    fixture.segment(&whole, SEGMENT..2 * SEGMENT);
    fixture.segment(&whole, 2 * SEGMENT..2 * SEGMENT + 5);
    fixture.take(ReceiverEvent::Complete).unwrap();
    assert!(fs::read(folder.path().join("a")).unwrap() == whole);
    assert!(fixture.queue.is_empty());
    fixture.queue.reporter.output.take();
}

#[test]
fn what_the_server_has_otherwise_is_fetched_again_and_is_no_progress() {
    let (folder, whole) = (TempDir::new().unwrap(), large());
    let mut other = whole.clone();
    other[0] ^= 1;
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target(folder.path()))]);
    fixture.ask();
    fixture.begin(&whole, 0, 7);
    fixture.segment(&whole, 0..SEGMENT);
    assert!(mem::take(&mut fixture.queue.progressed));
    fixture.queue.rewind();
    fixture.reconnect();
    // The same tag, and other contents.
    assert_eq!(fixture.ask(), "#a");
    fixture.compare(&other, 7);
    assert_eq!(fixture.ask(), "a.");
    fixture.begin(&other, 0, 7);
    fixture.segment(&other, 0..SEGMENT);
    assert!(!fixture.queue.progressed);
    fixture.segment(&other, SEGMENT..2 * SEGMENT);
    assert!(fixture.queue.progressed);
    fixture.segment(&other, 2 * SEGMENT..2 * SEGMENT + 5);
    fixture.take(ReceiverEvent::Complete).unwrap();
    assert!(fs::read(folder.path().join("a")).unwrap() == other);
    fixture.queue.reporter.output.take();
}

#[test]
fn what_an_earlier_run_has_left_is_no_progress() {
    let (folder, whole) = (TempDir::new().unwrap(), large());
    let target = target(folder.path());
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target)]);
    fixture.ask();
    fixture.begin(&whole, 0, 7);
    fixture.segment(&whole, 0..SEGMENT);
    fixture.restart(false, vec![file("a", &target)]);
    assert_eq!(fixture.ask(), "#a");
    fixture.compare(&whole, 9);
    fixture.ask();
    fixture.begin(&whole, SEGMENT, 9);
    fixture.take(ReceiverEvent::Contents(part(&whole, SEGMENT..SEGMENT + 7))).unwrap();
    assert!(!fixture.queue.progressed);
}

/// A signal, say, is not to wait until all of it is read again.
#[test]
fn what_an_earlier_run_has_left_is_checked_bit_by_bit() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let (size, zeros) = (10 * SEGMENT, vec![0; LENGTH]);
    let mut part = Download::begin(&target.folder, b"a", DownloadOptions::new()).unwrap();
    part.start(0, Some(size), 7).unwrap();
    for start in (0..10).map(|number| number * SEGMENT) {
        let mut digester = SegmentDigester::new(SegmentSize::MAX.segment(start, size));
        digester.update(&zeros);
        part.write(&zeros).unwrap();
        part.verified(start, start + SEGMENT, &digester.finish()).unwrap();
    }
    drop(part);
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target)]);
    assert_eq!(fixture.queue.prepare(), Some(Readiness::Checking));
    assert_eq!(fixture.queue.prepare(), Some(Readiness::Ready));
    assert_eq!(fixture.ask(), "#a");
    assert_eq!(fixture.queue.prepare(), None);
}
