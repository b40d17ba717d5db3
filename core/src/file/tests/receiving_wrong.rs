//! Answers that are not what they should be: none of them passes for a whole file.

use super::*;

const PLAINLY: Request<'_> = Request { verify: false, ..Request::get(b"a") };

/// What becomes of an answer, with the end of the stream behind it.
fn end_of(request: Request<'_>, stream: &[u8]) -> Seen {
    let mut client = Client::asking(&[request]);
    client.hear(NOW, stream);
    if !client.has_failed() {
        client.hear_end(NOW);
    }
    client.seen.pop().unwrap()
}

#[track_caller]
fn fails(request: Request<'_>, stream: &[u8], error: ReceiverError) {
    let end = end_of(request, stream);
    assert_eq!(end, Seen::Failed(error), "{request:?}: {}", stream.escape_ascii());
}

#[test]
fn a_part_is_never_whole() {
    let resumed = Request { offset: 2, tag: TAG, ..Request::get(b"a") };
    let from_two = [&response(0, 1, 2, 5, TAG)[..], b"pha", &digest(b"pha")].concat();
    for (request, stream) in [
        (Request::get(b"a"), verified(b"alpha")),
        (Request::get(b"a"), verified(b"")),
        (PLAINLY, unverified(b"alpha")),
        (resumed, from_two),
        (PLAINLY, refused(Refusal::NotFound)),
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
    client.hear(NOW, &verified(b"alpha"));
    client.hear_end(NOW);
    let expected = [Seen::Complete, Seen::Failed(ReceiverError::CutShort)];
    assert_eq!(client.seen[3..], expected);
}

#[test]
fn every_flipped_bit_of_contents_and_digests_is_found() {
    let stream = verified(b"alpha");
    for bit in 32 * 8..stream.len() * 8 {
        let mut stream = stream.clone();
        stream[bit / 8] ^= 1 << (bit % 8);
        fails(Request::get(b"a"), &stream, ReceiverError::Corrupt);
    }
}

/// A flipped bit of the header either makes no sense, or leaves contents that are right.
#[test]
fn no_flipped_bit_of_a_header_passes_wrong_contents_for_whole() {
    let stream = verified(b"alpha");
    for bit in 0..32 * 8 {
        let mut flipped = stream.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut client = Client::asking(&[Request::get(b"a")]);
        client.hear(NOW, &flipped);
        if !client.has_failed() {
            client.hear_end(NOW);
        }
        // Without digests, they and whatever else follows are more than was announced.
        let is_tag = bit / 8 >= 24;
        let passes = client.seen.contains(&Seen::Complete);
        assert_eq!(passes, is_tag, "bit {bit}: {:?}", client.seen);
        let contents = Seen::Contents(b"alpha".to_vec());
        assert!(!passes || client.seen.contains(&contents), "bit {bit}");
    }
}

#[test]
fn an_answer_must_fit_its_request() {
    let resumed = Request { offset: 2, tag: TAG, ..Request::get(b"a") };
    let untagged = Request { tag: 0, ..resumed };
    let malformed = ReceiverError::Malformed;
    for (request, answer) in [
        // An offset that nobody wanted.
        (Request::get(b"a"), response(0, 1, 2, 5, TAG)),
        (resumed, response(0, 1, 3, 5, TAG)),
        (resumed, response(0, 1, 0, 5, TAG)),
        (untagged, response(0, 1, 0, 5, TAG)),
        // Of another version, but not from its start.
        (resumed, response(0, 1, 2, 5, TAG + 1)),
        (resumed, response(0, 1, 2, 5, 0)),
        // Digests that nobody wanted.
        (PLAINLY, response(0, 1, 0, 5, TAG)),
        // Beyond its own end.
        (resumed, response(0, 1, 2, 1, TAG)),
        (Request { offset: u64::MAX, ..resumed }, response(0, 1, u64::MAX, u64::MAX - 1, TAG)),
        // What no header says.
        (PLAINLY, response(0, 2, 0, 5, TAG)),
        (PLAINLY, response(8, 0, 0, 0, 0)),
        (PLAINLY, response(1, 0, 0, 5, 0)),
        (PLAINLY, response(1, 1, 0, 0, 0)),
        (PLAINLY, response(1, 0, 0, 0, TAG)),
    ] {
        fails(request, &answer, malformed);
        fails(request, &[&answer[..], b"alpha"].concat(), malformed);
    }
    for (request, answer) in [
        (resumed, response(0, 1, 2, 5, TAG)),
        (resumed, response(0, 1, 0, 5, TAG + 1)),
        (untagged, response(0, 1, 2, 5, TAG)),
    ] {
        fails(request, &answer, ReceiverError::CutShort);
    }
}

/// Where nothing proves the contents, at least their count must be right.
#[test]
fn more_than_was_announced_is_malformed() {
    for requests in [&[PLAINLY][..], &[PLAINLY, PLAINLY]] {
        let mut client = Client::asking(requests);
        client.hear(NOW, &[&unverified(b"alpha")[..], b"s"].concat());
        assert_eq!(client.seen[2..], [Seen::Failed(ReceiverError::Malformed)]);
    }
}

/// A zero is a byte of contents like any other, unless another response is due.
#[test]
fn more_than_was_announced_is_malformed_also_if_it_looks_like_a_response() {
    let more = [&unverified(b"alpha")[..], &unverified(b"")].concat();
    for length in unverified(b"alpha").len() + 1..=more.len() {
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
    // Once it was framed, it is malformed.
    let mut client = Client::asking(&[PLAINLY, PLAINLY]);
    client.hear(NOW, &[&refused(Refusal::Busy)[..], b"the contents"].concat());
    assert_eq!(client.seen.last(), Some(&Seen::Failed(ReceiverError::Malformed)));
}

#[test]
fn a_wrong_digest_of_the_last_segment_leaves_the_first_verified() {
    let segment = usize::try_from(SEGMENT).unwrap();
    let contents = std::vec![0; segment + 1];
    let (first, last) = contents.split_at(segment);
    let header = response(0, 1, 0, SEGMENT + 1, TAG);
    let stream = [&header, first, &digest(first), last, &digest(&contents)].concat();
    let mut client = Client::asking(&[Request::get(b"a")]);
    client.hear(NOW, &stream);
    assert_eq!(client.seen[2], Seen::Verified(SEGMENT));
    assert_eq!(client.seen[4..], [Seen::Failed(ReceiverError::Corrupt)]);
}
