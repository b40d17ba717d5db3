//! Tests of what is read of a file, and of what is seen of its changes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use tempfile::TempDir;

use super::*;

fn opened(contents: &str) -> (TempDir, File, ServedFile) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, contents).unwrap();
    let file = File::options().append(true).open(&path).unwrap();
    // Old, so that whatever is written next shows, however coarse the clock is.
    file.set_modified(SystemTime::now() - Duration::from_mins(1)).unwrap();
    let opened = open(&path);
    (folder, file, opened)
}

fn open(path: &Path) -> ServedFile {
    let fd = OwnedFd::from(File::open(path).unwrap());
    let seen = Version::read(&fd).unwrap();
    let file_system = FileSystem::of(&fd).unwrap();
    ServedFile::new(fd, file_system, seen)
}

#[test]
fn it_is_read_from_anywhere() {
    let (_folder, _file, opened) = opened("contents");
    let mut buffer = [0; 4];
    assert_eq!(opened.read_at(3, &mut buffer).unwrap(), 4);
    assert_eq!(&buffer, b"tent");
    assert_eq!(opened.read_at(7, &mut buffer).unwrap(), 1);
    assert_eq!(opened.read_at(8, &mut buffer).unwrap(), 0);
}

#[test]
fn a_log_may_grow_all_the_time() {
    let (_folder, mut file, mut opened) = opened("line\n");
    assert_eq!(opened.check().unwrap(), FileChange::Unchanged);
    for _ in 0..3 {
        file.write_all(b"line\n").unwrap();
        assert_eq!(opened.check().unwrap(), FileChange::Grown);
        assert_eq!(opened.check().unwrap(), FileChange::Grown);
    }
    assert_eq!(opened.size(), 5);
}

#[test]
fn shrinking_is_a_change_that_stays() {
    let (_folder, mut file, mut opened) = opened("line\n");
    file.set_len(4).unwrap();
    assert_eq!(opened.check().unwrap(), FileChange::Changed);
    file.write_all(b"\n").unwrap();
    assert_eq!(opened.check().unwrap(), FileChange::Changed);
}

#[test]
fn so_is_shrinking_after_it_has_grown() {
    for left in [3, 5, 7] {
        let (_folder, mut file, mut opened) = opened("line\n");
        file.write_all(b"line\n").unwrap();
        assert_eq!(opened.check().unwrap(), FileChange::Grown);
        file.set_len(left).unwrap();
        assert_eq!(opened.check().unwrap(), FileChange::Changed);
    }
}

#[test]
fn so_is_rewriting_without_growing() {
    let (folder, _file, mut opened) = opened("line\n");
    fs::write(folder.path().join("file"), "LINE\n").unwrap();
    assert_eq!(opened.check().unwrap(), FileChange::Changed);
}

#[test]
fn so_is_rewriting_longer_where_it_was_marked() {
    let whole = "line\n".repeat(40_000);
    for (place, expected) in
        [(0, FileChange::Changed), (199_999, FileChange::Changed), (100_000, FileChange::Grown)]
    {
        let (folder, mut file, mut opened) = opened(&whole);
        opened.mark().unwrap();
        file.write_all(b"line\n").unwrap();
        assert_eq!(opened.check().unwrap(), FileChange::Grown);
        let mut other = whole.clone();
        other.replace_range(place..=place, "x");
        fs::write(folder.path().join("file"), other + "two\nlines\n").unwrap();
        opened.mark().unwrap();
        assert_eq!(opened.check().unwrap(), expected, "{place}");
        assert_eq!(opened.check().unwrap(), expected, "{place}");
    }
}

#[test]
fn what_is_rewritten_and_its_time_set_back_is_touched() {
    for is_marked in [false, true] {
        let (folder, file, mut opened) = opened("line\n");
        if is_marked {
            opened.mark().unwrap();
        }
        let modified = file.metadata().unwrap().modified().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "LINE\n").unwrap();
        File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        let expected = if is_marked { FileChange::Changed } else { FileChange::Touched };
        assert_eq!(opened.check().unwrap(), expected);
        assert_eq!(opened.check().unwrap(), expected, "it stays so");
    }
}

#[test]
fn a_rename_over_it_and_its_removal_leave_its_contents() {
    let (folder, _file, mut opened) = opened("line\n");
    opened.mark().unwrap();
    fs::write(folder.path().join("new"), "new").unwrap();
    fs::rename(folder.path().join("new"), folder.path().join("file")).unwrap();
    assert_eq!(opened.check().unwrap(), FileChange::Touched);
    let mut buffer = [0; 8];
    assert_eq!(opened.read_at(0, &mut buffer).unwrap(), 5);
}

/// What is not in memory is told from what is, where the file system can tell; and all of it is where
/// it has just been read.
#[test]
fn what_is_not_in_memory_shows() {
    let (_folder, file, opened) = opened(&"x".repeat(1 << 20));
    assert!(opened.is_cached(0, 1 << 20));
    file.sync_all().unwrap();
    let advice = PosixFadviseAdvice::POSIX_FADV_DONTNEED;
    posix_fadvise(&file, 0, 0, advice).unwrap();
    let mut buffer = [0; 4096];
    let tells = match sys::read_cached(&opened.file, &mut buffer, 0) {
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        Ok(_) => false,
    };
    assert_eq!(opened.is_cached(0, 1 << 20), !tells);
    assert_eq!(opened.read_cached(4096, &mut buffer).is_err(), tells);
    for offset in (0..1 << 20).step_by(4096) {
        assert_eq!(opened.read_at(offset, &mut buffer).unwrap(), 4096);
    }
    assert!(opened.is_cached(0, 1 << 20));
    assert_eq!(opened.read_cached(4096, &mut buffer).unwrap(), 4096);
    assert!(opened.is_cached(1 << 20, 2 << 20), "there is nothing to wait for behind the end");
}

#[test]
fn what_another_machine_has_is_waited_for_by_others() {
    let remote = ServedFile::from_bytes(b"contents").unwrap().with_file_system(FileSystem::Remote);
    assert!(remote.is_remote() && remote.may_wait() && !remote.is_cached(0, 8));
    let error = remote.read_cached(0, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(remote.read_at(0, &mut [0]).unwrap(), 1);
}

#[test]
fn bytes_are_a_file_like_any_other() {
    let mut first = ServedFile::from_bytes(b"a listing").unwrap();
    let second = ServedFile::from_bytes(b"a listing").unwrap();
    let third = ServedFile::from_bytes(b"another").unwrap();
    assert_eq!((first.size(), first.check().unwrap()), (9, FileChange::Unchanged));
    assert_eq!(first.tag(), second.tag());
    assert_ne!(first.tag(), third.tag());
    let mut buffer = [0; 16];
    assert_eq!(first.read_at(2, &mut buffer).unwrap(), 7);
    assert_eq!(&buffer[..7], b"listing");
    assert_eq!(ServedFile::from_bytes(b"").unwrap().size(), 0);
}
