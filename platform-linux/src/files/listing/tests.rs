//! Tests of what is listed, and of what is left out.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use super::*;

fn write(path: &Path, contents: &str, modified: u64) {
    fs::write(path, contents).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_millis(modified * 1000 + 999)).unwrap();
}

fn names(listed: &[FolderEntry]) -> Vec<&str> {
    listed.iter().map(|entry| entry.name.as_str()).collect()
}

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
    let b = FolderEntry { size: 4, modified: 1_000_000_000, name: "b".into(), directory: false };
    assert_eq!(listed[3], b);
    assert_eq!((listed[1].directory, listed[1].size), (true, 0));
    assert!(listed[1].modified > 1_000_000_000);
    for name in [".", "./", "a/.."] {
        assert_eq!(root.list(name.as_bytes()).unwrap(), listed);
    }
    assert_eq!(names(&root.list(b"a").unwrap()), ["inner"]);
    assert_eq!(names(&root.list(b"a/").unwrap()), ["inner"]);
}

#[test]
fn a_time_before_1970_is_rounded_down() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("old")).unwrap();
    file.set_modified(UNIX_EPOCH - Duration::from_millis(1500)).unwrap();
    let listed = Root::open(folder.path()).unwrap().list(b"").unwrap();
    assert_eq!(listed[0].modified, -2);
}

#[test]
fn links_to_files_inside_are_those_files_and_other_links_are_left_out() {
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
        assert_eq!(names(&listed), ["chain", "deep", "up"]);
        for entry in [&listed[0], &listed[2]] {
            assert_eq!((entry.size, entry.modified, entry.directory), (8, 77, false));
        }
    }
    assert_eq!(names(&root.list(b"").unwrap()), ["file", "sub"]);
}

#[test]
fn strange_names_and_strange_files_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let strange: [&[u8]; 6] =
        [b"tab\there", b"line\n", b"esc\x1B[31m", b"del\x7F", "c1\u{9B}".as_bytes(), b"\xFF\xFE"];
    for name in strange {
        fs::write(path.join(OsStr::from_bytes(name)), "x").unwrap();
    }
    fs::write(path.join("back\\slash and space"), "x").unwrap();
    let _listener = UnixListener::bind(path.join("socket")).unwrap();
    symlink("socket", path.join("to-socket")).unwrap();
    let listed = Root::open(path).unwrap().list(b"").unwrap();
    assert_eq!(names(&listed), ["back\\slash and space"]);
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
