//! The cutting of the stream never matters.

use std::string::String;
use std::vec;

use super::*;
use crate::tests::random::Random;

/// Every way to cut `length` bytes that is worth trying: byte by byte, in two everywhere, and at
/// random. Each is the lengths of the pieces.
fn cuts(length: usize) -> impl Iterator<Item = Vec<usize>> {
    let bytewise = core::iter::once(vec![1; length]);
    let in_two = (0..=length).map(move |first| vec![first, length - first]);
    let at_random = (1..=64).map(move |seed| {
        let mut random = Random::new(seed);
        let longest = 1 + random.below(40);
        let (mut pieces, mut rest) = (Vec::new(), length);
        while rest > 0 {
            let piece = rest.min(1 + random.below(longest));
            pieces.push(piece);
            rest -= piece;
        }
        pieces
    });
    bytewise.chain(in_two).chain(at_random)
}

/// All that a sender does with a stream that comes in such pieces, the end behind it.
fn serve(stream: &[u8], pieces: &[usize], (step, digests): (usize, Digests)) -> Server<8> {
    let mut server = Server::new();
    (server.step, server.digests) = (step, digests);
    let mut rest = stream;
    for &length in pieces {
        let (piece, after) = rest.split_at(length);
        server.hear(NOW, piece);
        rest = after;
    }
    server.hear_end(NOW);
    server
}

/// Tells what a sender makes of a stream that is cut in no way, after it was cut in every way.
#[track_caller]
fn served(stream: &[u8]) -> (Vec<String>, Vec<u8>, Option<SenderError>) {
    let whole: Server<8> = serve(stream, &[stream.len()], (usize::MAX, Digests::Late));
    for (number, pieces) in cuts(stream.len()).enumerate() {
        let digests = [Digests::Early, Digests::Late][number % 2];
        let link = ([usize::MAX, 1, 7][number % 3], digests);
        let cut: Server<8> = serve(stream, &pieces, link);
        assert_eq!(cut.asked, whole.asked, "in {pieces:?}");
        assert_eq!(cut.sent, whole.sent, "in {pieces:?}");
        let ending = |server: &Server<8>| (server.failed, server.is_shut, server.is_closed);
        assert_eq!(ending(&cut), ending(&whole), "in {pieces:?}");
    }
    assert_eq!(whole.is_closed, whole.failed.is_none());
    (whole.asked, whole.sent, whole.failed)
}

#[test]
fn a_sender_serves_framed_requests_alike() {
    let requests = [
        Request::get(b"a"),
        PLAINLY.with_offset(2).with_tag(TAG),
        Request::get(b"gone"),
        Request::list(b""),
        Request::get(b"empty"),
        Request::hashes(b"a").with_segment(SegmentSize::MIN),
        Request::get(b"a").with_offset(SEGMENT).with_tag(TAG),
        Request::get(b"../a"),
        Request::get(b"a").with_offset(SEGMENT).with_tag(TAG + 1),
        PLAINLY.with_offset(1).with_length(3),
        Request::get(b"a").with_length(0),
    ];
    let asked = requests.map(|request| bytes_of(&request));
    let (seen, sent, failed) = served(&asked.concat());
    assert_eq!((seen.len(), failed), (11, None));
    let second = "Get \"a\" from 2, all, of 0x7, verify: false, segments of 1048576 bytes";
    assert_eq!(seen[1], second);
    assert_eq!(seen[7], "refused: \"../a\"");
    let expected = [
        verified(&asked[0], b"alpha"),
        [&response(&asked[1], 0, 2, 5, TAG)[..], b"pha"].concat(),
        refused(&asked[2], Refusal::NotFound),
        verified(&asked[3], &drivers::lookup(b"").unwrap()),
        verified(&asked[4], b""),
        [&response(&asked[5], 0, 0, 5, TAG)[..], &digest(b"alpha")].concat(),
        refused(&asked[6], Refusal::PastEnd),
        refused(&asked[7], Refusal::Refused),
        verified(&asked[8], b"alpha"),
        [&range_response(&asked[9], 0, [1, 3, 5], TAG)[..], b"lph"].concat(),
        range_response(&asked[10], 1, [0, 0, 5], TAG),
    ];
    assert_eq!(sent, expected.concat());
}

