//! Tests of what may already have the names that a download needs.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{chown, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;

use barewire_core::file::SegmentSize;
use nix::sys::stat::Mode as FifoMode;
use nix::unistd::mkfifo;

use super::*;
use crate::files::storage::FileId;
use crate::files::{Download, DownloadOptions, Folder};

/// Two segments, so that it has a part with a name.
const SIZE: u64 = 2000;

/// Downloads a file, once as all are, and once as a small one.
fn download(folder: &Path, name: &str) -> io::Result<()> {
    let whole = vec![7; 2000];
    try_download(folder, name, &whole)?;
    fs::remove_file(folder.join(name))?;
    try_download(folder, name, &whole[..1000])
}

fn try_download(folder: &Path, name: &str, whole: &[u8]) -> io::Result<()> {
    let target = Folder::open(folder)?;
    let options = DownloadOptions::new().with_segment_size(SegmentSize::MIN);
    let mut download = Download::begin(&target, name.as_bytes(), options)?;
    download.start(0, Some(whole.len() as u64), 77)?;
    download.write(whole)?;
    download.finish()?;
    assert_eq!(fs::read(folder.join(name))?, whole);
    Ok(())
}

#[test]
fn two_at_once_do_not_meet() {
    let folder = tempfile::tempdir().unwrap();
    let target = Folder::open(folder.path()).unwrap();
    let first = Part::claim_named(&target, b"file").unwrap();
    let error = Part::claim_named(&target, b"file").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(error.to_string(), "another download of it is under way");
    Part::claim_named(&target, b"other").unwrap();
    drop(first);
    Part::claim_named(&target, b"file").unwrap();
}

#[test]
fn what_is_not_this_programs_is_left_as_it_is() {
    for (part, journal) in [(true, false), (false, true)] {
        for kind in ["file", "empty", "link", "dangling", "folder", "fifo", "socket", "hard link"] {
            if journal && kind == "empty" {
                continue;
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join(if part { "a.part" } else { "a.part.journal" });
            let victim = folder.path().join("victim");
            fs::write(&victim, "untouched").unwrap();
            match kind {
                "file" => fs::write(&path, "another's").unwrap(),
                "empty" => fs::write(&path, "").unwrap(),
                "link" => symlink("victim", &path).unwrap(),
                "dangling" => symlink("gone", &path).unwrap(),
                "folder" => fs::create_dir(&path).unwrap(),
                "fifo" => mkfifo(&path, FifoMode::S_IRWXU).unwrap(),
                "socket" => drop(UnixListener::bind(&path).unwrap()),
                _ => fs::hard_link(&victim, &path).unwrap(),
            }
            let before = fs::symlink_metadata(&path).unwrap();
            download(folder.path(), "a").unwrap();
            let after = fs::symlink_metadata(&path).unwrap();
            assert_eq!(before.modified().unwrap(), after.modified().unwrap(), "{kind}");
            assert_eq!(before.file_type(), after.file_type(), "{kind}");
            assert_eq!(fs::read(&victim).unwrap(), b"untouched", "{kind}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "{kind}");
        }
    }
}

#[test]
fn files_that_are_really_called_so_survive_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.part", "a.part.journal", "a", "a.2.part"] {
        download(folder.path(), name).unwrap();
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn another_users_part_is_left_in_a_folder_for_everybody() {
    if !nix::unistd::geteuid().is_root() {
        crate::testing::not_tried("what another user has begun to download: only root can");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.part", "a.part.journal"] {
        fs::write(folder.path().join(name), "").unwrap();
        chown(folder.path().join(name), Some(1), None).unwrap();
    }
    download(folder.path(), "a").unwrap();
    assert_eq!(fs::read(folder.path().join("a.part")).unwrap(), b"");
    // Where everything has one owner, whoever works there, it is one's own.
    chown(folder.path(), Some(1), None).unwrap();
    fs::remove_file(folder.path().join("a")).unwrap();
    download(folder.path(), "a").unwrap();
    assert!(!folder.path().join("a.part").exists());
}

#[test]
fn a_part_is_known_again_by_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("a.part"), "old").unwrap();
    fs::write(path.join("a.part.journal"), "BWp").unwrap();
    download(path, "a").unwrap();
    assert_eq!(fs::read_dir(path).unwrap().count(), 1);

    // A journal that speaks of another file.
    let target = Folder::open(path).unwrap();
    let options = DownloadOptions::new().with_segment_size(SegmentSize::MIN);
    let mut left = Download::begin(&target, b"b", options).unwrap();
    left.start(0, Some(SIZE), 77).unwrap();
    left.write(&[7; 1024]).unwrap();
    left.verified(0, 1024, &[7; 32]).unwrap();
    drop(left);
    fs::write(path.join("other"), "another's").unwrap();
    fs::rename(path.join("other"), path.join("b.part")).unwrap();
    download(path, "b").unwrap();
    assert_eq!(fs::read(path.join("b.part")).unwrap(), b"another's");
}

