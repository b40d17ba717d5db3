//! Folders with all that is in them, over one connection.

use std::fs;
use std::path::Path;

use barewire_tests::harness::folder::{contents, names};
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::{Fault, Folder, Proxy, share};

use super::fetch;

/// What two trees hold, compared as a person would.
#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    assert_eq!(names(one), names(other), "{}", other.display());
    for name in names(one) {
        let (one, other) = (one.join(&name), other.join(&name));
        if one.is_dir() {
            assert_same(&one, &other);
        } else {
            assert!(!other.is_symlink(), "{}", other.display());
            let (one, found) = (fs::read(one).unwrap(), fs::read(&other).unwrap());
            assert!(one == found, "{}: {} bytes", other.display(), found.len());
        }
    }
}

fn tree() -> Folder {
    let deep = "level/".repeat(40);
    Folder::in_memory()
        .with("tree/empty.txt", "")
        .with("tree/grüße/日本 語.txt", "hello")
        .with("tree/big", contents(2 * SEGMENT + 1, 1))
        .with("tree/sub/.hidden", "hidden")
        .with("tree/sub/a\\b", "backslash")
        .with(&format!("tree/{deep}end"), "deep")
        .with_folder("tree/nothing/in/here")
        .with("beside", "not asked for")
}

#[test]
fn a_tree_arrives_as_it_is_over_one_connection() {
    let folder = tree();
    let server = share(&folder, &["--hidden"]);
    for (name, into) in [("tree", "tree"), ("./tree/", "tree"), ("tree/sub", "sub")] {
        let target = Folder::in_memory();
        let proxy = Proxy::start(server.address(), &[]);
        fetch(&proxy.at(), &target, &["-r", name]).exits(0).is_silent();
        assert_eq!(target.names(), [into]);
        assert_same(&folder.path(name), &target.path(into));
        assert_eq!(proxy.carried().len(), 1);
    }
    server.stop();
}

#[test]
fn the_root_arrives_directly_in_the_target() {
    let folder = tree();
    let server = share(&folder, &["--hidden"]);
    for names in [&["-r"][..], &["-r", "."], &["-r", ".", "-d", "into"]] {
        let target = Folder::in_memory();
        let into = if names.len() > 2 { "into" } else { "." };
        let target = if into == "into" { target.with_folder(into) } else { target };
        fetch(&server.at(), &target, names).exits(0);
        assert_same(folder.as_ref(), &target.path(into));
    }
    server.stop();
}

#[test]
fn two_thousand_small_files_arrive() {
    let folder = Folder::in_memory();
    for number in 0..2000 {
        folder.write(&format!("tree/{}/{number}", number % 20), number.to_string());
    }
    let server = share(&folder, &["-q"]);
    let target = Folder::in_memory();
    let proxy = Proxy::start(server.address(), &[]);
    let client = fetch(&proxy.at(), &target, &["-r", "tree"]).exits(0).is_silent();
    assert_eq!(client.output().lines().count(), 2000);
    assert_same(&folder.path("tree"), &target.path("tree"));
    assert_eq!(proxy.carried().len(), 1);
    server.stop();
}

/// Where it breaks off it goes on: what is there is not asked for again.
#[test]
fn a_tree_survives_a_network_that_breaks() {
    let folder = tree();
    for number in 0..100 {
        folder.write(&format!("tree/many/{number}"), number.to_string());
    }
    let server = share(&folder, &["--hidden"]);
    let faults = [Fault::Close(700), Fault::Close(1_500_000)];
    let proxy = Proxy::start(server.address(), &faults);
    let target = Folder::in_memory();
    fetch(&proxy.at(), &target, &["-r", "tree"]).exits(0);
    assert_same(&folder.path("tree"), &target.path("tree"));
    assert_eq!(proxy.carried().len(), 3);
    server.stop();
}