#[test]
fn a_sender_stops_at_what_makes_no_sense_alike() {
    let good = get(b"a");
    let bad: [(&[u8], _); 7] = [
        (&request(1, 1, 0, 0, b"nine byte"), Refusal::Malformed),
        (&request(1, 2, 0, 0, b"a"), Refusal::Malformed),
        (&request(1, 1, 9, 0, b"a"), Refusal::Malformed),
        (&request(4, 1, 0, 0, b"a"), Refusal::NotSupported),
        (b"\0BW\x03", Refusal::NotSupported),
        (b"\0bw\x02\x01\0\0\0................", Refusal::Malformed),
        (b"HTTP/1.1 200 OK\r\n\r\n.....", Refusal::Malformed),
    ];
    for (bytes, refusal) in bad {
        // What follows it is never read as a request.
        let (asked, sent, failed) = served(&[&good[..], bytes, &good].concat());
        assert_eq!((asked.len(), failed), (2, None));
        assert_eq!(sent, [verified(&good, b"alpha"), refused(b"unread", refusal)].concat());
    }
}

#[test]
fn a_sender_serves_a_plain_name_alike() {
    for stream in [&b"a\n"[..], b"a\r\n", b"a", b"a\nand more", b"a\n\0BW\x02"] {
        let (asked, sent, failed) = served(stream);
        assert_eq!(
            asked,
            ["Get \"a\" from 0, all, of 0x0, verify: false, segments of 1048576 bytes"]
        );
        assert_eq!((&sent[..], failed), (&b"alpha"[..], None));
    }
    for stream in [&b"\n"[..], b"gone\n", b"../a", b"nine byte", b"nine byte\n", b"a\0\n", b"busy"]
    {
        let (asked, sent, failed) = served(stream);
        assert_eq!((asked.len(), sent.len(), failed), (1, 0, None), "{}", stream.escape_ascii());
    }
}

#[test]
fn a_sender_notices_a_broken_request_alike() {
    let stream = get(b"a");
    for length in 1..stream.len() {
        let (asked, sent, failed) = served(&stream[..length]);
        assert_eq!((asked.len(), sent.len(), failed), (0, 0, Some(SenderError::CutShort)));
    }
    assert_eq!(served(b"").2, None, "a client without a wish");
}