#[test]
fn a_kill_while_it_is_made_or_named_leaves_nothing_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    // After the journal; after the part.
    fs::write(path.join("a.part.journal"), "").unwrap();
    download(path, "a").unwrap();
    fs::write(path.join("b.part.journal"), "").unwrap();
    fs::write(path.join("b.part"), "").unwrap();
    download(path, "b").unwrap();
    assert_eq!(fs::read_dir(path).unwrap().count(), 2);

    // After the link to the final name.
    fs::write(path.join("c.part"), "whole").unwrap();
    fs::write(path.join("c.part.journal"), "").unwrap();
    fs::hard_link(path.join("c.part"), path.join("c")).unwrap();
    let target = Folder::open(path).unwrap();
    let options = DownloadOptions::new().with_force(true);
    drop(Download::begin(&target, b"c", options).unwrap());
    assert_eq!(fs::read(path.join("c")).unwrap(), b"whole");
    assert_eq!(fs::read_dir(path).unwrap().count(), 3);
}

#[test]
fn one_that_has_finished_meanwhile_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let target = Folder::open(path).unwrap();
    let first = Part::claim_named(&target, b"a").unwrap();
    let late = target.open_existing(b"a.part").unwrap();
    fs::rename(path.join("a.part"), path.join("a")).unwrap();
    drop(first);
    lock(&late).unwrap();
    // Whoever gets the lock now has the finished file, and must look for another part.
    drop(late);
    let second = Part::claim_named(&target, b"a").unwrap();
    assert!(!second.file.status().unwrap().is_same(&target.look(b"a").unwrap().unwrap()));
}

#[test]
fn names_of_any_length_have_a_part() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a".repeat(255), "你".repeat(85), "b".repeat(243), "c".repeat(240)] {
        download(folder.path(), &name).unwrap();
    }
    let error = download(folder.path(), &"a".repeat(256)).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidFilename);
    for name in ["", ".", "..", "a/b", "/a", "../a", "a\0"] {
        let error = download(folder.path(), name).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{name:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn a_file_is_anothers_only_where_that_can_be_known() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a"), "contents").unwrap();
    let mut status = Folder::open(folder.path()).unwrap().look(b"a").unwrap().unwrap();
    status.id = FileId { inode: 1, born: 10 };
    let part = |inode, born| JournalRecord {
        tag: 77,
        size: 8,
        segment_size: SegmentSize::MAX,
        generation: 1,
        part: FileId { inode, born },
        source: [0; 32],
        seal: None,
    };
    assert!(speaks_of_another(&part(1, 11), &status));
    assert!(speaks_of_another(&part(2, 10), &status));
    assert!(!speaks_of_another(&part(1, 10), &status));
    assert!(!speaks_of_another(&part(2, 0), &status));
    status.length = 0;
    assert!(!speaks_of_another(&part(2, 10), &status));
}

#[test]
fn where_every_name_is_anothers_nothing_is_made_that_needs_one() {
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=NAMES {
        let (part, _) = names(b"a", number);
        fs::create_dir(folder.path().join(OsStr::from_bytes(&part))).unwrap();
    }
    let error = try_download(folder.path(), "a", &[7; 2000]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(error.to_string(), "other files have all the names for the part");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), NAMES as usize);
}
