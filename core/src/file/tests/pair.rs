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

/// Downloads a file from `offset` on; how many bytes the server's owner had to digest.
fn download(contents: &[u8], offset: u64, verify: bool) -> u64 {
    let name = std::format!("{}", contents.len());
    let request = Request { offset, tag: TAG, verify, ..Request::get(name.as_bytes()) };
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
    let answer = ResponseHeader { offset, size, tag: TAG, verified: verify };
    assert_eq!(client.seen.first(), Some(&Seen::Answered(answer)));
    assert_eq!(client.seen.last(), Some(&Seen::Complete));
    let (mut position, mut verified_end) = (offset, offset);
    for seen in &client.seen {
        match seen {
            Seen::Contents(bytes) => {
                let start = usize::try_from(position).unwrap();
                assert!(bytes[..] == contents[start..start + bytes.len()], "from {position}");
                position += bytes.len() as u64;
            }
            Seen::Verified(end) => {
                assert_eq!(*end, position, "what has verified is what has come");
                assert!(end.is_multiple_of(SEGMENT) || *end == size);
                verified_end = *end;
            }
            _ => {}
        }
    }
    assert_eq!((position, server.moved), (size, size - offset));
    assert_eq!(verified_end, if verify { size } else { offset });
    let segments = size.div_ceil(SEGMENT) - offset / SEGMENT;
    let digests = if verify && offset < size { 32 * segments } else { 0 };
    assert_eq!(server.sent.len() as u64, 32 + size - offset + digests);
    server.hashed
}

/// Hazard 21: what has verified is never hashed again.
#[test]
fn every_size_arrives_from_every_offset() {
    let segment = usize::try_from(SEGMENT).unwrap();
    for size in [0, 1, segment - 1, segment, segment + 1, 3 * segment + 5] {
        let contents = file(size);
        let size = size as u64;
        let multiples = (0..=size / SEGMENT).map(|number| number * SEGMENT);
        let odd = [SEGMENT / 3, 2 * SEGMENT + 12_345, size].into_iter();
        for offset in multiples.chain(odd).filter(|offset| *offset <= size) {
            assert_eq!(download(&contents, offset, true), size - offset);
            assert_eq!(download(&contents, offset, false), 0);
        }
    }
}

/// All of a client's requests at once, on one connection.
#[test]
fn pipelined_files_arrive_in_their_order() {
    let sizes = [5_usize, 0, 70_000, 1];
    let names = sizes.map(|size| std::format!("{size}"));
    let requests: Vec<_> = names.iter().map(|name| Request::get(name.as_bytes())).collect();
    let mut client = Client::asking(&requests);
    let mut server = Server::<64>::with(by_size);
    server.hear(NOW, &client.sent);
    server.hear_end(NOW);
    client.hear(NOW, &server.sent);
    let mut seen = client.seen.iter();
    for size in sizes {
        let answer = ResponseHeader { offset: 0, size: size as u64, tag: TAG, verified: true };
        assert_eq!(seen.next(), Some(&Seen::Answered(answer)));
        if size > 0 {
            assert_eq!(seen.next(), Some(&Seen::Contents(file(size))));
            assert_eq!(seen.next(), Some(&Seen::Verified(size as u64)));
        }
        assert_eq!(seen.next(), Some(&Seen::Complete));
    }
    assert_eq!(seen.next(), None);
}
