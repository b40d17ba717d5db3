//! Bits that flip on their way: none of them makes wrong contents, or a wrong length, pass for right.

use super::*;

/// Each copy of `bytes` that has another bit flipped, and which.
fn flipped(bytes: &[u8]) -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..8 * bytes.len()).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        (bit, flipped)
    })
}

#[test]
fn every_flipped_bit_of_contents_and_digests_is_found() {
    for (bit, stream) in flipped(&verified(&get(b"a"), b"alpha")).skip(64 * 8) {
        let end = end_of(Request::get(b"a"), &stream);
        assert_eq!(end, Seen::Failed(ReceiverError::Corrupt), "bit {bit}");
    }
}

/// Whatever was asked, and whatever is answered: contents, a range, digests, a refusal.
#[test]
fn every_flipped_bit_of_a_header_is_found() {
    let (ranged, hashes) = (PLAINLY.with_length(3), Request::hashes(b"a"));
    let asked = [Request::get(b"a"), PLAINLY, ranged, hashes].map(|request| bytes_of(&request));
    let [_, plainly, ranged_bytes, hashes_bytes] = &asked;
    let mut streams = std::vec![
        (Request::get(b"a"), verified(&asked[0], b"alpha")),
        (PLAINLY, unverified(plainly, b"alpha")),
        (PLAINLY, unverified(plainly, b"")),
        (ranged, [&range_response(ranged_bytes, 0, [0, 3, 5], TAG)[..], b"alp"].concat()),
        (hashes, [&response(hashes_bytes, 0, 0, 5, TAG)[..], &digest(b"alpha")].concat()),
    ];
    for status in 1..=7 {
        streams.push((PLAINLY, sealed(plainly, &unsealed(status, 0, [0; 5]))));
    }
    for (request, stream) in streams {
        assert!(!matches!(end_of(request, &stream), Seen::Failed(_)));
        for (bit, stream) in flipped(&stream).take(64 * 8) {
            let error = match bit / 8 {
                3 => ReceiverError::OtherVersion,
                _ => ReceiverError::DamagedHeader,
            };
            assert_eq!(end_of(request, &stream), Seen::Failed(error), "bit {bit} of {request:?}");
        }
    }
}

/// A file that begins so is none of the framed form's, however it is cut.
#[test]
fn what_only_begins_as_a_flipped_header_does_is_no_answer() {
    let mut stream = unverified(&bytes_of(&PLAINLY), b"alpha");
    stream[0] = b'@';
    for length in 1..64 {
        let failed = Seen::Failed(ReceiverError::NotFramed);
        assert_eq!(end_of(PLAINLY, &stream[..length]), failed, "{length}");
    }
    stream[40] ^= 1;
    assert_eq!(end_of(PLAINLY, &stream), Seen::Failed(ReceiverError::NotFramed));
}

/// The server has whatever is asked for, so that a wrong name finds something too.
#[test]
fn every_flipped_bit_of_a_request_is_found() {
    let (ranged, hashes) = (PLAINLY.with_offset(2).with_length(3), Request::hashes(b"a"));
    let held = Request::get(b"name").with_tag(TAG);
    for request in [Request::get(b"name"), PLAINLY, ranged, hashes, held, Request::list(b"a")] {
        for (bit, asked) in flipped(&bytes_of(&request)) {
            let mut server = Server::<64>::with(|name| Ok([b"contents of ", name].concat()));
            server.hear(NOW, &asked);
            server.hear_end(NOW);
            let mut client = Client::asking(&[request]);
            client.hear(NOW, &server.sent);
            if !client.has_failed() {
                client.hear_end(NOW);
            }
            let is_found = match client.seen.last().unwrap() {
                // The server never saw a framed request, or not a whole one; or the client knows that
                // the server could not read it.
                Seen::Failed(ReceiverError::NotFramed) => matches!(bit / 8, 0 | 6 | 7),
                Seen::Refused(refusal) => refusal.closes(),
                seen => *seen == Seen::Failed(ReceiverError::DamagedHeader),
            };
            assert!(is_found, "bit {bit} of {request:?}: {:?}", client.seen);
            assert!(!client.seen.iter().any(|seen| matches!(seen, Seen::Answered(_))));
        }
    }
}

/// As a server does that answers out of turn, or a cache in between.
#[test]
fn an_answer_to_another_request_is_found() {
    let mut client = Client::asking(&[Request::get(b"a"), Request::get(b"b")]);
    client.hear(NOW, &verified(&get(b"b"), b"beta"));
    assert_eq!(client.seen, [Seen::Failed(ReceiverError::DamagedHeader)]);
    for other in [PLAINLY.with_tag(1), PLAINLY.with_length(5), PLAINLY.with_offset(1)] {
        let stream = unverified(&bytes_of(&other), b"alpha");
        assert_eq!(end_of(PLAINLY, &stream), Seen::Failed(ReceiverError::DamagedHeader));
    }
}

/// Only after these two statuses need the server not have read the request.
#[test]
fn a_check_without_the_request_is_good_for_no_other_answer() {
    for status in 0..=7 {
        let unread = matches!(status, 3 | 4);
        for (asked, is_right) in [(&b""[..], unread), (&bytes_of(&PLAINLY), !unread)] {
            let response = unsealed(status, 0, [0, 0, 0, if status == 0 { TAG } else { 0 }, 0]);
            let check = blake3::hash(&[asked, &response].concat());
            let stream = [&response, &check.as_bytes()[..16]].concat();
            let damaged = Seen::Failed(ReceiverError::DamagedHeader);
            assert_eq!(end_of(PLAINLY, &stream) != damaged, is_right, "status {status}");
        }
    }
}
