//! Tests of what is remembered, and of what must not be.

use std::fs::{self, File};
use std::thread;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use barewire_core::file::{RootDigester, SegmentSize};

use super::*;
use crate::files::Root;
use crate::files::file_system::FileSystem;

fn file(contents: &[u8]) -> (TempDir, ServedFile) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), contents).unwrap();
    let opened = Root::open(folder.path()).unwrap().open_file(b"file").unwrap();
    (folder, opened)
}

/// A time at which what has been written until now is settled.
fn later() -> FileTime {
    FileTime::now().plus_seconds(SETTLED_SECONDS + 1)
}

fn whole(opened: &ServedFile) -> Segment {
    SegmentSize::MAX.segment(0, opened.size())
}

/// The digest of all of the file, and how many reads it took.
fn of(digests: &DigestCache, now: FileTime, opened: &ServedFile) -> (Digest, u32) {
    let mut reads = 0;
    let digest = digests.of_at(now, opened, whole(opened), &mut [0; 4], |offset, piece| {
        reads += 1;
        opened.read_at(offset, piece)
    });
    (digest.unwrap(), reads)
}

#[test]
fn it_is_the_digest_of_the_segment() {
    let contents: Vec<u8> = (0..5000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let (_folder, opened) = file(&contents);
    let digests = DigestCache::default();
    let of = |size: SegmentSize, offset| {
        digests.of(&opened, size.segment(offset, 5000), &mut [0; 700]).unwrap()
    };
    assert_eq!(of(SegmentSize::MAX, 0), *blake3::hash(&contents).as_bytes());
    let mut root = RootDigester::<8>::new();
    for offset in (0..5000).step_by(1024) {
        root.push(of(SegmentSize::MIN, offset)).unwrap();
    }
    assert_eq!(root.finish(), Some(*blake3::hash(&contents).as_bytes()));
}

#[test]
fn it_is_computed_once() {
    let (folder, opened) = file(b"contents");
    let digests = DigestCache::new(10);
    let (first, reads) = of(&digests, later(), &opened);
    assert_eq!(reads, 2);
    assert_eq!(of(&digests, later(), &opened), (first, 0));
    // For whoever opens it next, too.
    let again = Root::open(folder.path()).unwrap().open_file(b"file").unwrap();
    assert_eq!(of(&digests, later(), &again), (first, 0));
}

/// The digest of what `contents` say that the file holds now.
fn at(digests: &DigestCache, now: FileTime, opened: &ServedFile, contents: &[u8]) -> Digest {
    let read = |offset: u64, piece: &mut [u8]| {
        let rest = contents.split_at(usize::try_from(offset).unwrap()).1;
        let count = rest.len().min(piece.len());
        piece[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    };
    digests.of_at(now, opened, whole(opened), &mut [0; 4], read).unwrap()
}

/// What is written through a mapping may leave the file's times as they are. Its digests are another's then,
/// but not for long.
#[test]
fn what_changes_without_a_sign_is_hashed_anew_in_time() {
    let since = later();
    let [before, after] =
        [b"contents", b"CONTENTS"].map(|contents| *blake3::hash(contents).as_bytes());
    let (_folder, opened) = file(b"contents");
    let [on_disk, in_memory, remote] = [FileSystem::Disk, FileSystem::Memory, FileSystem::Remote]
        .map(|file_system| opened.again().with_file_system(file_system));
    let last = on_disk.version().unwrap().changed;
    let ages_later = since.plus_seconds(10 * WRITTEN_BACK_SECONDS);
    for (opened, since) in [
        (&on_disk, since),
        (&on_disk, last.plus_seconds(WRITTEN_BACK_SECONDS - 1)),
        (&in_memory, ages_later),
        (&remote, ages_later),
    ] {
        let digests = DigestCache::new(10);
        let at = |seconds, contents| at(&digests, since.plus_seconds(seconds), opened, contents);
        assert_eq!(at(0, b"contents"), before);
        assert_eq!(at(LIFETIME_SECONDS - 1, b"CONTENTS"), before);
        assert_eq!(at(LIFETIME_SECONDS, b"CONTENTS"), after);
        // That one's time begins anew.
        assert_eq!(at(2 * LIFETIME_SECONDS - 1, b"contents"), after);
        // Nor does a clock that is set back make it last.
        assert_eq!(at(0, b"contents"), before);
    }
}

/// Nothing is dirty there any more that somebody has mapped.
#[test]
fn what_was_written_back_long_ago_is_hashed_once() {
    let (_folder, opened) = file(b"contents");
    let opened = opened.with_file_system(FileSystem::Disk);
    let digests = DigestCache::new(10);
    let now = opened.version().unwrap().changed.plus_seconds(WRITTEN_BACK_SECONDS);
    let digest = at(&digests, now, &opened, b"contents");
    let much_later = now.plus_seconds(1 << 30);
    assert_eq!(at(&digests, much_later, &opened, b"CONTENTS"), digest);
}

#[test]
fn a_file_that_has_just_been_written_is_not_trusted() {
    let (_folder, opened) = file(b"contents");
    let digests = DigestCache::new(10);
    assert_eq!(of(&digests, FileTime::now(), &opened).1, 2);
    assert_eq!(of(&digests, later(), &opened).1, 2);
    assert_eq!(of(&digests, later(), &opened).1, 0);
}

#[test]
fn nor_one_that_only_claims_to_be_old() {
    let (folder, opened) = file(b"contents");
    let file = File::options().write(true).open(folder.path().join("file")).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
    let digests = DigestCache::new(10);
    assert_eq!(of(&digests, FileTime::now(), &opened).1, 2);
    assert_eq!(of(&digests, FileTime::now(), &opened).1, 2);
}

#[test]
fn nor_one_of_the_future() {
    let (folder, opened) = file(b"contents");
    let file = File::options().write(true).open(folder.path().join("file")).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_mins(1)).unwrap();
    let digests = DigestCache::new(10);
    assert_eq!(of(&digests, later(), &opened).1, 2);
    assert_eq!(of(&digests, later(), &opened).1, 2);
}

#[test]
fn a_new_version_has_a_digest_of_its_own() {
    let (folder, opened) = file(b"contents");
    let digests = DigestCache::new(10);
    let old = of(&digests, later(), &opened).0;
    fs::write(folder.path().join("file"), "CONTENTS").unwrap();
    let (new, reads) = of(&digests, later(), &opened);
    assert_eq!((new, reads), (*blake3::hash(b"CONTENTS").as_bytes(), 2));
    assert_ne!(new, old);
}

#[test]
fn nor_one_that_is_written_to_while_it_is_read() {
    let (folder, opened) = file(b"contents");
    let digests = DigestCache::new(10);
    let mut written = false;
    digests
        .of_at(later(), &opened, whole(&opened), &mut [0; 4], |offset, piece| {
            let count = opened.read_at(offset, piece)?;
            if !written {
                written = true;
                fs::write(folder.path().join("file"), "CONTENTS")?;
            }
            Ok(count)
        })
        .unwrap();
    assert_eq!(of(&digests, later(), &opened), (*blake3::hash(b"CONTENTS").as_bytes(), 2));
}

#[test]
fn a_file_that_ends_before_is_an_error() {
    let (_folder, opened) = file(b"contents");
    let digests = DigestCache::new(10);
    let error = |offset, size, buffer: &mut [u8]| {
        let segment = SegmentSize::MIN.segment(offset, size);
        digests.of(&opened, segment, buffer).unwrap_err().kind()
    };
    assert_eq!(error(0, 9, &mut [0; 4]), io::ErrorKind::UnexpectedEof);
    assert_eq!(error(2048, 2049, &mut [0; 4]), io::ErrorKind::UnexpectedEof);
    assert_eq!(error(0, 1, &mut []), io::ErrorKind::InvalidInput);
}

#[test]
fn it_is_bounded() {
    let (folder, _) = file(b"");
    let sparse = File::options().write(true).open(folder.path().join("file")).unwrap();
    sparse.set_len(100 << 20).unwrap();
    let opened = Root::open(folder.path()).unwrap().open_file(b"file").unwrap();
    let digests = DigestCache::new(20);
    let mut buffer = vec![0; 1 << 20];
    for number in 0..100 {
        // It need not be read to be digested.
        let read = |_, piece: &mut [u8]| Ok(piece.len());
        let segment = SegmentSize::MAX.segment(number << 20, opened.size());
        digests.of_at(later(), &opened, segment, &mut buffer, read).unwrap();
    }
    assert!((10..=30).contains(&digests.cache.len()), "{digests:?}");
}

/// A thousand times as many as of the largest there may be.
#[test]
fn small_segments_of_large_files_are_not_kept() {
    let contents = vec![7; 5000];
    let (_folder, opened) = file(&contents);
    let digests = DigestCache::new(10);
    let get = |segment| {
        let version = opened.version().unwrap();
        digests.get_at(later(), Key { version, segment })
    };
    let of = |offset| {
        let segment = SegmentSize::MIN.segment(offset, 5000);
        let read = |offset, piece: &mut [u8]| opened.read_at(offset, piece);
        digests.of_at(later(), &opened, segment, &mut [0; 4096], read).unwrap();
        get(segment)
    };
    assert_eq!((of(0), of(1024), of(4096)), (None, None, None));
    let whole = whole(&opened);
    assert_eq!(get(whole), None);
    digests
        .of_at(later(), &opened, whole, &mut [0; 4096], |offset, piece| {
            opened.read_at(offset, piece)
        })
        .unwrap();
    assert!(get(whole).is_some());
}

#[test]
fn segments_in_a_row_have_the_digests_that_they_have_alone() {
    let contents: Vec<u8> = (0..50_000_u32).flat_map(u32::to_le_bytes).collect();
    let (_folder, opened) = file(&contents);
    let digests = DigestCache::new(10);
    let mut buffer = vec![0; 1 << 20];
    for (exponent, start, end) in [(0, 1024, 5 << 10), (2, 0, 200_000), (10, 0, 200_000), (8, 0, 0)]
    {
        let size = SegmentSize::new(exponent).unwrap();
        let row = Row { size, start, end };
        let digested = digests.of_row(&opened, row, &mut buffer).unwrap();
        let alone: Vec<_> = row
            .segments(200_000)
            .map(|segment| digests.of(&opened, segment, &mut [0; 700]).unwrap())
            .collect();
        assert_eq!(*digested, *alone, "{row:?}");
    }
    let row = Row { size: SegmentSize::MIN, start: 199_680, end: 200_001 };
    let error = digests.of_row(&opened, row, &mut buffer).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn threads_share_it() {
    let (_folder, opened) = file(b"contents");
    let digests = DigestCache::new(10);
    let (digests, opened) = (&digests, &opened);
    let all = thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(move || of(digests, later(), opened).0));
        threads.map(|thread| thread.join().unwrap())
    });
    assert_eq!(all, [*blake3::hash(b"contents").as_bytes(); 4]);
}
