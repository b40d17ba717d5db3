//! Both sides against each other, with files of every size that matters.

use super::*;
use crate::tests::random::Random;

/// Bytes without a pattern, in blocks that are told apart by their number.
fn file(size: usize) -> Vec<u8> {
    let mut random = Random::new(1 + size as u64);
    let block: Vec<u8> = (0..4_093).map(|_| random.below(256).to_le_bytes()[0]).collect();
    let mut contents = block.repeat(size.div_ceil(block.len()));
    contents.truncate(size);
    for (number, block) in contents.chunks_mut(block.len()).enumerate() {
        for (place, byte) in block.iter_mut().zip(number.to_le_bytes()) {
            *place ^= byte;
        }
    }
    contents
}

/// The owner's files are named by their sizes.
fn by_size(name: &[u8]) -> Result<Vec<u8>, Refusal> {
    let size = core::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
    size.map(file).ok_or(Refusal::NotFound)
}

/// Asks for a part of a file and gets it; how many bytes the server's owner had to digest.
fn transfer(contents: &[u8], request: &Request<'_>) -> u64 {
    let name = std::format!("{}", contents.len());
    let request = Request { name: name.as_bytes(), tag: TAG, ..*request };
    let mut client = Client::asking(&[request]);
    let mut server = Server::<64>::with(by_size);
    server.step = 300_007;
    server.hear(NOW, &client.sent);
    server.hear_end(NOW);
    assert!(server.is_closed);
    for piece in server.sent.chunks(200_003) {
        client.hear(NOW, piece);
    }
    client.hear_end(NOW);
    assert!(client.is_closed);

    let size = contents.len() as u64;
    let (start, end) = (request.offset, request.offset.saturating_add(request.length).min(size));
    let header = answer([start, end - start, size], request.verify);
    assert_eq!(client.seen.first(), Some(&Seen::Answered(header)));
    assert_eq!(client.seen.last(), Some(&Seen::Complete));
    let part = |start: u64, end: u64| {
        &contents[usize::try_from(start).unwrap()..usize::try_from(end).unwrap()]
    };
    let is_hashes = request.operation == Operation::Hashes;
    let (mut position, mut proven) = (start, start);
    for seen in &client.seen {
        match seen {
            Seen::Contents(bytes) => {
                let next = position + bytes.len() as u64;
                assert!(bytes[..] == *part(position, next), "from {position}");
                position = next;
            }
            Seen::Verified { start, end, digest } | Seen::Digest { start, end, digest } => {
                assert_eq!(matches!(seen, Seen::Digest { .. }), is_hashes);
                assert_eq!(*start, proven, "one behind the other");
                assert!(is_hashes || *end == position, "what has verified is what has come");
                assert!(request.segment.divides(*start));
                assert!(*end == start + request.segment.bytes() || *end == size);
                let bytes = part(*start, *end);
                let is_whole = bytes.len() == contents.len();
                let expected = if is_whole { super::digest(bytes) } else { subtree(*start, bytes) };
                assert_eq!(*digest, expected);
                proven = *end;
            }
            _ => {}
        }
    }
    let moved = if is_hashes { 0 } else { end - start };
    assert_eq!((position - start, server.moved), (moved, moved));
    assert_eq!(proven, if request.verify || is_hashes { end } else { start });
    let digests = (proven - start).div_ceil(request.segment.bytes());
    assert_eq!(server.sent.len() as u64, 64 + moved + 32 * digests);
    server.hashed
}

/// Hazard 21: what has verified is never hashed again.
#[test]
fn every_size_arrives_from_every_segment_on() {
    let segment = usize::try_from(SEGMENT).unwrap();
    for size in [0, 1, segment - 1, segment, segment + 1, 3 * segment + 5] {
        let contents = file(size);
        let size = size as u64;
        for offset in (0..=size).step_by(segment) {
            let request = Request::get(b"").with_offset(offset);
            assert_eq!(transfer(&contents, &request), size - offset);
            assert_eq!(
                transfer(&contents, &Request::hashes(b"").with_offset(offset)),
                size - offset
            );
        }
        let odd = [0, SEGMENT / 3, 2 * SEGMENT + 12_345, size].into_iter();
        for offset in odd.filter(|offset| *offset <= size) {
            let request = Request::get(b"").with_offset(offset).with_verify(false);
            assert_eq!(transfer(&contents, &request), 0);
        }
    }
}

