//! Where contents go, what is shown meanwhile, and what `--list` prints.

use std::io::{self, Read};

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::{DIGEST, RESPONSE, SEGMENT};
use barewire_tests::harness::{Fault, Folder, Proxy, share};
use nix::sys::signal::Signal;

use super::{begin, fetch};
use crate::common::frozen::wait_until_idle;

#[test]
fn a_file_is_written_under_another_name() {
    let folder = Folder::in_memory().with("x", "contents");
    let server = share(&folder, &[]);
    let target = Folder::in_memory().with_folder("sub");
    fetch(&server.at(), &target, &["x", "-o", "sub/mine"]).exits(0);
    fetch(&server.at(), &target, &["x", "--output", "./-"]).exits(0);
    assert_eq!(target.read("sub/mine"), b"contents");
    assert_eq!(target.names(), ["-", "sub"]);
    server.stop();
}

#[test]
fn contents_go_to_standard_output_and_nothing_else_does() {
    let whole = contents(2 * SEGMENT + 5, 1);
    let folder = Folder::in_memory().with("x", &whole).with("empty", "");
    let server = share(&folder, &[]);
    let target = Folder::in_memory();
    for options in [&["x"][..], &["x", "--no-verify"], &["x", "--plain"], &["empty"]] {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let client = begin(&server.at(), &target, &[options, &["-o", "-"]].concat());
        let client = client.stdout(writer).spawn();
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        client.finish().exits(0);
        let expected = if options == ["empty"] { &[][..] } else { &whole };
        assert!(found == expected, "{options:?}: {} bytes", found.len());
    }
    assert!(target.names().is_empty());
    server.stop();
}

/// The second segment is damaged on its way: only the first, which has verified, may have been
/// written by then, and in the end all of it is right.
#[test]
fn only_what_has_verified_reaches_standard_output() {
    let whole = contents(3 * SEGMENT, 2);
    let folder = Folder::in_memory().with("x", &whole);
    let server = share(&folder, &[]);
    let damage = Fault::Flip((RESPONSE + SEGMENT + DIGEST + 1000) as u64);
    for (retries, expected) in [("0", &whole[..SEGMENT]), ("3", &whole)] {
        let proxy = Proxy::start(server.address(), &[damage]);
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let options = ["x", "-o", "-", "--retries", retries];
        let client = begin(&proxy.at(), &Folder::in_memory(), &options).stdout(writer).spawn();
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        client.finish().exits(i32::from(retries == "0")).says(&["verif", "digest", "damaged"]);
        assert!(found == expected, "{} bytes", found.len());
    }
    server.stop();
}

#[test]
fn a_reader_who_has_gone_is_no_failure() {
    let folder = Folder::in_memory().with_sparse("big", 64 << 20, &[]);
    let server = share(&folder, &[]);
    for options in [&["big", "-o", "-"][..], &["big", "-o", "-", "--plain"]] {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let client = begin(&server.at(), &folder, options).stdout(writer).spawn();
        reader.read_exact(&mut [0; 1000]).unwrap();
        drop(reader);
        client.finish().exits(0).is_silent();
    }
    server.stop();
}

/// And never one that passes for the whole.
#[test]
fn that_a_reader_has_gone_is_told_to_who_wants_to_know() {
    let folder = Folder::in_memory().with_sparse("big", 64 << 20, &[]);
    let server = share(&folder, &[]);
    let hash = "0".repeat(64);
    for (option, code, words) in [
        (&["-v"][..], 0, "big: nobody reads any more (what was written is not the whole of it)"),
        (&["--expect", &hash], 1, "nobody reads it any more, so its hash was not compared"),
    ] {
        let (mut reader, writer) = io::pipe().expect("a pipe");
        let options = [&["big", "-o", "-"][..], option].concat();
        let client = begin(&server.at(), &folder, &options).stdout(writer).spawn();
        reader.read_exact(&mut [0; 1000]).unwrap();
        drop(reader);
        let client = client.finish().exits(code).says(&[words]);
        assert!(!client.error().contains("verified"), "{client:?}");
    }
    server.stop();
}

