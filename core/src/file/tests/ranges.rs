//! Parts of files, headers without contents, and hashes, as they are on the wire.

use super::*;

/// A file of four chunks and a half; every byte of it tells where it is.
fn counted() -> Vec<u8> {
    (0..4_608_u64).map(|place| (place / 3).to_le_bytes()[0]).collect()
}

/// Asserts what a server of such a file sends.
#[track_caller]
fn answers(request: &Request<'_>, expected: &[&[u8]]) {
    let mut server = Server::<64>::with(|_| Ok(counted()));
    server.hear(NOW, &bytes_of(request));
    assert_eq!(server.sent, expected.concat(), "{request:?}");
}

const SIZE: u64 = 4_608;
const MIN: SegmentSize = SegmentSize::MIN;

#[test]
fn a_range_goes_from_its_offset_as_far_as_its_length() {
    let file = counted();
    for (offset, length, end) in
        [(0, 1, 1), (7, 10, 17), (4_000, 608, 4_608), (4_607, 9, 4_608), (1, u64::MAX - 1, 4_608)]
    {
        let request = PLAINLY.with_offset(offset).with_length(length);
        let header = range_response(&bytes_of(&request), 0, [offset, end - offset, SIZE], TAG);
        let range = usize::try_from(offset).unwrap()..usize::try_from(end).unwrap();
        answers(&request, &[&header, &file[range]]);
    }
}

#[test]
fn a_verified_range_consists_of_whole_segments() {
    let file = counted();
    let request = Request::get(b"a").with_segment(MIN).with_offset(1_024).with_length(2_048);
    let header = range_response(&bytes_of(&request), 1, [1_024, 2_048, SIZE], TAG);
    let (second, third) = (&file[1_024..2_048], &file[2_048..3_072]);
    let digests = [subtree(1_024, second), subtree(2_048, third)];
    answers(&request, &[&header, second, &digests[0], third, &digests[1]]);

    let last = request.with_offset(4_096).with_length(1_024);
    let header = range_response(&bytes_of(&last), 1, [4_096, 512, SIZE], TAG);
    answers(&last, &[&header, &file[4_096..], &subtree(4_096, &file[4_096..])]);

    let whole = Request::get(b"a");
    let header = range_response(&bytes_of(&whole), 1, [0, SIZE, SIZE], TAG);
    answers(&whole, &[&header, &file, &digest(&file)]);
}

/// By its own end, or by its length: to the end of the file it may be of any length.
#[test]
fn a_range_that_cuts_a_segment_is_malformed() {
    for request in [Request::get(b"a"), Request::hashes(b"a")] {
        let request = request.with_segment(MIN);
        for (offset, length) in [(0, 1), (0, 1_023), (0, 4_607), (1_024, 1_025), (4_096, 511)] {
            let cut = request.with_offset(offset).with_length(length);
            answers(&cut, &[&refused(b"unread", Refusal::Malformed)]);
        }
        for (offset, length) in [(1, u64::MAX), (4_608, 0), (1_000, 24), (u64::MAX, 1)] {
            let cut = request.with_offset(offset).with_length(length);
            answers(&cut, &[&refused(b"unread", Refusal::Malformed)]);
        }
        let flags = u8::from(request.verify);
        for (offset, length) in [(4_096, 512), (4_096, 513), (4_096, u64::MAX), (0, 4_608)] {
            let fits = request.with_offset(offset).with_length(length);
            let mut server = Server::<64>::with(|_| Ok(counted()));
            server.hear(NOW, &bytes_of(&fits));
            let numbers = [offset, SIZE - offset, SIZE];
            let header = range_response(&bytes_of(&fits), flags, numbers, TAG);
            assert_eq!(server.sent[..64], header);
        }
    }
}

#[test]
fn of_no_length_the_header_comes_alone() {
    for (request, offset) in [
        (Request::get(b"a"), 0),
        (Request::get(b"a").with_segment(MIN), 1_024),
        (PLAINLY, 3),
        (PLAINLY, 4_608),
        (Request::list(b""), 0),
        (Request::hashes(b"a"), 0),
        (Request::hashes(b"a").with_verify(true), 0),
    ] {
        let request = request.with_offset(offset).with_length(0);
        let flags = u8::from(request.verify);
        answers(&request, &[&range_response(&bytes_of(&request), flags, [offset, 0, SIZE], TAG)]);
    }
    for request in [Request::get(b"a").with_offset(SEGMENT), PLAINLY.with_offset(4_609)] {
        let request = request.with_length(0);
        answers(&request, &[&refused(&bytes_of(&request), Refusal::PastEnd)]);
    }
}

