//! `file-client` and `file-server`: what is asked for arrives, whole and where it should.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::sockets::RefusedTcp;
use barewire_tests::harness::{Fault, Folder, Launch, Proxy, share};

use super::{begin, fetch};

#[test]
fn files_of_every_size_arrive_verified() {
    let sizes = [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, 5 * SEGMENT + 7];
    let names = sizes.map(|size| size.to_string());
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let folder = Folder::new();
    for size in sizes {
        folder.write(&size.to_string(), contents(size, size as u64));
    }
    let server = share(&folder, &[]);
    for options in [&[][..], &["--no-verify"]] {
        let target = Folder::in_memory();
        let client = fetch(&server.at(), &target, &[&*names, options].concat()).exits(0);
        for size in sizes {
            target.assert_holds(&size.to_string(), &contents(size, size as u64));
        }
        assert_eq!(target.names().len(), sizes.len(), "nothing else is left: {:?}", target.names());
        let said = client.output().lines().filter(|line| line.contains("(verified)")).count();
        // Of what is empty there is nothing to prove.
        assert_eq!(said, if options.is_empty() { sizes.len() } else { 1 }, "{client:?}");
    }
    server.stop();
}

#[test]
fn records_tell_what_was_downloaded_and_served() {
    let folder = Folder::new().with("sub/x", "contents");
    let server = share(&folder, &["--json"]);
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["sub/x", "--json"]).exits(0).is_silent();
    let done = client.event("downloaded");
    assert_eq!((&done["name"], &done["path"]), (&"sub/x".into(), &"x".into()));
    assert_eq!((&done["bytes"], &done["resumed_from"]), (&8.into(), &0.into()));
    assert_eq!(done["verified"], true);
    assert!(done["seconds"].as_f64().is_some_and(|seconds| seconds >= 0.0), "{done}");

    let told = server.stop().event("served");
    assert_eq!((&told["name"], &told["status"]), (&"sub/x".into(), &"ok".into()));
    assert_eq!(told["bytes"], 8);
    assert!(told["from"].as_str().is_some_and(|from| from.starts_with("127.0.0.1:")));
    assert!(told["seconds"].is_number(), "{told}");
}

#[test]
fn the_last_part_of_the_name_is_the_files() {
    let folder = Folder::new().with("a/b/x", "deep").with("a\\b", "backslash");
    let server = share(&folder, &[]);
    let target = Folder::in_memory().with_folder("into");
    fetch(&server.at(), &target, &["a/b/x", "a\\b", "-d", "into"]).exits(0);
    assert_eq!(target.read("into/x"), b"deep");
    assert_eq!(target.read("into/a\\b"), b"backslash");
    fetch(&server.at(), &target, &["a//b/./x"]).exits(0);
    assert_eq!(target.names(), ["into", "x"]);
    server.stop();
}

#[test]
fn the_address_may_be_two_words() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &[]);
    let target = Folder::in_memory();
    fetch("127.0.0.1", &target, &[&server.port(), "x"]).exits(0);
    assert_eq!(target.read("x"), b"contents");
    server.stop();
}

#[test]
fn a_file_that_is_there_is_not_touched_without_force() {
    let folder = Folder::new().with("x", "new").with("y", "another");
    let server = share(&folder, &["--json"]);
    let target = Folder::in_memory().with("x", "mine");
    fetch(&server.at(), &target, &["x", "y"]).exits(1).says(&["--force"]).prints("y: ");
    assert_eq!((target.read("x"), target.read("y")), (b"mine".to_vec(), b"another".to_vec()));
    assert_eq!(target.names(), ["x", "y"]);

    fetch(&server.at(), &target, &["x", "--force"]).exits(0);
    assert_eq!(target.read("x"), b"new");
    // What is not wanted was not asked for.
    let server = server.stop();
    let asked: Vec<_> =
        server.events().iter().filter_map(|e| e["name"].as_str().map(str::to_owned)).collect();
    assert_eq!(asked, ["y", "x"]);
}

/// `--force` replaces a file, never a folder.
#[test]
fn a_folder_in_the_way_stays() {
    let folder = Folder::new().with("x", "new");
    let server = share(&folder, &[]);
    let target = Folder::in_memory().with("x/mine", "mine");
    for options in [&["x"][..], &["x", "--force"]] {
        fetch(&server.at(), &target, options).exits(1).says(&["x is"]);
    }
    assert_eq!(target.read("x/mine"), b"mine");
    server.stop();
}

#[test]
fn what_the_server_refuses_fails_and_the_rest_arrives() {
    let folder = Folder::new().with("x", "contents").with("z", "more").with_folder("sub");
    let server = share(&folder, &[]);
    let target = Folder::in_memory();
    let client = fetch(&server.at(), &target, &["x", "y", "sub", "../w", "z"]).exits(1);
    let client = client.says(&["y: "]).says(&["sub: "]).says(&["../w: "]).says(&[&server.at()]);
    client.says(&["no such"]).prints("x: ").prints("z: ");
    assert_eq!(target.names(), ["x", "z"]);
    let client = fetch(&server.at(), &Folder::new(), &["y", "--json"]).exits(1);
    assert!(client.event("error")["message"].as_str().is_some_and(|m| m.contains("y: ")));
    server.stop();
}

