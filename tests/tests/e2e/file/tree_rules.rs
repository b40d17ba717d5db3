//! Which files of a tree are taken, how many, and what is told of the others.

use std::io::Write;

use barewire_tests::harness::folder::names;
use barewire_tests::harness::framed::{Reply, hear};
use barewire_tests::harness::sockets::with_timeouts;
use barewire_tests::harness::{Finished, Folder, Peer, share};

use super::fetch;

fn house() -> Folder {
    Folder::new()
        .with("t/a.jpg", "a")
        .with("t/b.tmp", "bb")
        .with("t/sub/c.jpg", "ccc")
        .with("t/sub/d.txt", "dddd")
        .with("t/cache/e.jpg", "eeeee")
}

/// Only the folders on the way to a file that is chosen are made, and only where it is.
#[test]
fn folders_of_which_no_file_is_chosen_are_not_made() {
    let folder = house().with("t/deep/er/x.jpg", "x").with("t/deep/y.txt", "y").with_folder("t/no");
    let server = share(&folder, &["-q"]);
    let target = Folder::in_memory();
    let run = |include| fetch(&server.at(), &target, &["-r", "t", "--include", include]).exits(0);
    run("*.none");
    assert!(target.names().is_empty(), "{:?}", target.names());
    run("x.jpg").is_silent().prints("1 file, 1 B in ");
    assert_eq!(names(&target.path("t")), ["deep"]);
    assert_eq!(names(&target.path("t/deep")), ["er"]);
    run("x.jpg").is_silent().prints("; 1 unchanged");
    fetch(&server.at(), &target, &["-r", "t"]).exits(0);
    assert_eq!(names(&target.path("t")), ["a.jpg", "b.tmp", "cache", "deep", "no", "sub"]);
    server.stop();
}

/// The sum of a run with `options`, in which nothing else is printed.
#[track_caller]
fn sum(client: &Finished) -> [u64; 6] {
    let tree = client.event("tree");
    ["files", "bytes", "unchanged", "excluded", "hidden", "errors"]
        .map(|field| tree[field].as_u64().unwrap_or_else(|| panic!("{field}: {tree}")))
}

#[test]
fn patterns_choose_what_is_taken() {
    let folder = house();
    let server = share(&folder, &["-q"]);
    for (options, expected, sums) in [
        (&["--exclude", "*.tmp"][..], &["a.jpg", "cache", "sub"][..], [4, 13, 0, 1, 0, 0]),
        (
            &["--exclude", "cache/", "--exclude", "/sub/*.txt"],
            &["a.jpg", "b.tmp", "sub"],
            [3, 6, 0, 2, 0, 0],
        ),
        (&["--include", "*.jpg", "--exclude=cache"], &["a.jpg", "sub"], [2, 4, 0, 3, 0, 0]),
        (&["--include=sub/*"], &["sub"], [2, 7, 0, 3, 0, 0]),
    ] {
        let target = Folder::in_memory();
        let client = fetch(&server.at(), &target, &[&["-r", "t", "--json"], options].concat());
        let client = client.exits(0).is_silent();
        assert_eq!(sum(&client), sums, "{client:?}");
        assert_eq!(names(&target.path("t")), expected, "{options:?}");
    }
    let target = Folder::in_memory();
    for wrong in
        [&["t", "-r", "--exclude", "["][..], &["t", "-r", "--include="], &["t", "--exclude=x"]]
    {
        fetch(&server.at(), &target, wrong).exits(2).says(&[
            "--exclude",
            "--include",
            "--recursive",
        ]);
    }
    server.stop();
}