#[test]
fn any_range_of_any_file_arrives_in_segments_of_any_size() {
    for seed in 1..=400 {
        let mut random = Random::new(seed);
        let segment = SegmentSize::new(u8::try_from(random.below(11)).unwrap()).unwrap();
        let most = if seed % 20 == 0 { 3_000_000 } else { 20_000 };
        let size = random.below(most);
        let operation = [Operation::Get, Operation::Hashes][random.below(2)];
        let verify = random.below(2) == 1;
        let unit = usize::try_from(segment.bytes()).unwrap();
        let (mut offset, mut length) = (random.below(size + 1), random.below(most));
        if verify || operation == Operation::Hashes {
            offset -= offset % unit;
            length -= length % unit;
        }
        let length = [length as u64, u64::MAX][random.below(2)];
        let request = Request { operation, length, verify, segment, ..Request::get(b"") };
        std::println!("seed {seed}: {size} bytes, {request:?}, from {offset}");
        transfer(&file(size), &request.with_offset(offset as u64));
    }
}

/// So a client that has all segments need not read them again to know the hash of the file.
#[test]
fn the_digests_of_all_segments_make_the_hash_of_the_file() {
    for (size, exponent) in [(1, 0), (5_000, 0), (5_000, 2), (65_536, 3), (3_000_000, 10)] {
        let contents = file(size);
        let name = std::format!("{size}");
        let segment = SegmentSize::new(exponent).unwrap();
        let hashes = Request::hashes(name.as_bytes());
        for request in [Request::get(name.as_bytes()), hashes] {
            let mut client = Client::asking(&[request.with_segment(segment)]);
            let mut server = Server::<64>::with(by_size);
            server.hear(NOW, &client.sent);
            client.hear(NOW, &server.sent);
            let mut root = RootDigester::<12>::new();
            for seen in client.seen {
                if let Seen::Verified { digest, .. } | Seen::Digest { digest, .. } = seen {
                    root.push(digest).unwrap();
                }
            }
            assert_eq!(root.finish(), Some(digest(&contents)));
        }
    }
}

/// All of a client's requests at once, on one connection.
#[test]
fn pipelined_requests_of_all_kinds_are_answered_in_their_order() {
    let contents = file(2_500);
    let segment = SegmentSize::MIN;
    let requests = [
        Request::get(b"5"),
        Request::get(b"none"),
        Request::hashes(b"2500").with_segment(segment).with_offset(1_024),
        Request::get(b"0"),
        Request::get(b"2500").with_verify(false).with_offset(7).with_length(3),
        Request::list(b"70"),
        Request::get(b"2500").with_length(0),
        Request::get(b"2500").with_tag(TAG + 1).with_verify(false).with_length(9),
        Request::get(b"2500").with_segment(segment).with_offset(2_048),
        Request::get(b"1").with_offset(SEGMENT),
    ];
    let mut client = Client::asking(&requests);
    let mut server = Server::<64>::with(by_size);
    server.hear(NOW, &client.sent);
    server.hear_end(NOW);
    client.hear(NOW, &server.sent);
    let whole = |size: usize| {
        let contents = file(size);
        let header = Seen::Answered(answer([0, size as u64, size as u64], true));
        let digest = Seen::verified(&contents);
        [header, Seen::Contents(contents), digest, Seen::Complete]
    };
    let digest = |start: usize, end: usize| subtree(start as u64, &contents[start..end]);
    let expected = [
        &whole(5)[..],
        &[
            Seen::Refused(Refusal::NotFound),
            Seen::Answered(answer([1_024, 1_476, 2_500], false)),
            Seen::Digest { start: 1_024, end: 2_048, digest: digest(1_024, 2_048) },
            Seen::Digest { start: 2_048, end: 2_500, digest: digest(2_048, 2_500) },
            Seen::Complete,
            Seen::Answered(answer([0; 3], true)),
            Seen::Complete,
            Seen::Answered(answer([7, 3, 2_500], false)),
            Seen::Contents(contents[7..10].to_vec()),
            Seen::Complete,
        ],
        &whole(70),
        &[
            Seen::Answered(answer([0, 0, 2_500], true)),
            Seen::Complete,
            Seen::Answered(answer([0, 0, 2_500], false)),
            Seen::Complete,
            Seen::Answered(answer([2_048, 452, 2_500], true)),
            Seen::Contents(contents[2_048..].to_vec()),
            Seen::Verified { start: 2_048, end: 2_500, digest: digest(2_048, 2_500) },
            Seen::Complete,
            Seen::Refused(Refusal::PastEnd),
        ],
    ];
    assert_eq!(client.seen, expected.concat());
}
