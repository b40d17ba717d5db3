//! Files and their hashes: those that are expected, those that are told, and contents compared by them.

use std::fs::File;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::{Folder, share};

use super::{begin, fetch};

fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// In every way in which a file can come.
#[test]
fn a_file_appears_only_if_its_hash_is_the_one_expected() {
    for size in [0, 5, SEGMENT, 3 * SEGMENT + 7] {
        let whole = contents(size, 1);
        let folder = Folder::new().with("x", &whole);
        let server = share(&folder, &["-q"]);
        let (right, wrong) = (hash(&whole), hash(b"something else"));
        for options in [&["x"][..], &["x", "--no-verify"], &["x", "--plain"]] {
            if size == 0 && options.contains(&"--plain") {
                // It tells an empty file from none by nothing.
                continue;
            }
            let run = |hash: &str| {
                let target = Folder::in_memory();
                let options = [options, &["--expect", hash]].concat();
                (fetch(&server.at(), &target, &options), target)
            };
            for right in [&right, &right.to_uppercase()] {
                let (client, target) = run(right);
                client.exits(0).prints("the hash is as expected");
                target.assert_holds("x", &whole);
            }
            let (client, target) = run(&wrong);
            client.exits(1).says(&[&format!("its hash is {right}, but {wrong} is expected")]);
            assert!(target.names().is_empty(), "{size} {options:?}: {:?}", target.names());
        }
        let null = File::options().write(true).open("/dev/null").unwrap();
        let options = ["x", "-o", "-", "--expect", &wrong];
        let client = begin(&server.at(), &Folder::new(), &options).stdout(null).run();
        client.exits(1).says(&["do not use it"]);
        server.stop();
    }
}

/// A mismatch is one also of what an earlier run has left.
#[test]
fn what_is_resumed_is_expected_as_a_whole() {
    let whole = contents(3 * SEGMENT, 2);
    let folder = Folder::new().with("x", &whole);
    let server = share(&folder, &["-q"]);
    let target = Folder::in_memory();
    let options = ["x", "--max-size", "2M", "--expect", &hash(&whole)];
    fetch(&server.at(), &target, &options).exits(1);
    let options = ["x", "--expect", &hash(&whole), "-v"];
    begin(&server.at(), &target, &options).run().exits(0).prints(&hash(&whole));
    server.stop();
}

#[test]
fn hashes_are_looked_up_by_name() {
    let folder = Folder::new().with("t/a", "one").with("t/b/c", "two").with("d", "three");
    let server = share(&folder, &["-q"]);
    let line = |contents: &str, name: &str| format!("{}  {name}\n", hash(contents.as_bytes()));
    let sums = [line("one", "./t/a"), line("two", "t/b/c"), line("three", "d")].concat();
    let target = Folder::in_memory().with("SUMS", &sums).with("WRONG", line("one", "d"));
    let target = target.with("ODD", "what is this?\n");
    fetch(&server.at(), &target, &["-r", "t", "--expect-from", "SUMS"]).exits(0);
    fetch(&server.at(), &target, &["d", "--expect-from", "SUMS"]).exits(0);
    assert_eq!(target.read("d"), b"three");
    for (sums, words) in [("WRONG", "but"), ("NONE", "cannot read NONE: no such file")] {
        let options = ["d", "--force", "--expect-from", sums];
        fetch(&server.at(), &target, &options).exits(1).says(&[words]);
        assert_eq!(target.read("d"), b"three");
    }
    let stdin = || File::open(target.path("SUMS")).unwrap();
    let options = ["d", "--force", "--expect-from", "-"];
    begin(&server.at(), &target, &options).stdin(stdin()).run().exits(0).prints("as expected");
    let client = begin(&server.at(), &target, &options[2..]).stdin(stdin()).run().exits(2);
    client.says(&["--expect-from - reads standard input"]);
    let client = begin(&server.at(), &target, &options).stdin(Stdio::null()).run().exits(1);
    client.says(&["d: standard input has no hash of it"]);
    // Whatever it does not have is not proven to be what was meant.
    let client = fetch(&server.at(), &target, &["-r", "t", "--force", "--expect-from", "WRONG"]);
    client.exits(1).says(&["t/a: WRONG has no hash of it"]);
    fetch(&server.at(), &target, &["d", "--expect-from", "ODD"])
        .exits(2)
        .says(&["ODD, line 1: not a hash"]);
    let twice = [line("one", "d"), line("three", "./d")].concat();
    let target = target.with("TWICE", twice);
    fetch(&server.at(), &target, &["d", "--force", "--expect-from", "TWICE"])
        .exits(2)
        .says(&["TWICE, lines 1 and 2: two different hashes of d"]);
    let endless = ["d", "--force", "--expect-from", "/dev/zero"];
    fetch(&server.at(), &target, &endless).exits(2).says(&["/dev/zero is larger than 64 MiB"]);
    for wrong in [&["d", "t/a", "--expect", &hash(b"")][..], &["d", "--expect", "abc"]] {
        fetch(&server.at(), &target, wrong).exits(2).says(&["--expect"]);
    }
    server.stop();
}

