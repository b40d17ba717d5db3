//! Digests against the reference implementation, and against its published vectors.

use super::*;
use crate::tests::random::Random;

/// Bytes as the published vectors have them.
fn input(length: usize) -> Vec<u8> {
    (0..251).cycle().take(length).collect()
}

/// The digest of bytes that come in one piece.
fn at_once(segment: Segment, bytes: &[u8]) -> Digest {
    let mut digester = SegmentDigester::new(segment);
    digester.update(bytes);
    digester.finish()
}

/// The digest of bytes that come in pieces of `length`. Where that is no more than a chunk, and the
/// first is not all, only the core's own code is at work.
fn in_pieces(segment: Segment, bytes: &[u8], length: usize) -> Digest {
    let mut digester = SegmentDigester::new(segment);
    for piece in bytes.chunks(length) {
        digester.update(piece);
    }
    digester.finish()
}

fn in_random_pieces(segment: Segment, bytes: &[u8], random: &mut Random) -> Digest {
    let mut digester = SegmentDigester::new(segment);
    let (mut rest, longest) = (bytes, 1 + random.below(1 + bytes.len()));
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.len().min(random.below(longest + 1)));
        digester.update(piece);
        rest = after;
    }
    digester.finish()
}

/// The first 32 bytes of hashes from `test_vectors.json` of the BLAKE3 team.
#[test]
fn the_published_vectors_hold() {
    for (length, hash) in [
        (0, "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
        (1_023, "10108970eeda3eb932baac1428c7a2163b0e924c9a9e25b35bba72b28f70bd11"),
        (1_024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
        (1_025, "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
        (2_048, "e776b6028c7cd22a4d0ba182a8bf62205d2ef576467e838ed6f2529b85fba24a"),
        (2_049, "5f4d72f40d7a5f82b15ca2b2e44b1de3c2ef86c426c95c1af0b6879522563030"),
        (3_072, "b98cb0ff3623be03326b373de6b9095218513e64f1ee2edd2525c7ad1e5cffd2"),
        (4_096, "015094013f57a5277b59d8475c0501042c0b642e531b0a1c8f58d2163229e969"),
        (5_121, "628bd2cb2004694adaab7bbd778a25df25c47b9d4155a55f8fbd79f2fe154cff"),
        (7_169, "a003fc7a51754a9b3c7fae0367ab3d782dccf28855a03d435f8cfe74605e7817"),
    ] {
        let bytes = input(length);
        let segment = SegmentSize::MAX.segment(0, length as u64);
        let expected = blake3::Hash::from_hex(hash).unwrap();
        for digest in [at_once(segment, &bytes), in_pieces(segment, &bytes, 63)] {
            assert_eq!(blake3::Hash::from(digest), expected, "{length} bytes");
        }
        let mut root = RootDigester::<3>::new();
        for (part, start) in bytes.chunks(1_024).zip((0..).step_by(1_024)) {
            let segment = SegmentSize::MIN.segment(start, length as u64);
            root.push(in_pieces(segment, part, 100)).unwrap();
        }
        assert_eq!(root.finish().map(blake3::Hash::from), (length > 0).then_some(expected));
    }
}

#[test]
fn a_file_of_one_segment_has_the_hash_of_its_contents() {
    let bytes = input(5_000);
    for length in
        (0..=5_000).step_by(37).chain(1_000..1_050).chain(2_040..2_060).chain(4_090..4_100)
    {
        let (bytes, segment) = (&bytes[..length], SegmentSize::MAX.segment(0, length as u64));
        let expected = digest(bytes);
        assert_eq!(at_once(segment, bytes), expected, "{length} bytes");
        for piece in [1, 64, 1_023, 1_024, 1_025, 2_048, 4_096] {
            assert_eq!(in_pieces(segment, bytes, piece), expected, "{length} bytes by {piece}");
        }
    }
}

#[test]
fn a_part_of_a_file_has_the_chaining_value_of_its_subtree() {
    let bytes = input(1 << 20);
    for exponent in 0..=10 {
        let size = SegmentSize::new(exponent).unwrap();
        let whole = usize::try_from(size.bytes()).unwrap();
        // Chunks beyond 2^32 too, the counters of which have two words.
        for number in [1, 2, 3, 1_000, (5 << 42) / size.bytes(), (u64::MAX - 1) / size.bytes()] {
            let start = number * size.bytes();
            for length in [1, 1_023, 1_024, 1_025, 3_000, whole - 1, whole] {
                if length > whole || start.checked_add(length as u64).is_none() {
                    continue;
                }
                let bytes = &bytes[..length];
                let segment = size.segment(start, start + length as u64);
                let expected = subtree(start, bytes);
                assert_eq!(at_once(segment, bytes), expected, "{length} bytes from {start}");
                // In small pieces it is slow without optimization.
                let pieces = if length <= 8_192 { &[1_000, 1_024, 5_000][..] } else { &[65_000] };
                for &piece in pieces {
                    let digest = in_pieces(segment, bytes, piece);
                    assert_eq!(digest, expected, "{length} bytes from {start} by {piece}");
                }
            }
        }
    }
}

#[test]
fn the_first_part_of_a_file_is_not_its_root() {
    let bytes = input(4_096);
    for length in [1_024_usize, 2_048, 4_096] {
        let size = SegmentSize::new(u8::try_from((length / 1_024).ilog2()).unwrap()).unwrap();
        let segment = size.segment(0, length as u64 + 1);
        let expected = subtree(0, &bytes[..length]);
        assert_eq!(at_once(segment, &bytes[..length]), expected);
        assert_eq!(in_pieces(segment, &bytes[..length], 999), expected);
        assert_ne!(expected, digest(&bytes[..length]));
    }
}

#[test]
fn the_cutting_of_the_bytes_never_matters() {
    let bytes = input(1 << 20);
    for seed in 1..=300 {
        let mut random = Random::new(seed);
        let largest = if seed % 50 == 0 { 10 } else { 5 };
        let size = SegmentSize::new(u8::try_from(random.below(largest + 1)).unwrap()).unwrap();
        let length = 1 + random.below(usize::try_from(size.bytes()).unwrap());
        let start = random.below(4) as u64 * size.bytes();
        let bytes = &bytes[..length];
        let segment = size.segment(start, start + length as u64);
        std::println!("seed {seed}: {segment:?}");
        let expected = if start == 0 { digest(bytes) } else { subtree(start, bytes) };
        assert_eq!(in_random_pieces(segment, bytes, &mut random), expected);
    }
}

#[test]
fn more_than_the_segment_has_is_not_looked_at() {
    let bytes = input(3_000);
    let segment = SegmentSize::new(1).unwrap().segment(2_048, 9_999);
    let expected = subtree(2_048, &bytes[..2_048]);
    assert_eq!(at_once(segment, &bytes), expected);
    assert_eq!(in_pieces(segment, &bytes, 700), expected);
}

#[test]
fn the_digests_of_all_segments_give_the_hash_of_any_file() {
    let bytes = input(70 * 1_024);
    for count in 1..=70 {
        for missing in [0, 1, 500, 1_023] {
            let bytes = &bytes[..count * 1_024 - missing];
            let mut root = RootDigester::<7>::new();
            for (part, start) in bytes.chunks(1_024).zip((0..).step_by(1_024)) {
                let segment = SegmentSize::MIN.segment(start, bytes.len() as u64);
                root.push(at_once(segment, part)).unwrap();
            }
            assert_eq!(root.finish(), Some(digest(bytes)), "{count} segments");
        }
    }
}

#[test]
fn a_root_takes_as_many_segments_as_its_depth_allows() {
    fn holds<const DEPTH: usize>(count: usize) {
        let bytes = input(count * 1_024);
        let mut root = RootDigester::<DEPTH>::new();
        assert_eq!(root.finish(), None);
        for (part, start) in bytes.chunks(1_024).zip((0..).step_by(1_024)) {
            let segment = SegmentSize::MIN.segment(start, bytes.len() as u64);
            root.push(at_once(segment, part)).unwrap();
        }
        assert_eq!(root.push([9; 32]), Err([9; 32]));
        assert_eq!(root.finish(), Some(digest(&bytes)), "what had no room changes nothing");
    }
    holds::<0>(1);
    holds::<1>(2);
    holds::<2>(4);
    holds::<5>(32);
}