#[test]
fn of_another_version_all_is_sent_or_nothing() {
    let file = counted();
    for request in [PLAINLY, Request::get(b"a").with_segment(MIN), Request::hashes(b"a")] {
        let request = request.with_tag(TAG + 1);
        let flags = u8::from(request.verify);
        for offset in [0, SEGMENT] {
            for length in [0, SEGMENT, (1 << 62) - 1] {
                let ranged = request.with_offset(offset).with_length(length);
                let asked = bytes_of(&ranged);
                answers(&ranged, &[&range_response(&asked, flags, [0, 0, SIZE], TAG)]);
            }
        }
        let mut server = Server::<64>::with(|_| Ok(counted()));
        let asked = bytes_of(&request.with_offset(SEGMENT));
        server.hear(NOW, &asked);
        assert_eq!(server.sent[..64], range_response(&asked, flags, [0, SIZE, SIZE], TAG));
    }
    let request = PLAINLY.with_tag(TAG + 1).with_offset(9);
    let header = range_response(&bytes_of(&request), 0, [0, SIZE, SIZE], TAG);
    answers(&request, &[&header, &file]);
}

#[test]
fn hashes_are_those_of_the_segments_and_nothing_else() {
    let file = counted();
    for exponent in 0..=10 {
        let segment = SegmentSize::new(exponent).unwrap();
        let length = usize::try_from(segment.bytes()).unwrap();
        for verify in [false, true] {
            let request = Request::hashes(b"a").with_segment(segment).with_verify(verify);
            let flags = u8::from(verify);
            let mut expected = range_response(&bytes_of(&request), flags, [0, SIZE, SIZE], TAG);
            for (part, start) in file.chunks(length).zip((0..).step_by(length)) {
                let is_whole = part.len() == file.len();
                expected.extend(if is_whole { digest(part) } else { subtree(start, part) });
            }
            answers(&request, &[&expected]);
        }
    }
    let request = Request::hashes(b"a").with_segment(MIN).with_offset(2_048).with_length(1_024);
    let header = range_response(&bytes_of(&request), 0, [2_048, 1_024, SIZE], TAG);
    answers(&request, &[&header, &subtree(2_048, &file[2_048..3_072])]);
}

#[test]
fn an_empty_file_has_no_digest() {
    for request in [Request::get(b"a"), Request::hashes(b"a"), PLAINLY, Request::list(b"")] {
        let mut server = Server::<64>::with(|_| Ok(Vec::new()));
        server.hear(NOW, &bytes_of(&request));
        let flags = u8::from(request.verify);
        assert_eq!(server.sent, range_response(&bytes_of(&request), flags, [0; 3], TAG));
        assert_eq!(server.hashed, 0);
    }
}

/// The contents of a request for hashes stay where they are.
#[test]
fn a_sender_of_hashes_waits_for_nothing_but_digests() {
    use crate::session::{Output, Session};

    let mut sender = Sender::<64>::new(NOW, TransferConfig::default());
    let request = Request::hashes(b"a").with_segment(MIN);
    sender.handle_input(NOW, &mut &bytes_of(&request)[..]).unwrap();
    assert_eq!(sender.offer(NOW, Offer { size: 2_000, ..FIVE }), Some(0..2_000));
    assert_eq!(sender.pending(), Some(Pending::Digest(MIN.segment(0, 2_000))));
    sender.transmitted(NOW, 64);
    assert_eq!(sender.poll_transmit(), Output::Nothing);
    assert_eq!(sender.poll_deadline(), None, "the owner takes its time");
    for start in [0, 1_024] {
        assert_eq!(sender.pending(), Some(Pending::Digest(MIN.segment(start, 2_000))));
        sender.provide_digest(NOW, [9; 32]);
        assert_eq!(
            sender.poll_transmit(),
            Output::Bytes { head: &[9; 32], tail: &[], more: false }
        );
        sender.transmitted(NOW, 32);
    }
    assert_eq!(sender.pending(), Some(Pending::Confirm));
}
