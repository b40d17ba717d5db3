use std::fs;
use std::sync::LazyLock;

use barewire_core::file::{SegmentDigester, SegmentSize};
use tempfile::TempDir;

use super::*;
use crate::files::{DownloadOptions, Folder};

const TAG: u64 = 7;
const SIZE: u64 = 3 * THREAD_FROM;
/// Read after read, as they come from a connection.
const READ: usize = 60_000;

fn begin(target: &TempDir) -> BackgroundWriter {
    let folder = Folder::open(target.path()).unwrap();
    let download = Download::begin(&folder, b"file", DownloadOptions::default()).unwrap();
    let mut download = BackgroundWriter::new(download);
    while download.check_next(&mut vec![0; 1 << 20]).unwrap() {}
    download
}

/// Contents of `SIZE` bytes that are nowhere the same.
fn contents() -> &'static [u8] {
    static CONTENTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
        (0..SIZE / 4).flat_map(|word| u32::try_from(word).unwrap().to_le_bytes()).collect()
    });
    &CONTENTS
}

/// Writes `from..to` of the contents, of which every MiB verifies.
fn write(download: &mut BackgroundWriter, from: u64, to: u64) -> io::Result<()> {
    let contents = contents();
    let mut at = from;
    while at < to {
        let end = (at / PROVEN + 1) * PROVEN;
        let end = end.min(to);
        for read in contents[to_usize(at)..to_usize(end)].chunks(READ) {
            download.write(read)?;
        }
        download.verified(at, end, &proof(at))?;
        at = end;
    }
    Ok(())
}

const PROVEN: u64 = 1 << 20;

/// The digest of the segment that begins at the offset.
fn proof(start: u64) -> Digest {
    let segment = SegmentSize::MAX.segment(start, SIZE);
    let mut digester = SegmentDigester::new(segment);
    digester.update(&contents()[to_usize(segment.start())..to_usize(segment.end())]);
    digester.finish()
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

fn held(verified: u64) -> Held {
    Held { tag: TAG, size: SIZE, verified }
}

#[test]
fn a_large_file_is_written_by_a_thread() {
    let target = tempfile::tempdir().unwrap();
    let mut download = begin(&target);
    download.start(0, Some(SIZE), TAG).unwrap();
    write(&mut download, 0, THREAD_FROM).unwrap();
    assert!(download.thread.is_none());
    write(&mut download, THREAD_FROM, SIZE).unwrap();
    assert!(download.thread.is_some());
    assert_eq!((download.position(), download.held()), (SIZE, Some(held(SIZE))));
    download.finish().unwrap();
    assert!(fs::read(target.path().join("file")).unwrap() == contents());
    assert_eq!(fs::read_dir(target.path()).unwrap().count(), 1);
}

#[test]
fn what_nothing_proves_is_written_as_well() {
    let target = tempfile::tempdir().unwrap();
    let mut download = begin(&target);
    download.start(0, None, 0).unwrap();
    for read in contents().chunks(READ) {
        download.write(read).unwrap();
    }
    assert_eq!(download.held(), None);
    download.finish().unwrap();
    assert!(fs::read(target.path().join("file")).unwrap() == contents());
}

#[test]
fn after_a_broken_connection_it_goes_on() {
    let target = tempfile::tempdir().unwrap();
    let mut download = begin(&target);
    download.start(0, Some(SIZE), TAG).unwrap();
    let broken_at = THREAD_FROM + 3 * PROVEN;
    write(&mut download, 0, broken_at).unwrap();
    download.write(&[0xFF; 100]).unwrap();
    download.join();
    assert!(download.thread.is_none());
    assert_eq!((download.position(), download.held()), (broken_at + 100, Some(held(broken_at))));
    download.start(broken_at, Some(SIZE), TAG).unwrap();
    write(&mut download, broken_at, SIZE).unwrap();
    download.finish().unwrap();
    assert!(fs::read(target.path().join("file")).unwrap() == contents());
}

#[test]
fn dropped_it_leaves_what_has_verified() {
    let target = tempfile::tempdir().unwrap();
    let mut download = begin(&target);
    download.start(0, Some(SIZE), TAG).unwrap();
    let end = THREAD_FROM + 2 * PROVEN;
    write(&mut download, 0, end).unwrap();
    download.write(&vec![0xFF; READ]).unwrap();
    drop(download);
    assert!(fs::read(target.path().join("file.part")).unwrap() == contents()[..to_usize(end)]);
    assert_eq!(begin(&target).held(), Some(held(end)));
}

#[test]
fn an_error_in_the_thread_comes_back_and_nothing_more_is_taken() {
    let target = tempfile::tempdir().unwrap();
    let mut download = begin(&target);
    download.start(0, Some(SIZE), TAG).unwrap();
    let proven = THREAD_FROM + PROVEN;
    write(&mut download, 0, proven).unwrap();
    // More than was written: the thread finds out.
    download.verified(SIZE - PROVEN, SIZE, &[7; 32]).unwrap();
    let error = (0..=WAITING + 2).find_map(|_| download.write(&vec![1; READ]).err());
    assert_eq!(error.unwrap().kind(), io::ErrorKind::InvalidInput, "it comes soon");
    assert_eq!((download.position(), download.held()), (proven, Some(held(proven))));
    assert!(download.write(&[1]).is_err());
    assert!(download.verified(proven - PROVEN, proven, &[7; 32]).is_err());
    download.start(proven, Some(SIZE), TAG).unwrap();
    write(&mut download, proven, SIZE).unwrap();
    download.finish().unwrap();
    assert!(fs::read(target.path().join("file")).unwrap() == contents());
}

#[test]
fn an_error_that_was_not_told_is_told_at_the_end() {
    for by_start in [true, false] {
        let target = tempfile::tempdir().unwrap();
        let mut download = begin(&target);
        download.start(0, Some(SIZE), TAG).unwrap();
        write(&mut download, 0, THREAD_FROM + PROVEN).unwrap();
        download.verified(SIZE - PROVEN, SIZE, &[7; 32]).unwrap();
        download.join();
        let held_now = download.held();
        assert_eq!(held_now, Some(held(THREAD_FROM + PROVEN)));
        let told = if by_start {
            let told = download.start(0, Some(SIZE), TAG);
            drop(download);
            told
        } else {
            download.finish()
        };
        assert_eq!(told.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert_eq!(begin(&target).held(), held_now);
    }
}

#[test]
fn segments_come_in_any_order_also_to_the_thread() {
    let target = tempfile::tempdir().unwrap();
    let mut download = begin(&target);
    download.fill(SIZE, TAG).unwrap();
    for start in (0..SIZE / PROVEN).rev().map(|number| number * PROVEN) {
        let (middle, end) = (start + PROVEN / 2, start + PROVEN);
        download.write_at(start, &contents()[to_usize(start)..to_usize(middle)]).unwrap();
        download.write_at(middle, &contents()[to_usize(middle)..to_usize(end)]).unwrap();
        download.verified(start, end, &proof(start)).unwrap();
        let mut missing = download.missing();
        assert_eq!(missing.next(), (start > 0).then_some(0..start));
        assert_eq!(missing.next(), None);
    }
    assert!(download.thread.is_some() && download.is_proven());
    assert_eq!(download.position(), SIZE);
    assert_eq!(download.hash().unwrap(), Some(blake3::hash(contents()).into()));
    download.finish().unwrap();
    assert!(fs::read(target.path().join("file")).unwrap() == contents());
}