/// A file that is there is left alone without `--force`: with the size that the list tells, it is
/// what an earlier run has brought; with another, that fails, and the rest fills the tree up.
#[test]
fn a_second_run_fills_up_what_is_missing() {
    let folder = tree();
    let server = share(&folder, &["--hidden"]);
    let target = Folder::in_memory().with("tree/big", "mine");
    let first = fetch(&server.at(), &target, &["-r", "tree"]).exits(1);
    first.says(&["tree/big is there already, but not of the size listed"]);
    assert_eq!(target.read("tree/big"), b"mine");
    target.assert_holds("tree/sub/.hidden", b"hidden");
    fetch(&server.at(), &target, &["-r", "tree", "--force"]).exits(0).is_silent();
    assert_same(&folder.path("tree"), &target.path("tree"));
    let third = fetch(&server.at(), &target, &["-r", "tree"]).exits(0);
    assert_eq!(third.output(), "");
    third.says(&["6 files were there already"]);
    server.stop();
}

/// As after a power cut: some of it is there, some begun, some missing.
#[test]
fn a_tree_that_was_interrupted_is_gone_on_with() {
    let folder = tree();
    let server = share(&folder, &["--hidden"]);
    let target = Folder::in_memory();
    let proxy = Proxy::start(server.address(), &[Fault::Close(SEGMENT as u64 + 5000)]);
    let options = ["-r", "tree", "--retries", "0"];
    fetch(&proxy.at(), &target, &options).exits(1).says(&["run the same command again to resume"]);
    assert!(target.has("tree/big.part"));
    let second = fetch(&proxy.at(), &target, &options).exits(0);
    second.prints("resumed from 1.00 MiB");
    assert_same(&folder.path("tree"), &target.path("tree"));
    server.stop();
}

/// A name is refused that the list had promised, as the file went in between; or nothing of it may
/// be read: the others arrive, and the exit code tells.
#[test]
fn a_refused_entry_does_not_keep_the_others() {
    let folder = Folder::in_memory().with("tree/a", "a").with("tree/c", "c").with("one", "1");
    let server = share(&folder, &[]);
    let target = Folder::in_memory();
    fetch(&server.at(), &target, &["-r", "tree", "missing", "one"]).exits(1).says(&["missing: "]);
    assert_same(&folder.path("tree"), &target.path("tree"));
    // A name that is a file is one with `-r` as well.
    assert_eq!(target.read("one"), b"1");
    server.stop();
}

/// Links are files, or nothing, which is told: none is made.
#[test]
fn links_become_the_files_they_lead_to() {
    let folder = Folder::in_memory()
        .with("tree/real/x", "contents")
        .with_link("tree/to-file", "real/x")
        .with_link("tree/to-folder", "real")
        .with_link("tree/loop", "..")
        .with_link("tree/out", "/etc/passwd");
    let server = share(&folder, &[]);
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["-r", "tree"]).exits(0);
    client.says(&["tree: 2 links to folders are not followed"]);
    assert_eq!(names(&target.path("tree")), ["real", "to-file"]);
    assert!(!target.path("tree/to-file").is_symlink());
    assert_eq!(target.read("tree/to-file"), b"contents");
    server.stop();
}

/// A file may be called as the part of another would be.
#[test]
fn names_like_those_of_parts_are_names_like_others() {
    let names = ["x", "x.2.part.journal", "x.part", "x.part.part"];
    let mut folder = Folder::in_memory();
    for name in names {
        folder = folder.with(name, name.repeat(3));
    }
    let server = share(&folder, &["--hidden"]);
    for words in [
        &["-r", "."][..],
        &["x", "x.part", "x.2.part.journal", "x.part.part"],
        &["x.2.part.journal", "x.part.part", "x.part", "x", "--force"],
    ] {
        let target = Folder::in_memory();
        fetch(&server.at(), &target, words).exits(0).is_silent();
        assert_same(folder.as_ref(), target.as_ref());
    }
    server.stop();
}