/// As when the target is a home folder: what would be settings of its owner's programs is not created
/// there. A folder that the server names may have such names inside.
#[test]
fn names_with_a_dot_go_into_no_folder_that_is_there() {
    let list = b"4\t0\t.bashrc\n0\t0\t.ssh/\n0\t0\tsub/\n1\t0\tx\n".to_vec();
    let serve = move || {
        let (list, folder) = (list.clone(), "2\t0\t.inner\n");
        Peer::tcp(move |mut stream| {
            while let Some(ask) = hear(&mut stream) {
                let whole = match (ask.operation, &ask.name[..]) {
                    (2, b"" | b".") => &list[..],
                    (2, b"sub") => folder.as_bytes(),
                    (2, _) => b"",
                    (_, name) => &b"planted"[..[0, 1, 2, 4][name.len() % 4]],
                };
                // The client may have heard enough.
                let _ = stream.write_all(&Reply::ok(whole.len(), 7).with(&ask, whole));
            }
        })
    };
    let (target, server) = (Folder::in_memory(), serve());
    let client = fetch(&server.at(), &target, &["-r", "."]).exits(0).is_silent();
    client.prints("2 with a dot before their names not taken (--hidden takes them)");
    assert_eq!(target.names(), ["sub", "x"]);
    assert!(target.has("sub/.inner"));
    server.finish();

    let (target, server) = (Folder::in_memory(), serve());
    fetch(&server.at(), &target, &["-r", ".", "--hidden"]);
    assert!(target.has(".ssh"));
    server.finish();
}

#[test]
fn no_more_files_are_taken_than_allowed() {
    let folder = house();
    let server = share(&folder, &["-q"]);
    // Five files and two folders.
    for (most, code) in [("7", 0), ("6", 1), ("3", 1)] {
        let target = Folder::in_memory();
        let client = fetch(&server.at(), &target, &["-r", "t", "--max-files", most]).exits(code);
        if code == 1 {
            client.says(&["--max-files allows"]);
        }
    }
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["-r", "t", "--max-files", "3"]).exits(1);
    client
        .says(&["t: it has 4 files and folders, but of the 3 that --max-files allows 3 are left"]);
    assert!(target.names().is_empty());
    server.stop();
}

/// What would be too much is not begun; the others come.
#[test]
fn no_more_contents_are_taken_than_allowed() {
    let folder = Folder::new().with("t/a", "aaaa").with("t/b", "bbbbbbbb").with("t/c", "cc");
    let server = share(&folder, &["-q"]);
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["-r", "t", "--max-size", "7"]).exits(1);
    client.says(&["t/b: it has 8 B, but --max-size allows 7 B"]).prints("2 files, 6 B in ");
    assert_eq!(names(&target.path("t")), ["a", "c"]);
    for options in [&["t/b"][..], &["t/b", "-o", "-"], &["t/b", "--plain"]] {
        let target = Folder::in_memory();
        let options = [options, &["--max-size=7"]].concat();
        fetch(&server.at(), &target, &options)
            .exits(1)
            .says(&["than --max-size allows", "but --max-size allows"]);
        assert!(target.names().is_empty(), "{:?}", target.names());
    }
    server.stop();
}

/// It speaks the plain form, and its file has no end.
#[test]
fn an_endless_file_is_taken_up_to_a_limit() {
    let server = Peer::tcp_listener(|listener| {
        let mut stream = with_timeouts(listener.accept().expect("a client").0);
        while stream.write_all(&[0; 8192]).is_ok() {}
    });
    let target = Folder::in_memory();
    let options = ["x", "--plain", "--max-size", "10M"];
    fetch(&server.at(), &target, &options)
        .exits(1)
        .says(&["more than --max-size allows (10.00 MiB)"]);
    assert!(target.names().is_empty(), "{:?}", target.names());
    server.finish();
}

/// Every folder has another inside.
#[test]
fn an_endless_tree_ends() {
    let server = Peer::tcp(|mut stream| {
        let mut asked = 0;
        while let Some(ask) = hear(&mut stream) {
            asked += 1;
            let list = b"0\t0\tdeeper/\n";
            let _ = stream.write_all(&Reply::ok(list.len(), 7).with(&ask, list));
        }
        asked
    });
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["-r", "."]).exits(1);
    client.says(&["the name is too long"]);
    // Seven bytes each, of 1024.
    assert!(server.finish() < 150);
}
