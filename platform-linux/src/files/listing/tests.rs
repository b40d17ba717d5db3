//! Tests of what is listed, and of what is left out.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::*;
use crate::files::Resolution;

fn write(path: &Path, contents: &str, modified: u64) {
    fs::write(path, contents).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(modified * 1000 + 999)).unwrap();
}

fn names(listing: &FolderListing) -> Vec<&str> {
    listing.entries.iter().map(|entry| entry.name.as_str()).collect()
}

const FILE: EntryKind = EntryKind::File;
const LINK: EntryKind = EntryKind::LinkToDirectory;

#[test]
fn files_and_folders_sorted_by_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    write(&path.join("b"), "four", 1_000_000_000);
    write(&path.join("B"), "", 1);
    write(&path.join("你好"), "x", 2);
    write(&path.join("a.b"), "x", 2);
    fs::create_dir(path.join("a")).unwrap();
    write(&path.join("a/inner"), "x", 2);
    let root = Root::open(path).unwrap();
    let listed = root.list(b"").unwrap();
    assert_eq!(names(&listed), ["B", "a", "a.b", "b", "你好"]);
    let b = FolderEntry { size: 4, modified: 1_000_000_000, name: "b".into(), kind: FILE };
    assert_eq!(listed.entries[3], b);
    let a = &listed.entries[1];
    assert_eq!((a.kind, a.size), (EntryKind::Directory, 0));
    assert!(a.modified > 1_000_000_000);
    for name in [".", "./", "a/.."] {
        assert_eq!(root.list(name.as_bytes()).unwrap(), listed);
    }
    assert_eq!(names(&root.list(b"a").unwrap()), ["inner"]);
    assert_eq!(names(&root.list(b"a/").unwrap()), ["inner"]);
}

#[test]
fn a_root_that_was_removed_is_not_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root");
    fs::create_dir(&path).unwrap();
    let root = Root::open(&path).unwrap();
    assert!(root.list(b"").unwrap().entries.is_empty());
    fs::remove_dir(&path).unwrap();
    assert!(matches!(root.list(b""), Err(OpenError::NotFound)));
}

#[test]
fn a_time_before_1970_is_rounded_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("old")).unwrap();
    file.set_modified(UNIX_EPOCH - Duration::from_millis(1500)).unwrap();
    let listed = Root::open(folder.path()).unwrap().list(b"").unwrap();
    assert_eq!(listed.entries[0].modified, -2);
}

#[test]
fn links_that_lead_somewhere_inside_are_listed_and_others_are_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root");
    fs::create_dir_all(path.join("sub/deep")).unwrap();
    write(&folder.path().join("secret"), "secret", 1);
    write(&path.join("file"), "contents", 77);
    let link = |target: &str, name: &str| symlink(target, path.join(name)).unwrap();
    link("../file", "sub/up");
    link("up", "sub/chain");
    link("deep", "sub/to-folder");
    link("gone", "sub/dangling");
    link("../../secret", "sub/out");
    link("loop", "sub/loop");
    symlink(path.join("file"), path.join("sub/absolute")).unwrap();
    link("sub", "to-sub");
    let root = Root::open(&path).unwrap();
    for name in ["sub", "to-sub", "sub/deep/.."] {
        let listed = root.list(name.as_bytes()).unwrap();
        assert_eq!(names(&listed), ["chain", "deep", "to-folder", "up"]);
        let [chain, _, to_folder, up] = &listed.entries[..] else { panic!("{listed:?}") };
        for entry in [chain, up] {
            assert_eq!((entry.size, entry.modified, entry.kind), (8, 77, FILE));
        }
        assert_eq!((to_folder.size, to_folder.kind), (0, LINK));
        assert_eq!(listed.left_out, 0);
        let walked = Root::open(&path).unwrap().with_resolution(Resolution::Walk);
        assert_eq!(walked.list(name.as_bytes()).unwrap(), listed);
    }
    assert_eq!(names(&root.list(b"").unwrap()), ["file", "sub", "to-sub"]);
}

#[test]
fn strange_files_are_not_there_and_strange_names_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let strange: [&[u8]; 7] = [
        b"tab\there",
        b"line\n",
        b"esc\x1B[31m",
        b"del\x7F",
        "c1\u{9B}".as_bytes(),
        b"\xFF",
        b"a@",
    ];
    for name in strange {
        fs::write(path.join(OsStr::from_bytes(name)), "x").unwrap();
    }
    fs::write(path.join("back\\slash and space"), "x").unwrap();
    // That one of these has a slash behind it is told.
    fs::create_dir(path.join("b@")).unwrap();
    let _listener = UnixListener::bind(path.join("socket")).unwrap();
    let _odd_listener = UnixListener::bind(path.join("socket\n")).unwrap();
    symlink("socket", path.join("to-socket")).unwrap();
    let listed = Root::open(path).unwrap().list(b"").unwrap();
    assert_eq!(names(&listed), ["b@", "back\\slash and space"]);
    assert_eq!(listed.left_out, 7);
}

#[test]
fn hidden_files_and_parts_are_listed_only_if_that_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    for name in ["a", "a.part", "a.part.journal", ".a", "...", "b.partial", ".odd\n"] {
        fs::write(path.join(name), "x").unwrap();
    }
    fs::create_dir(path.join("c.part")).unwrap();
    fs::create_dir(path.join(".d")).unwrap();
    symlink(".a", path.join("shown")).unwrap();
    symlink("a", path.join("link.part")).unwrap();
    let listed = Root::open(path).unwrap().list(b"").unwrap();
    assert_eq!((names(&listed), listed.left_out), (vec!["a", "b.partial", "c.part", "shown"], 0));
    let root = Root::open(path).unwrap();
    assert_eq!(root.list(b".d").unwrap_err(), OpenError::Hidden);
    assert!(root.list(b"c.part").is_ok());
    let all = root.with_hidden(true);
    assert_eq!(all.list(b"").unwrap().entries.len(), 10);
    assert_eq!(all.list(b"").unwrap().left_out, 1);
    assert!(all.list(b".d").is_ok());
}

#[test]
fn only_folders_beneath_the_root_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("root");
    fs::create_dir(&path).unwrap();
    fs::write(path.join("file"), "x").unwrap();
    symlink("..", path.join("out")).unwrap();
    let root = Root::open(&path).unwrap();
    for name in ["..", "/", "out", "a\0b", "out/root"] {
        let refusal = root.list(name.as_bytes()).unwrap_err();
        assert!(matches!(refusal, OpenError::Refused(_)), "{name:?}: {refusal}");
    }
    assert_eq!(root.list(b"nothing").unwrap_err(), OpenError::NotFound);
    assert_eq!(root.list(b"file").unwrap_err(), OpenError::NotFound);
}

#[test]
fn a_list_that_nobody_wants_any_more_ends_early() {
    use std::cell::Cell;
    let folder = tempfile::tempdir().unwrap();
    for number in 0..ENTRIES {
        File::create(folder.path().join(number.to_string())).unwrap();
    }
    let root = Root::open(folder.path()).unwrap();
    let (asked, patience) = (Cell::new(0), Cell::new(u32::MAX));
    let is_wanted = || {
        asked.set(asked.get() + 1);
        asked.get() <= patience.get()
    };
    assert_eq!(root.list_while(b"", is_wanted).unwrap().entries.len(), ENTRIES as usize);
    let all = asked.get();
    assert!(all >= 2, "{all}");
    for times in 0..all {
        asked.set(0);
        patience.set(times);
        assert!(matches!(root.list_while(b"", is_wanted), Err(OpenError::Busy(_))));
        assert_eq!(asked.get(), times + 1);
    }
}
