//! Answers that are not what they should be: none of them passes for a whole file.

use super::*;

#[track_caller]
fn fails(request: Request<'_>, stream: &[u8], error: ReceiverError) {
    let end = end_of(request, stream);
    assert_eq!(end, Seen::Failed(error), "{request:?}: {}", stream.escape_ascii());
}

#[test]
fn a_part_is_never_whole() {
    let contents = [b'x'; 1_030];
    let resumed = Request::get(b"a").with_offset(1_024).with_segment(SegmentSize::MIN);
    let last = &contents[1_024..];
    let header = response(&bytes_of(&resumed), 1, 1_024, 1_030, TAG);
    let from_there = [&header[..], last, &subtree(1_024, last)].concat();
    let hashes = Request::hashes(b"a");
    let header = response(&bytes_of(&hashes), 0, 0, 5, TAG);
    let one_digest = [&header[..], &digest(b"alpha")].concat();
    for (request, stream) in [
        (Request::get(b"a"), verified(&get(b"a"), b"alpha")),
        (Request::get(b"a"), verified(&get(b"a"), b"")),
        (PLAINLY, unverified(&bytes_of(&PLAINLY), b"alpha")),
        (resumed, from_there),
        (hashes, one_digest),
        (PLAINLY, refused(&bytes_of(&PLAINLY), Refusal::NotFound)),
    ] {
        fails(request, b"", ReceiverError::NotFramed);
        for length in 1..stream.len() {
            fails(request, &stream[..length], ReceiverError::CutShort);
        }
        assert!(!matches!(end_of(request, &stream), Seen::Failed(_)));
    }
}

/// As long as its segments were right, what came before may be kept.
#[test]
fn a_part_of_an_answer_after_another_is_cut_short_too() {
    let mut client = Client::asking(&[Request::get(b"a"), Request::get(b"b")]);
    client.hear(NOW, &verified(&get(b"a"), b"alpha"));
    client.hear_end(NOW);
    let expected = [Seen::Complete, Seen::Failed(ReceiverError::CutShort)];
    assert_eq!(client.seen[3..], expected);
}

/// Each answer is intact.
#[test]
fn an_answer_must_fit_its_request() {
    const MAX: u64 = u64::MAX;
    let whole = Request::get(b"a");
    let resumed = whole.with_offset(1_024).with_tag(TAG).with_segment(SegmentSize::MIN);
    let untagged = resumed.with_tag(0);
    let ranged = resumed.with_offset(0).with_length(1_024);
    let hashes = Request::hashes(b"a").with_tag(TAG);
    let answered = |request: &Request<'_>, flags, [offset, length, size, tag]: [u64; 4]| {
        range_response(&bytes_of(request), flags, [offset, length, size], tag)
    };
    for (request, numbers) in [
        // An offset or a length that nobody wanted.
        (whole, [SEGMENT, 1, SEGMENT + 1, TAG]),
        (whole, [0, 0, 5, TAG]),
        (whole, [0, 4, 5, TAG]),
        (whole.with_length(0), [0, 5, 5, TAG]),
        (resumed, [2_048, 6, 2_054, TAG]),
        (resumed, [0, 1_030, 1_030, TAG]),
        (untagged, [0, 1_030, 1_030, TAG]),
        (ranged, [0, 1_030, 1_030, TAG]),
        (ranged, [0, 1_023, 1_030, TAG]),
        (hashes, [0, 0, 5, TAG]),
        (PLAINLY.with_offset(2), [0, 5, 5, TAG]),
        (PLAINLY.with_length(2), [0, 5, 5, TAG]),
        (PLAINLY.with_length(2), [0, 1, 5, TAG]),
        // Of another version, but not from its start; and a range of another version.
        (resumed, [1_024, 6, 1_030, TAG + 1]),
        (resumed, [0, 1_024, 1_030, TAG + 1]),
        (ranged, [0, 1_024, 1_030, TAG + 1]),
        (hashes.with_length(SEGMENT), [0, SEGMENT, 2 * SEGMENT, TAG + 1]),
        // Of no version.
        (whole, [0, 5, 5, 0]),
        (resumed, [1_024, 6, 1_030, 0]),
        // Beyond its own end.
        (resumed, [1_024, 0, 1_023, TAG]),
        (resumed, [1_024, 7, 1_030, TAG]),
        (resumed, [1_024, MAX, MAX, TAG]),
        (resumed.with_offset(MAX - 1_023), [MAX - 1_023, 0, MAX - 1_024, TAG]),
        // A range whose end cuts a segment, which the server should have refused.
        (whole.with_length(1_024), [0, 1_024, 1_030, TAG]),
    ] {
        let answer = answered(&request, u8::from(request.verify), numbers);
        fails(request, &answer, ReceiverError::Malformed);
        fails(request, &[&answer[..], b"alpha"].concat(), ReceiverError::Malformed);
    }
    for (request, numbers) in [
        (resumed, [1_024, 6, 1_030, TAG]),
        (resumed, [0, 1_030, 1_030, TAG + 1]),
        (untagged, [1_024, 6, 1_030, TAG + 1]),
        (ranged, [0, 1_024, 1_030, TAG]),
        (ranged, [0, 1_023, 1_023, TAG]),
        (hashes, [0, 5, 5, TAG + 1]),
    ] {
        let answer = answered(&request, u8::from(request.verify), numbers);
        fails(request, &answer, ReceiverError::CutShort);
    }
    let held = answered(&ranged, 1, [0, 0, 1_030, TAG + 1]);
    assert_eq!(end_of(ranged, &held), Seen::Complete, "a range of another version is empty");
}