/// Tells what a receiver sees in a stream that is cut in no way, after it was cut in every way.
#[track_caller]
fn received(requests: &[Request<'_>], stream: &[u8]) -> Vec<Seen> {
    let mut whole = Client::asking(requests);
    whole.hear(NOW, stream);
    whole.hear_end(NOW);
    for pieces in cuts(stream.len()) {
        let mut cut = Client::asking(requests);
        let mut rest = stream;
        for length in &pieces {
            let (piece, after) = rest.split_at(*length);
            cut.hear(NOW, piece);
            rest = after;
        }
        cut.hear_end(NOW);
        assert_eq!(cut.seen, whole.seen, "in {pieces:?}");
        assert_eq!(cut.is_closed, whole.is_closed, "in {pieces:?}");
    }
    assert_eq!(whole.is_closed, !whole.has_failed());
    whole.seen
}

#[test]
fn a_receiver_sees_answers_alike() {
    let requests = [
        Request::get(b"a"),
        Request::get(b"gone"),
        PLAINLY,
        PLAINLY.with_offset(2).with_tag(TAG),
        Request::hashes(b"a"),
        Request::get(b"a").with_length(0),
        PLAINLY.with_length(2),
    ];
    let asked = requests.map(|request| bytes_of(&request));
    let stream = [
        verified(&asked[0], b"alpha"),
        refused(&asked[1], Refusal::NotFound),
        unverified(&asked[2], b"beta"),
        [&response(&asked[3], 0, 2, 4, TAG)[..], b"ta"].concat(),
        [&response(&asked[4], 0, 0, 4, TAG)[..], &digest(b"beta")].concat(),
        range_response(&asked[5], 1, [0, 0, 4], TAG),
        [&range_response(&asked[6], 0, [0, 2, 4], TAG)[..], b"be"].concat(),
    ];
    let contents = |bytes: &[u8]| Seen::Contents(bytes.to_vec());
    let expected = [
        Seen::Answered(answer([0, 5, 5], true)),
        contents(b"alpha"),
        Seen::verified(b"alpha"),
        Seen::Complete,
        Seen::Refused(Refusal::NotFound),
        Seen::Answered(answer([0, 4, 4], false)),
        contents(b"beta"),
        Seen::Complete,
        Seen::Answered(answer([2, 2, 4], false)),
        contents(b"ta"),
        Seen::Complete,
        Seen::Answered(answer([0, 4, 4], false)),
        Seen::Digest { start: 0, end: 4, digest: digest(b"beta") },
        Seen::Complete,
        Seen::Answered(answer([0, 0, 4], true)),
        Seen::Complete,
        Seen::Answered(answer([0, 2, 4], false)),
        contents(b"be"),
        Seen::Complete,
    ];
    assert_eq!(received(&requests, &stream.concat()), expected);
}

#[test]
fn a_receiver_sees_what_is_wrong_alike() {
    let asked = get(b"a");
    let mut corrupt = verified(&asked, b"alpha");
    corrupt[66] ^= 1;
    let mut damaged = verified(&asked, b"alpha");
    damaged[5] = 3;
    let malformed = sealed(&asked, &unsealed(0, 3, [0, 5, 5, TAG, 0]));
    let mut newer = verified(&asked, b"alpha");
    newer[3] = 3;
    let once = [Request::get(b"a")];
    for (stream, error) in [
        (&corrupt[..], ReceiverError::Corrupt),
        (&damaged, ReceiverError::DamagedHeader),
        (&malformed, ReceiverError::Malformed),
        (&unverified(&asked, b"alpha"), ReceiverError::Unverified),
        (&newer, ReceiverError::OtherVersion),
        (&newer[..4], ReceiverError::OtherVersion),
        (b"plain contents", ReceiverError::NotFramed),
        (b"", ReceiverError::NotFramed),
        (b"\0", ReceiverError::CutShort),
    ] {
        assert_eq!(received(&once, stream).last(), Some(&Seen::Failed(error)));
    }
    let twice = [Request::get(b"a"), Request::get(b"b")];
    let mut stream = verified(&asked, b"alpha");
    assert_eq!(received(&twice, &stream).last(), Some(&Seen::Failed(ReceiverError::CutShort)));
    stream.extend(b"plain contents");
    assert_eq!(received(&twice, &stream).last(), Some(&Seen::Failed(ReceiverError::Malformed)));
    assert_eq!(received(&once, &stream).last(), Some(&Seen::Complete), "nobody asked for more");
}

/// Segments and their digests, with the cuts around their ends.
#[test]
fn a_receiver_sees_segments_alike() {
    let segment = usize::try_from(SEGMENT).unwrap();
    let contents = vec![b'x'; segment + 3];
    let (first, last) = contents.split_at(segment - 2);
    let parts = [
        &response(&get(b"a"), 1, 0, SEGMENT + 3, TAG)[..],
        first,
        &last[..2],
        &subtree(0, &contents[..segment]),
        &last[2..],
        &subtree(SEGMENT, b"xxx"),
    ];
    let (start, end) = (parts[..2].concat(), parts[2..].concat());
    // Before and behind each end of contents and digests.
    for length in [0, 1, 2, 3, 33, 34, 35, 36, 37, 38, 68, 69] {
        let mut client = Client::asking(&[Request::get(b"a")]);
        client.hear(NOW, &start);
        let (piece, after) = end.split_at(length);
        client.hear(NOW, piece);
        client.hear(NOW, after);
        let seen = &client.seen[1..];
        assert_eq!(seen[0], Seen::Contents(contents[..segment].to_vec()));
        let first = subtree(0, &contents[..segment]);
        assert_eq!(seen[1], Seen::Verified { start: 0, end: SEGMENT, digest: first });
        assert_eq!(seen[2], Seen::Contents(b"xxx".to_vec()));
        let (end, digest) = (SEGMENT + 3, subtree(SEGMENT, b"xxx"));
        assert_eq!(seen[3..], [Seen::Verified { start: SEGMENT, end, digest }, Seen::Complete]);
    }
}

#[test]
fn a_plain_receiver_sees_contents_alike() {
    let stream = b"\0BW\x02 anything\nat all";
    for pieces in cuts(stream.len()) {
        let mut client = Client::plain("name");
        let mut rest = &stream[..];
        for length in &pieces {
            let (piece, after) = rest.split_at(*length);
            client.hear(NOW, piece);
            rest = after;
        }
        client.hear_end(NOW);
        let expected = [Seen::Contents(stream.to_vec()), Seen::Complete];
        assert_eq!(client.seen, expected, "in {pieces:?}");
        assert!(client.is_closed);
    }
}
