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
        get(b"a"),
        request(1, 0, 2, TAG, b"a"),
        get(b"gone"),
        request(2, 1, 0, 0, b""),
        get(b"empty"),
        request(1, 1, 6, TAG, b"a"),
        get(b"../a"),
        request(1, 1, 1, TAG + 1, b"a"),
    ];
    let (asked, sent, failed) = served(&requests.concat());
    assert_eq!((asked.len(), failed), (8, None));
    assert_eq!(asked[1], "Get \"a\" from 2 of 0x7, verify: false");
    assert_eq!(asked[6], "refused: \"../a\"");
    let list = file_list();
    let expected = [
        verified(b"alpha"),
        [&response(0, 0, 2, 5, TAG)[..], b"pha"].concat(),
        refused(Refusal::NotFound),
        verified(&list),
        verified(b""),
        refused(Refusal::PastEnd),
        refused(Refusal::Refused),
        verified(b"alpha"),
    ];
    assert_eq!(sent, expected.concat());
}

fn file_list() -> Vec<u8> {
    drivers::lookup(b"").unwrap()
}

#[test]
fn a_sender_stops_at_what_makes_no_sense_alike() {
    let good = get(b"a");
    let bad: [(&[u8], _); 5] = [
        (&request(1, 1, 0, 0, b"nine byte"), Refusal::Malformed),
        (&request(1, 2, 0, 0, b"a"), Refusal::NotSupported),
        (&request(3, 1, 0, 0, b"a"), Refusal::NotSupported),
        (b"\0bw\x01\x01\0\0\0................", Refusal::Malformed),
        (b"HTTP/1.1 200 OK\r\n\r\n.....", Refusal::Malformed),
    ];
    for (bytes, refusal) in bad {
        // What follows it is never read as a request.
        let (asked, sent, failed) = served(&[&good[..], bytes, &good].concat());
        assert_eq!((asked.len(), failed), (2, None));
        assert_eq!(sent, [verified(b"alpha"), refused(refusal)].concat());
    }
}

#[test]
fn a_sender_serves_a_plain_name_alike() {
    for stream in [&b"a\n"[..], b"a\r\n", b"a", b"a\nand more", b"a\n\0BW\x01"] {
        let (asked, sent, failed) = served(stream);
        assert_eq!(asked, ["Get \"a\" from 0 of 0x0, verify: false"]);
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
    let plainly = Request { verify: false, ..Request::get(b"a") };
    let resumed = Request { offset: 2, tag: TAG, ..plainly };
    let requests = [Request::get(b"a"), Request::get(b"gone"), plainly, resumed];
    let stream = [
        verified(b"alpha"),
        refused(Refusal::NotFound),
        unverified(b"beta"),
        [&response(0, 0, 2, 4, TAG)[..], b"ta"].concat(),
    ];
    let answer = |offset, size, verified| {
        Seen::Answered(ResponseHeader { offset, size, tag: TAG, verified })
    };
    let contents = |bytes: &[u8]| Seen::Contents(bytes.to_vec());
    let expected = [
        answer(0, 5, true),
        contents(b"alpha"),
        Seen::Verified(5),
        Seen::Complete,
        Seen::Refused(Refusal::NotFound),
        answer(0, 4, false),
        contents(b"beta"),
        Seen::Complete,
        answer(2, 4, false),
        contents(b"ta"),
        Seen::Complete,
    ];
    assert_eq!(received(&requests, &stream.concat()), expected);
}

#[test]
fn a_receiver_sees_what_is_wrong_alike() {
    let mut corrupt = verified(b"alpha");
    corrupt[34] ^= 1;
    let mut malformed = verified(b"alpha");
    malformed[5] = 3;
    let once = [Request::get(b"a")];
    for (stream, error) in [
        (&corrupt[..], ReceiverError::Corrupt),
        (&malformed, ReceiverError::Malformed),
        (b"plain contents", ReceiverError::NotFramed),
        (b"", ReceiverError::NotFramed),
        (b"\0", ReceiverError::CutShort),
    ] {
        assert_eq!(received(&once, stream).last(), Some(&Seen::Failed(error)));
    }
    let twice = [Request::get(b"a"), Request::get(b"b")];
    let mut stream = verified(b"alpha");
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
        &response(0, 1, 0, SEGMENT + 3, TAG)[..],
        first,
        &last[..2],
        &digest(&contents[..segment]),
        &last[2..],
        &digest(b"xxx"),
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
        assert_eq!(seen[1], Seen::Verified(SEGMENT));
        assert_eq!(seen[2], Seen::Contents(b"xxx".to_vec()));
        assert_eq!(seen[3..], [Seen::Verified(SEGMENT + 3), Seen::Complete]);
    }
}

#[test]
fn a_plain_receiver_sees_contents_alike() {
    let stream = b"\0BW\x01 anything\nat all";
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