#[test]
fn a_header_says_nothing_that_is_unknown() {
    let asked = bytes_of(&PLAINLY);
    let good = unsealed(0, 0, [0, 5, 5, TAG, 0]);
    let with = |place: usize, value| {
        let mut header = good.clone();
        header[place] = value;
        header
    };
    let mut wrong = std::vec![
        // Digests that nobody wanted, and unknown flags.
        with(5, 1),
        with(5, 2),
        with(5, 0x80),
        with(6, 1),
        with(7, 1),
        unsealed(8, 0, [0; 5]),
        unsealed(255, 0, [0; 5]),
    ];
    // A refusal says nothing else.
    for status in 1..=7 {
        wrong.push(unsealed(status, 1, [0; 5]));
        for number in 0..5 {
            let mut numbers = [0; 5];
            numbers[number] = 1;
            wrong.push(unsealed(status, 0, numbers));
        }
    }
    for header in wrong {
        fails(PLAINLY, &sealed(&asked, &header), ReceiverError::Malformed);
    }
    fails(PLAINLY, &sealed(&asked, &good), ReceiverError::CutShort);
    for time in [0, 1, u64::MAX, i64::MAX.cast_unsigned(), i64::MIN.cast_unsigned()] {
        let header = unsealed(0, 0, [0, 0, 0, TAG, time]);
        assert_eq!(end_of(PLAINLY, &sealed(&asked, &header)), Seen::Complete, "any time");
    }
}

/// Where nothing proves the contents, at least their count must be right.
#[test]
fn more_than_was_announced_is_malformed() {
    for requests in [&[PLAINLY][..], &[PLAINLY, PLAINLY]] {
        let mut client = Client::asking(requests);
        client.hear(NOW, &[&unverified(&bytes_of(&PLAINLY), b"alpha")[..], b"s"].concat());
        assert_eq!(client.seen[2..], [Seen::Failed(ReceiverError::Malformed)]);
    }
}

/// A zero is a byte of contents like any other, unless another response is due.
#[test]
fn more_than_was_announced_is_malformed_also_if_it_looks_like_a_response() {
    let asked = bytes_of(&PLAINLY);
    let first = unverified(&asked, b"alpha");
    let more = [&first[..], &unverified(&asked, b"")].concat();
    for length in first.len() + 1..=more.len() {
        fails(PLAINLY, &more[..length], ReceiverError::Malformed);
        let mut client = Client::asking(&[PLAINLY, PLAINLY]);
        client.hear(NOW, &more[..length]);
        assert_eq!(client.seen[2], Seen::Complete, "{length}");
    }
}

#[test]
fn a_server_that_speaks_otherwise_is_not_framed() {
    for first in 1..=255 {
        fails(Request::get(b"a"), &[first], ReceiverError::NotFramed);
    }
    fails(PLAINLY, b"the contents of some file", ReceiverError::NotFramed);
    fails(PLAINLY, b"\0BM", ReceiverError::NotFramed);
    // Once it was framed, it is malformed.
    let mut client = Client::asking(&[PLAINLY, PLAINLY]);
    let busy = refused(&bytes_of(&PLAINLY), Refusal::Busy);
    client.hear(NOW, &[&busy[..], b"the contents"].concat());
    assert_eq!(client.seen.last(), Some(&Seen::Failed(ReceiverError::Malformed)));
}

#[test]
fn a_server_that_speaks_another_version_is_known_by_its_fourth_byte() {
    for version in (0..=255).filter(|version| *version != 2) {
        fails(PLAINLY, &[0, b'B', b'W', version], ReceiverError::OtherVersion);
    }
}

#[test]
fn a_wrong_digest_of_the_last_segment_leaves_the_first_verified() {
    let segment = usize::try_from(SEGMENT).unwrap();
    let contents = std::vec![0; segment + 1];
    let (first, last) = contents.split_at(segment);
    let header = response(&get(b"a"), 1, 0, SEGMENT + 1, TAG);
    // Right for the same byte at another place.
    let wrong = subtree(2 * SEGMENT, last);
    let right = subtree(0, first);
    let stream = [&header, first, &right, last, &wrong].concat();
    let mut client = Client::asking(&[Request::get(b"a")]);
    client.hear(NOW, &stream);
    assert_eq!(client.seen[2], Seen::Verified { start: 0, end: SEGMENT, digest: right });
    assert_eq!(client.seen[4..], [Seen::Failed(ReceiverError::Corrupt)]);
}
