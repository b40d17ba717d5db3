//! What is there of a file need not come again.

use std::time::UNIX_EPOCH;

use barewire_core::file::{SegmentDigester, SegmentSize};
use barewire_linux::files::{Download, DownloadOptions};

use super::*;

/// A segment, and two bytes more.
const SEGMENT: u64 = SegmentSize::MAX.bytes();
const SIZE: u64 = SEGMENT + 2;
const ZEROS: &[u8] = &[0; 1 << 20];

/// That answer to a request for what is missing.
fn answer(offset: u64, tag: u64) -> ReceiverEvent<'static> {
    let length = SIZE - offset;
    let modified = 1_000_000_000;
    let header = ResponseHeader { offset, length, size: SIZE, modified, tag, verified: true };
    ReceiverEvent::Response(header)
}

/// What comes with the first segment.
fn first_segment() -> [ReceiverEvent<'static>; 2] {
    let mut digester = SegmentDigester::new(SegmentSize::MAX.segment(0, SIZE));
    digester.update(ZEROS);
    let digest = digester.finish();
    [ReceiverEvent::Contents(ZEROS), ReceiverEvent::Verified { start: 0, end: SEGMENT, digest }]
}

/// What comes with the rest.
fn rest() -> [ReceiverEvent<'static>; 2] {
    let verified = ReceiverEvent::Verified { start: SEGMENT, end: SIZE, digest: [0; 32] };
    [ReceiverEvent::Contents(b"de"), verified]
}

fn take_all(fixture: &mut Fixture<'_>, events: [ReceiverEvent<'_>; 2]) {
    for event in events {
        fixture.take(event).unwrap();
    }
}

#[test]
fn after_a_break_all_is_asked_for_again_from_where_it_was() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target), file("b", &target)]);
    assert_eq!(fixture.ask(), "a b.");
    fixture.take(answer(0, 7)).unwrap();
    take_all(&mut fixture, first_segment());
    assert!(std::mem::take(&mut fixture.queue.progressed));
    fixture.take(ReceiverEvent::Contents(b"?")).unwrap();

    fixture.queue.rewind();
    fixture.reconnect();
    assert_eq!(fixture.ask(), "a b.");
    fixture.take(answer(SEGMENT, 7)).unwrap();
    take_all(&mut fixture, rest());
    fixture.take(ReceiverEvent::Complete).unwrap();
    let is = fs::read(folder.path().join("a")).unwrap();
    assert!(is.len() as u64 == SIZE && is.ends_with(b"\0de"));
    let time = fs::metadata(folder.path().join("a")).unwrap().modified().unwrap();
    assert_eq!(time, UNIX_EPOCH + Duration::from_secs(1));
    assert_eq!(fixture.queue.len(), 1);
    fixture.queue.reporter.output.take();
}

#[test]
fn only_what_had_not_verified_before_is_progress() {
    let folder = TempDir::new().unwrap();
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target(folder.path()))]);
    for (tag, expected) in [(7, true), (8, false)] {
        fixture.ask();
        fixture.take(answer(0, tag)).unwrap();
        take_all(&mut fixture, first_segment());
        assert_eq!(std::mem::take(&mut fixture.queue.progressed), expected);
        fixture.queue.rewind();
        fixture.reconnect();
    }
}

#[test]
fn what_an_earlier_run_has_left_is_no_progress() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target)]);
    fixture.ask();
    fixture.take(answer(0, 7)).unwrap();
    take_all(&mut fixture, first_segment());
    fixture.restart(false, vec![file("a", &target)]);
    fixture.ask();
    fixture.take(answer(SEGMENT, 7)).unwrap();
    let [contents, verified] = rest();
    fixture.take(contents).unwrap();
    assert!(!fixture.queue.progressed);
    fixture.take(verified).unwrap();
    assert!(fixture.queue.progressed);
}

/// A signal, say, is not to wait until all of it is read again.
#[test]
fn what_an_earlier_run_has_left_is_checked_bit_by_bit() {
    let folder = TempDir::new().unwrap();
    let target = target(folder.path());
    let size = 10 * SEGMENT;
    let mut part = Download::begin(&target.folder, b"a", DownloadOptions::new()).unwrap();
    part.start(0, Some(size), 7).unwrap();
    for start in (0..10).map(|number| number * SEGMENT) {
        let mut digester = SegmentDigester::new(SegmentSize::MAX.segment(start, size));
        digester.update(ZEROS);
        part.write(ZEROS).unwrap();
        part.verified(start, start + SEGMENT, &digester.finish()).unwrap();
    }
    drop(part);
    let mut output = output();
    let mut fixture = Fixture::new(&mut output, vec![file("a", &target)]);
    assert_eq!(fixture.queue.prepare(), Some(Readiness::Checking));
    assert_eq!(fixture.queue.prepare(), Some(Readiness::Ready));
    assert_eq!(fixture.ask(), "a.");
    assert_eq!(fixture.queue.prepare(), None);
}
