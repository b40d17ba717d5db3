//! Tests of what is remembered, and of what must not be.

use std::fs::{self, File};
use std::thread;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;
use crate::files::Root;

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

/// The digest of all of the file, and how many reads it took.
fn of(digests: &DigestCache, now: FileTime, opened: &ServedFile) -> ([u8; 32], u32) {
    let mut reads = 0;
    let digest = digests.of_at(now, opened, 0, opened.size(), &mut [0; 4], |offset, piece| {
        reads += 1;
        opened.read_at(offset, piece)
    });
    (digest.unwrap(), reads)
}

#[test]
fn it_is_the_digest_of_the_range() {
    let (_folder, opened) = file(b"some contents");
    let digests = DigestCache::default();
    let ranges: [(u64, &[u8]); 4] =
        [(0, b"some contents"), (5, b"contents"), (5, b"con"), (13, b"")];
    for (offset, range) in ranges {
        let digest = digests.of(&opened, offset, range.len() as u64, &mut [0; 4]).unwrap();
        assert_eq!(digest, *blake3::hash(range).as_bytes());
    }
}

#[test]
fn it_is_computed_once() {
    let (folder, opened) = file(b"contents");
    let digests = DigestCache::new(10);
    let (first, reads) = of(&digests, later(), &opened);
    assert_eq!(reads, 2);
    assert_eq!(of(&digests, later(), &opened), (first, 0));
    // For whoever opens it next, too; but not for another range.
    let again = Root::open(folder.path()).unwrap().open_file(b"file").unwrap();
    assert_eq!(of(&digests, later(), &again), (first, 0));
    let part = digests.of(&opened, 0, 4, &mut [0; 4]).unwrap();
    assert_ne!(part, first);
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
        .of_at(later(), &opened, 0, 8, &mut [0; 4], |offset, piece| {
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
    let error = |offset, length, buffer: &mut [u8]| {
        digests.of(&opened, offset, length, buffer).unwrap_err().kind()
    };
    assert_eq!(error(4, 5, &mut [0; 4]), io::ErrorKind::UnexpectedEof);
    assert_eq!(error(100, 1, &mut [0; 4]), io::ErrorKind::UnexpectedEof);
    assert_eq!(error(u64::MAX, 1, &mut [0; 4]), io::ErrorKind::InvalidInput);
    assert_eq!(error(0, u64::MAX, &mut [0; 4]), io::ErrorKind::InvalidInput);
    assert_eq!(error(0, 1, &mut []), io::ErrorKind::InvalidInput);
}

#[test]
fn it_is_bounded() {
    let contents = vec![7; 1000];
    let (_folder, opened) = file(&contents);
    let digests = DigestCache::new(100);
    for offset in 0..1000 {
        let read = |offset, piece: &mut [u8]| opened.read_at(offset, piece);
        digests.of_at(later(), &opened, offset, 1, &mut [0], read).unwrap();
    }
    assert!(digests.cache.len() <= 120, "{digests:?}");
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