/// He has stalled, and the pipe is full: a signal ends the program as anywhere else.
#[test]
fn a_signal_ends_the_wait_for_a_reader() {
    let folder = Folder::in_memory().with_sparse("big", 64 << 20, &[]);
    let server = share(&folder, &[]);
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        for options in [&["big", "-o", "-"][..], &["big", "-o", "-", "--plain"]] {
            let (mut reader, writer) = io::pipe().expect("a pipe");
            let client = begin(&server.at(), &folder, options).stdout(writer).spawn();
            reader.read_exact(&mut [0; 1000]).unwrap();
            wait_until_idle(&client);
            client.signal(signal);
            client.finish().exits(code).says(&["big: interrupted (what was written is not"]);
        }
    }
    server.stop();
}

/// Neither the contents nor the word that they are there.
#[test]
fn what_cannot_be_written_to_standard_output_is_told() {
    let folder = Folder::in_memory().with("x", "contents");
    let server = share(&folder, &[]);
    for options in [&["x", "-o", "-"][..], &["x"], &["x", "--json"], &["--list"]] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("full(4)");
        let client = begin(&server.at(), &Folder::in_memory(), options).stdout(full).run();
        client.exits(1).says(&["standard output"]);

        let (reader, writer) = io::pipe().expect("a pipe");
        drop(reader);
        let target = Folder::in_memory();
        begin(&server.at(), &target, options).stdout(writer).run().exits(0);
        assert_eq!(target.has("x"), !options.contains(&"-") && options[0] == "x");
    }
    server.stop();
}

#[test]
fn progress_is_for_terminals_and_quiet_for_nobody() {
    let folder = Folder::in_memory().with("x", contents(4 * SEGMENT, 1));
    let server = share(&folder, &[]);
    for options in [&["x"][..], &["x", "-q"], &["x", "--json"]] {
        fetch(&server.at(), &Folder::in_memory(), options).exits(0).is_silent();
    }
    let quiet = ["x", "-q"];
    let client = begin(&server.at(), &Folder::in_memory(), &quiet).terminal().run().exits(0);
    assert!(client.error().is_empty(), "{client:?}");
    // It is drawn from the beginning, and gone in the end.
    let target = Folder::in_memory();
    let proxy = Proxy::start(server.address(), &[Fault::Stall(2 * SEGMENT as u64)]);
    let client = begin(&proxy.at(), &target, &["x"]).terminal().spawn();
    proxy.stalled();
    client.signal(Signal::SIGINT);
    let client = client.finish().exits(130);
    assert!(client.error().contains('\x1b'), "nothing was drawn: {client:?}");
    server.stop();
}

#[test]
fn a_list_is_shown_in_columns() {
    let folder = Folder::in_memory().with("file", "seven b").with("large", vec![0; 12345]);
    let folder = folder.with("dir/inner", "").with("odd\u{202e}name", "");
    let server = share(&folder, &[]);
    for names in [&[][..], &["."]] {
        let list = fetch(&server.at(), &folder, &[names, &["--list"]].concat()).exits(0);
        let list = list.is_silent();
        let lines: Vec<_> = list.output().lines().collect();
        assert_eq!(lines.len(), 4, "{list:?}");
        assert!(lines[0].ends_with("dir/"), "{list:?}");
        assert!(lines[1].contains("    7  20") && lines[1].ends_with("file"), "{list:?}");
        assert!(lines[2].contains("12345  20") && lines[2].ends_with("large"), "{list:?}");
        assert!(lines[3].ends_with(r"odd\u{202e}name"), "{list:?}");
    }
    // Several have headings; one that is none does not keep the others.
    let lists = fetch(&server.at(), &folder, &["--list", "dir", "no", "."]).exits(1);
    lists.says(&["no: "]).prints("dir").prints("inner").prints("large");
    server.stop();
}

#[test]
fn a_list_is_records_for_scripts() {
    let folder = Folder::in_memory().with("file", "seven b").with_folder("dir");
    let server = share(&folder, &[]);
    let list = fetch(&server.at(), &folder, &["--list", "--json"]).exits(0).is_silent();
    let entries = list.events();
    assert_eq!(entries.len(), 2, "{list:?}");
    for (entry, (name, size, directory)) in
        entries.iter().zip([("dir", 0, true), ("file", 7, false)])
    {
        assert_eq!((&entry["event"], &entry["name"]), (&"entry".into(), &name.into()));
        assert_eq!((&entry["size"], &entry["directory"]), (&size.into(), &directory.into()));
        assert!(entry["modified"].as_i64().is_some_and(|m| m > 1_600_000_000), "{entry}");
    }
    fetch(&server.at(), &folder, &["--list", "--json", "file"]).exits(1).event("error");
    server.stop();
}
