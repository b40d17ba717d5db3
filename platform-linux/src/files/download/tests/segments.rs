//! Tests of segments that are written, proven and forgotten in any order.

use super::*;

/// All of a segment of the contents.
fn segment(number: u64) -> &'static [u8] {
    let (start, end, _) = proof(number, CONTENTS);
    &CONTENTS[to_usize(start)..to_usize(end)]
}

/// A download of which these segments are proven, in that order.
fn with(fixture: &Fixture, segments: &[u64]) -> Download {
    let mut download = fixture.begin();
    download.fill(SIZE, TAG).unwrap();
    for number in segments {
        download.write_at(number * SEGMENT, segment(*number)).unwrap();
        download.prove(*number);
    }
    download
}

fn missing(download: &Download) -> Vec<Range<u64>> {
    download.missing().collect()
}

#[test]
fn segments_come_in_any_order() {
    let fixture = Fixture::new();
    let mut download = with(&fixture, &[2, 0]);
    assert_eq!(missing(&download), [SEGMENT..2 * SEGMENT, 3 * SEGMENT..SIZE]);
    assert_eq!(download.held(), Some(held(1)));
    // Two connections at once, in pieces.
    let (first, last) = (segment(1), segment(3));
    download.write_at(SEGMENT, &first[..500]).unwrap();
    download.write_at(3 * SEGMENT, &last[..100]).unwrap();
    download.write_at(SEGMENT + 500, &first[500..]).unwrap();
    download.prove(1);
    assert_eq!(download.finish().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);

    let mut download = fixture.begin();
    assert_eq!(missing(&download), std::slice::from_ref(&(3 * SEGMENT..SIZE)));
    download.fill(SIZE, TAG).unwrap();
    download.write_at(3 * SEGMENT, last).unwrap();
    download.prove(3);
    assert!(download.is_proven());
    assert_eq!((download.position(), missing(&download).len()), (SIZE, 0));
    assert_eq!(download.hash().unwrap(), Some(blake3::hash(CONTENTS).into()));
    download.finish().unwrap();
    fixture.assert_done();
}

#[test]
fn a_segment_is_written_from_its_beginning_on_and_what_is_proven_is_not_overwritten() {
    let fixture = Fixture::new();
    let mut download = with(&fixture, &[1]);
    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    for (offset, bytes) in [
        (1, &b"in the middle"[..]),
        (SEGMENT, b"proven"),
        (SEGMENT - 1, b"and into it"),
        (0, &CONTENTS[..1025]),
        (SIZE - 1, b"too much"),
        (u64::MAX, b"by far"),
    ] {
        assert_eq!(kind(download.write_at(offset, bytes)), io::ErrorKind::InvalidInput);
    }
    download.write_at(0, b"some").unwrap();
    assert_eq!(kind(download.write_at(3, b"over it")), io::ErrorKind::InvalidInput);
    assert_eq!(kind(download.write_at(5, b"with a hole")), io::ErrorKind::InvalidInput);
    // From another server, once the first has failed.
    download.write_at(0, segment(0)).unwrap();
    download.prove(0);
    assert_eq!(fs::read(fixture.path("file.part")).unwrap(), to(2 * SEGMENT));
}

#[test]
fn the_digests_of_what_is_held_are_there_to_be_compared() {
    let fixture = Fixture::new();
    let download = with(&fixture, &[3, 1]);
    let digests: io::Result<Vec<_>> = download.digests().collect();
    assert_eq!(digests.unwrap(), [proof(1, CONTENTS), proof(3, CONTENTS)]);
    assert_eq!(download.hash().unwrap(), None, "not all of it");
    let journal = fs::File::options().write(true).open(fixture.path("file.part.journal"));
    journal.unwrap().set_len(600).unwrap();
    let told: Vec<_> = download.digests().collect();
    assert_eq!(told.last().unwrap().as_ref().unwrap_err().kind(), io::ErrorKind::InvalidData);
}

#[test]
fn what_is_forgotten_is_missing_also_in_the_next_run() {
    let fixture = Fixture::new();
    let mut download = with(&fixture, &[0, 1, 2, 3]);
    download.forget(SEGMENT, SEGMENT + 1).unwrap();
    download.forget(SIZE - 1, u64::MAX).unwrap();
    let rest = [SEGMENT..2 * SEGMENT, 3 * SEGMENT..SIZE];
    assert_eq!(missing(&download), rest);
    assert_eq!(download.finish().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    let mut download = fixture.begin();
    assert_eq!(missing(&download), rest);
    download.fill(SIZE, TAG).unwrap();
    for number in [1, 3] {
        download.write_at(number * SEGMENT, segment(number)).unwrap();
        download.prove(number);
    }
    download.finish().unwrap();
    fixture.assert_done();
}

#[test]
fn what_came_in_order_and_is_forgotten_is_missing_too() {
    let fixture = Fixture::new();
    let mut download = fixture.begin();
    download.start(0, Some(SIZE), TAG).unwrap();
    download.write(CONTENTS).unwrap();
    download.prove_all();
    download.forget(SEGMENT, SEGMENT + 1).unwrap();
    assert_eq!(download.position(), SEGMENT);
    assert_eq!(download.finish().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn what_lies_behind_a_hole_is_forgotten_when_contents_come_in_order() {
    let fixture = Fixture::new();
    let mut download = with(&fixture, &[0, 2]);
    download.start(SEGMENT, Some(SIZE), TAG).unwrap();
    assert_eq!(missing(&download), std::slice::from_ref(&(SEGMENT..SIZE)));
    download.kill();
    assert_eq!(fixture.begin().missing().next(), Some(SEGMENT..SIZE));
    fixture.begin().complete().unwrap();
    fixture.assert_done();
}

#[test]
fn another_version_is_begun_anew() {
    let fixture = Fixture::new();
    for (size, tag) in [(SIZE, TAG + 1), (SIZE + 1, TAG)] {
        let mut download = with(&fixture, &[0, 2]);
        download.fill(size, tag).unwrap();
        assert_eq!(download.held(), None);
        assert_eq!(missing(&download), std::slice::from_ref(&(0..size)));
    }
}

#[test]
fn another_sources_tag_says_nothing_until_all_digests_were_compared() {
    let fixture = Fixture::new();
    with(&fixture, &[0, 1]).kill();
    let other = options().with_source(b"other", b"name");
    assert_ne!(other.source, options().source);
    let mut download = fixture.try_begin(other).unwrap();
    assert_eq!(download.held(), Some(Held { tag: 0, ..held(2) }));
    let refused = download.start(2 * SEGMENT, Some(SIZE), TAG).unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
    assert_eq!(download.adopt(0).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    download.forget(SEGMENT, 2 * SEGMENT).unwrap();
    download.adopt(5).unwrap();
    assert_eq!(download.held(), Some(Held { tag: 5, ..held(1) }));
    download.kill();
    let download = fixture.try_begin(other).unwrap();
    assert_eq!(download.held(), Some(Held { tag: 5, ..held(1) }));
    // What is begun without a comparison is begun anew.
    drop(download);
    let mut download = fixture.begin();
    download.fill(SIZE, 5).unwrap();
    assert_eq!(download.held(), None);
}