#[test]
fn the_hash_is_told_to_who_wants_to_know() {
    let whole = contents(2 * SEGMENT + 1, 3);
    let folder = Folder::new().with("x", &whole).with("empty", "");
    let server = share(&folder, &["-q"]);
    for (name, hash) in [("x", hash(&whole)), ("empty", hash(b""))] {
        let json = fetch(&server.at(), &Folder::new(), &[name, "--json"]).exits(0);
        assert_eq!(json.event("downloaded")["hash"], *hash);
        let verbose = begin(&server.at(), &Folder::new(), &[name, "-v"]).run().exits(0);
        verbose.prints(&hash);
        let usual = fetch(&server.at(), &Folder::new(), &[name]).exits(0);
        usual.omits(&hash);
    }
    server.stop();
}

fn set_time(folder: &Folder, name: &str, seconds: u64) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    File::open(folder.path(name)).unwrap().set_modified(time).unwrap();
}

/// Sizes and times may say anything.
#[test]
fn contents_are_compared_where_that_is_wanted() {
    let large = contents(2 * SEGMENT + 9, 4);
    let mut other = large.clone();
    other[SEGMENT + 1] ^= 1;
    let folder = Folder::new().with("t/large", &large).with("t/small", "same").with("t/empty", "");
    let server = share(&folder, &["-q"]);
    let target =
        Folder::in_memory().with("t/large", &other).with("t/small", "same").with("t/empty", "");
    for (folder, seconds) in [(&folder, 1_000_000), (&target, 1_000_000)] {
        set_time(folder, "t/large", seconds);
    }
    let run = |options: &[&str]| {
        let options = [&["-r", "t"][..], options].concat();
        fetch(&server.at(), &target, &options).exits(0).is_silent()
    };
    set_time(&folder, "t/small", 1_000_000);
    set_time(&folder, "t/empty", 1_000_000);
    run(&["--checksum"]).prints("1 file, 2.00 MiB in ").prints("; 2 unchanged");
    target.assert_holds("t/large", &large);
    // What is the same has got the time, too.
    run(&[]).prints("; 3 unchanged");
    run(&["--checksum"]).prints("; 3 unchanged");
    server.stop();
}

/// Neither a size and a time nor what the server has make it the right one.
#[test]
fn a_file_that_is_there_must_have_the_hash_that_is_expected() {
    let (large, small) = (contents(2 * SEGMENT + 9, 5), b"small".to_vec());
    let mut other = large.clone();
    other[SEGMENT + 1] ^= 1;
    let folder = Folder::new().with("t/large", &large).with("t/small", &small).with("t/empty", "");
    let server = share(&folder, &["-q"]);
    let sums = |large: &[u8], small: &[u8]| {
        let of = [("large", large), ("small", small), ("empty", b"")];
        of.map(|(name, contents)| format!("{}  t/{name}\n", hash(contents))).concat()
    };
    let target = Folder::in_memory()
        .with("t/large", &other)
        .with("t/small", &small)
        .with("t/empty", "")
        .with("RIGHT", sums(&large, &small))
        .with("WRONG", sums(&other, b"else"));
    for folder in [&folder, &target] {
        for name in ["t/large", "t/small", "t/empty"] {
            set_time(folder, name, 1_000_000);
        }
    }
    let run = |sums: &str, options: &[&str]| {
        let options = [&["-r", "t", "--expect-from", sums][..], options].concat();
        fetch(&server.at(), &target, &options)
    };
    // What the server has is not what is expected: what is there stays, also if it is.
    for options in [&[][..], &["--checksum"], &["--force"]] {
        let client = run("WRONG", options).exits(1);
        client.says(&["t/large: its hash is "]).says(&["t/small: its hash is "]);
        target.assert_holds("t/large", &other);
    }
    run("RIGHT", &[]).exits(0).is_silent().prints("1 file, 2.00 MiB in ").prints("; 2 unchanged");
    target.assert_holds("t/large", &large);
    for options in [&[][..], &["--checksum"]] {
        run("RIGHT", options).exits(0).is_silent().prints("; 3 unchanged");
        let client = run("WRONG", options).exits(1);
        assert_eq!(client.error().matches("is expected").count(), 2, "{client:?}");
        target.assert_holds("t/large", &large);
    }
    server.stop();
}
