//! Folders with all that is in them, over one connection.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use barewire_tests::harness::folder::{contents, names};
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::{Fault, Folder, Proxy, share};

use super::{begin, fetch};

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
    assert!(client.output().starts_with("2000 files, 6.73 KiB in "), "{client:?}");
    assert!(client.output().ends_with(" s (verified)\n"), "one line: {client:?}");
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

/// What is there as the server has it is not fetched again, what differs is replaced, and what the
/// server does not have stays.
#[test]
fn a_second_run_fetches_what_differs() {
    let folder = tree();
    let server = share(&folder, &["--hidden"]);
    let target = Folder::in_memory().with("tree/big", "old").with("tree/mine", "mine");
    fetch(&server.at(), &target, &["-r", "tree"]).exits(0).is_silent().prints("6 files, ");
    target.assert_holds("tree/mine", b"mine");
    fs::remove_file(target.path("tree/mine")).unwrap();
    assert_same(&folder.path("tree"), &target.path("tree"));
    folder.write("tree/sub/a\\b", "another");
    let second = fetch(&server.at(), &target, &["-r", "tree"]).exits(0).is_silent();
    second.prints("1 file, 7 B in ").prints("; 5 unchanged\n");
    assert_same(&folder.path("tree"), &target.path("tree"));
    let third = fetch(&server.at(), &target, &["-r", "tree"]).exits(0).is_silent();
    third.prints("0 files, 0 B in ").prints("; 6 unchanged\n");
    fetch(&server.at(), &target, &["-r", "tree", "--force"]).exits(0).prints("6 files, ");
    server.stop();
}

fn modified(path: &Path) -> SystemTime {
    path.metadata().unwrap().modified().unwrap()
}

/// A version of the same size that is another is told by its time, and the times are kept.
#[test]
fn times_tell_versions_apart() {
    let folder = Folder::new().with("t/a", "one");
    let set = |seconds| {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::open(folder.path("t/a")).unwrap().set_modified(time).unwrap();
        time
    };
    let server = share(&folder, &[]);
    for options in [&["-r", "t"][..], &["-r", "t", "--no-times"]] {
        let target = Folder::in_memory();
        folder.write("t/a", "one");
        let (old, run) = (set(1_000_000_000), || fetch(&server.at(), &target, options).exits(0));
        run().prints("1 file, ");
        run().prints("; 1 unchanged");
        let is_kept = !options.contains(&"--no-times");
        assert_eq!(modified(&target.path("t/a")) == old, is_kept);
        folder.write("t/a", "two");
        // Newer than anything that was downloaded by now.
        set(4_000_000_000);
        run().prints("1 file, ");
        assert_eq!(target.read("t/a"), b"two");
    }
    server.stop();
}

/// Of a name that turns out to be a file's, too, an older version is replaced.
#[test]
fn a_single_file_is_updated_like_one_of_a_tree() {
    let folder = Folder::new().with("x", "first");
    let server = share(&folder, &[]);
    let target = Folder::in_memory().with("x", "old");
    let run = |options: &[&str]| {
        let options = [&["-r", "x"][..], options].concat();
        fetch(&server.at(), &target, &options).exits(0).is_silent()
    };
    run(&[]).prints("1 file, 5 B in ");
    run(&[]).prints("; 1 unchanged");
    run(&["--checksum"]).prints("; 1 unchanged");
    folder.write("x", "later");
    run(&["--checksum"]).prints("1 file, 5 B in ");
    assert_eq!(target.read("x"), b"later");
    run(&["--force"]).prints("1 file, 5 B in ");
    server.stop();
}

/// Neither a link nor a folder is what an earlier run could have brought.
#[test]
fn only_a_file_is_updated() {
    let folder = Folder::new().with("t/link", "contents").with("t/folder", "contents");
    let server = share(&folder, &[]);
    let target = Folder::in_memory().with_folder("t/folder/sub").with("mine", "mine");
    let target = target.with_link("t/link", "../mine");
    let client = fetch(&server.at(), &target, &["-r", "t"]).exits(1);
    client.says(&["link is there already (--force"]).says(&["is a folder"]).omits("file");
    assert_eq!(target.read("mine"), b"mine");
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
    let second = begin(&proxy.at(), &target, &options).arg("-v").run().exits(0);
    second.prints("tree/big: 2.00 MiB in ").prints("resumed from 1.00 MiB");
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
    client.prints("; 2 links to folders not followed");
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