#[test]
fn without_a_name_a_line_of_standard_input_is_one() {
    let folder = Folder::new().with("a b.txt", "contents").with("other", "");
    let server = share(&folder, &[]);
    for line in ["a b.txt", "a b.txt\n", "a b.txt\r\nother\n"] {
        let target = Folder::in_memory().with(".line", line);
        let input = fs::File::open(target.path(".line")).unwrap();
        begin(&server.at(), &target, &[]).stdin(input).run().exits(0);
        assert_eq!(target.names(), [".line", "a b.txt"], "{line:?}");
    }
    for line in ["", "\n", "\nother\n"] {
        let target = Folder::in_memory().with(".line", line);
        let input = fs::File::open(target.path(".line")).unwrap();
        begin(&server.at(), &target, &[]).stdin(input).run().exits(2).says(&["file name"]);
        assert_eq!(target.names(), [".line"], "{line:?}");
    }
    server.stop();
}

#[test]
fn on_a_terminal_it_asks_for_the_name() {
    let folder = Folder::new().with("grüße.txt", "contents");
    let server = share(&folder, &[]);
    let target = Folder::in_memory();
    let client = begin(&server.at(), &target, &[]).dialogue("grüße.txt\n").run().exits(0);
    client.says(&["file name: "]).prints("grüße.txt: 8 B");
    assert_eq!(target.read("grüße.txt"), b"contents");
    begin(&server.at(), &target, &[]).dialogue("\n").run().exits(2).says(&["no file name"]);
    server.stop();
}

#[test]
fn a_server_that_is_not_there_is_no_long_wait() {
    let nobody = RefusedTcp::hold();
    let target = Folder::in_memory();
    fetch(&nobody.at(), &target, &["x"]).exits(1).says(&["refused"]).says(&[&nobody.at()]);
    fetch("no-such-host.invalid:1", &target, &["x"]).exits(1).says(&["no-such-host.invalid"]);
    assert!(target.names().is_empty());
}

#[test]
fn what_makes_no_sense_is_wrong_usage() {
    let target = Folder::in_memory();
    for options in [
        &["x", "y", "-o", "z"][..],
        &["x", "-r", "-o", "z"],
        &["x", "-o", "-", "--json"],
        &["x", "-d", ".", "-o", "z"],
        &["--list", "-r"],
        &["--plain", "--list"],
        &["--plain", "-r"],
        &["."],
        &["sub/.."],
        &["x", "a/x"],
    ] {
        fetch("127.0.0.1:9", &target, options).exits(2);
    }
    fetch("127.0.0.1:0", &target, &["x"]).exits(2);
    assert!(target.names().is_empty());
}

#[test]
fn a_target_folder_that_is_not_there_is_told_before_anything_is_asked() {
    let nobody = RefusedTcp::hold();
    let target = Folder::in_memory();
    for options in [&["x", "-d", "nowhere"][..], &["x", "-o", "nowhere/x"]] {
        fetch(&nobody.at(), &target, options).exits(1).says(&["nowhere"]);
    }
    assert!(target.names().is_empty());
}

/// At once if the size is known, and else when the limit is reached.
#[test]
fn a_limit_on_the_size_of_files_is_an_error_and_no_end() {
    let folder = Folder::new().with("large", contents(3 * SEGMENT, 1)).with("small", "small");
    let server = share(&folder, &[]);
    // In blocks of 512 bytes, or of 1024, as the shell has it.
    let limited = r#"ulimit -f 1024 && exec "$0" "$@""#;
    for options in [&["large"][..], &["large", "--plain"], &["large", "--no-verify"]] {
        let target = Folder::in_memory();
        let client = Launch::through_shell(limited, "file-client").arg(server.at());
        let client = client.args(options).arg("small").within(&target).run().exits(1);
        client.says(&["large: file too large"]);
        assert!(!target.has("large"));
    }
    server.stop();
}

/// More files are open at once than the soft limit allows.
#[test]
fn the_soft_limit_on_descriptors_is_raised() {
    let names: Vec<String> = (0..60).map(|number| format!("{number:02}")).collect();
    let folder = names.iter().fold(Folder::new(), |folder, name| folder.with(name, name));
    let server = share(&folder, &[]);
    let target = Folder::in_memory();
    let few = r#"ulimit -S -n 24 && exec "$0" "$@""#;
    let client = Launch::through_shell(few, "file-client").arg(server.at()).args(&names);
    client.within(&target).run().exits(0).is_silent();
    assert_eq!(target.names(), names);
    server.stop();
}

#[test]
fn contents_that_stall_are_given_up_after_the_time_given() {
    let folder = Folder::new().with("x", contents(SEGMENT, 1));
    let server = share(&folder, &[]);
    let proxy = Proxy::start(server.address(), &[Fault::Stall(5000)]);
    let target = Folder::in_memory();
    let options = ["x", "--stall", "200ms", "--retries", "0"];
    fetch(&proxy.at(), &target, &options).exits(1).says(&["too little came for 0.2 s"]);
    assert!(target.names().is_empty());
    server.stop();
}

/// Names are UTF-8: another is wrong usage, and reaches no terminal.
#[test]
fn a_name_that_is_not_utf_8_is_refused_in_words() {
    let argument = OsStr::from_bytes(b"caf\xe9\x1b[2J");
    let client = Launch::new("file-client").arg("127.0.0.1:1").arg(argument).run().exits(2);
    client.says(&["UTF-8"]);
}
