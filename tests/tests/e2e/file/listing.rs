//! What a server lists.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use barewire_tests::harness::framed::{Ask, SEGMENT};
use barewire_tests::harness::sockets::connect;
use barewire_tests::harness::{Folder, Server, share};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::fetch;

/// The lines of the list of `name`, split at the tabs.
#[track_caller]
fn list(server: &Server, name: &str) -> Vec<(u64, i64, String)> {
    let (reply, text) = Ask::list(name).fetch(&mut connect(server.address()));
    assert_eq!(reply.status, 0, "{name:?}");
    let text = String::from_utf8(text).expect("a list is UTF-8");
    assert!(text.is_empty() || text.ends_with('\n'), "{text:?}");
    let entry = |line: &str| {
        let [size, modified, name] = line.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{line:?}")
        };
        (size.parse().unwrap(), modified.parse().unwrap(), name.to_owned())
    };
    text.lines().map(entry).collect()
}

#[track_caller]
fn names(server: &Server, name: &str) -> Vec<String> {
    list(server, name).into_iter().map(|(_, _, name)| name).collect()
}

#[test]
fn a_list_tells_size_time_and_kind() {
    let folder = Folder::in_memory().with("file", "seven b").with_folder("dir");
    let modified = UNIX_EPOCH + Duration::from_millis(1_234_567_890_999);
    File::open(folder.path("file")).unwrap().set_modified(modified).unwrap();
    File::open(folder.path("dir")).unwrap().set_modified(modified).unwrap();
    let server = share(&folder, &[]);
    let expected = [(0, 1_234_567_890, "dir/".to_owned()), (7, 1_234_567_890, "file".to_owned())];
    for root in ["", ".", "./", "dir/.."] {
        assert_eq!(list(&server, root), expected, "{root:?}");
    }
    for empty in ["dir", "dir/", "./dir"] {
        assert_eq!(list(&server, empty), [], "{empty:?}");
    }
    server.stop();
}

/// Before 1970 the seconds are negative, and rounded down.
#[test]
fn old_times_are_listed() {
    let folder = Folder::in_memory().with("old", "");
    let old = UNIX_EPOCH - Duration::from_millis(1500);
    File::open(folder.path("old")).unwrap().set_modified(old).unwrap();
    let server = share(&folder, &[]);
    assert_eq!(list(&server, ""), [(0, -2, "old".to_owned())]);
    server.stop();
}

/// By their bytes, and a folder among the files as if it had no slash.
#[test]
fn a_list_is_sorted_bytewise() {
    let folder = Folder::in_memory().with_folder("a").with_folder("b.d");
    for name in ["b", "B", "a b", "ä", "a-b", "10", "9", "a\\b", "~"] {
        folder.write(name, "");
    }
    let server = share(&folder, &[]);
    assert_eq!(
        names(&server, ""),
        ["10", "9", "B", "a/", "a b", "a-b", "a\\b", "b", "b.d/", "~", "ä"]
    );
    server.stop();
}

#[test]
fn links_are_listed_as_what_they_lead_to_inside() {
    let outside = Folder::in_memory().with("secret", "outside");
    let folder = Folder::in_memory()
        .with("sub/file", "seven b")
        .with_link("to-file", "sub/file")
        .with_link("to-link", "to-file")
        .with_link("sub/up", "../to-file")
        .with_link("to-folder", "sub")
        .with_link("sub/loop", "..")
        .with_link("dangling", "nowhere")
        .with_link("absolute", outside.path("secret"))
        .with_link("self", "self");
    // The two lie side by side.
    let way_out = Path::new("..").join(outside.as_ref().file_name().unwrap()).join("secret");
    assert!(folder.as_ref().join(&way_out).exists());
    symlink(way_out, folder.path("out")).unwrap();
    symlink(folder.path("sub/file"), folder.path("absolute-inside")).unwrap();
    let server = share(&folder, &[]);
    assert_eq!(names(&server, ""), ["sub/", "to-file", "to-folder@", "to-link"]);
    assert_eq!(names(&server, "sub"), ["file", "loop@", "up"]);
    for (size, _, name) in list(&server, "sub") {
        assert_eq!(size, if name == "loop@" { 0 } else { 7 }, "{name}");
    }
    // A link to a folder is told, and can be asked for as the folder it leads to.
    assert_eq!(names(&server, "to-folder"), names(&server, "sub"));
    // What is listed can be had.
    for name in ["to-file", "to-link", "sub/up"] {
        assert_eq!(Ask::get(name).fetch(&mut connect(server.address())).1, b"seven b", "{name}");
    }
    server.stop();
}

/// What could not be had is not there; what could not be told is counted.
#[test]
fn what_a_list_cannot_tell_is_counted_in_its_last_line() {
    let folder = Folder::in_memory().with("plain", "").with("at@", "").with_folder("folder@");
    mkfifo(&folder.path("fifo"), Mode::S_IRWXU).unwrap();
    let _socket = UnixListener::bind(folder.path("socket")).unwrap();
    for name in [&b"esc\x1b[31m"[..], b"line\nfeed", b"tab\t", b"del\x7f", b"\xff", b"c1\xc2\x9b"] {
        fs::write(folder.as_ref().join(OsStr::from_bytes(name)), "").unwrap();
    }
    // These are odd, but harmless: it is the client's screen that must not obey them.
    folder.write("rtl\u{202e}", "");
    folder.write(" ", "");
    let server = share(&folder, &[]);
    let (_, text) = Ask::list("").fetch(&mut connect(server.address()));
    let text = String::from_utf8(text).expect("a list is UTF-8");
    let (entries, last) = text.trim_end().rsplit_once('\n').expect("lines");
    let names: Vec<_> = entries.lines().filter_map(|line| line.rsplit('\t').next()).collect();
    assert_eq!(names, [" ", "folder@/", "plain", "rtl\u{202e}"]);
    assert_eq!(last, "-\t7");
    assert!(text.ends_with("-\t7\t\n"), "{text:?}");
    for options in [&["--list"][..], &["-r", "--json"]] {
        let target = Folder::new();
        let client = fetch(&server.at(), &target, options).exits(1);
        client.says(&[".: 7 entries are left out"]).prints("plain");
    }
    server.stop();
}

#[test]
fn hidden_files_and_parts_are_not_there_without_hidden() {
    let folder = Folder::new().with("a", "shown").with(".hidden", "hidden").with("b.part", "part");
    let folder = folder.with("b.part.journal", "journal").with(".git/config", "hidden");
    let folder = folder.with_link("shown", ".git/config");
    let server = share(&folder, &[]);
    assert_eq!(names(&server, ""), ["a", "shown"]);
    // Who made that link wanted it so.
    assert_eq!(Ask::get("shown").fetch(&mut connect(server.address())).1, b"hidden");
    for name in [".hidden", "b.part", "b.part.journal", ".git/config", ".git/nothing", ".nothing"] {
        assert_eq!(Ask::get(name).status(server.address()), 1, "{name}");
    }
    assert_eq!(Ask::list(".git").status(server.address()), 1);
    assert_eq!(Ask::get("../.hidden").status(server.address()), 2);
    let target = Folder::new();
    fetch(&server.at(), &target, &["-r"]).exits(0).is_silent();
    assert_eq!(target.names(), ["a", "shown"]);
    server.stop();
    let server = share(&folder, &["--hidden"]);
    assert_eq!(names(&server, ""), [".git/", ".hidden", "a", "b.part", "b.part.journal", "shown"]);
    for name in [".hidden", "b.part", "b.part.journal", ".git/config"] {
        assert_eq!(Ask::get(name).status(server.address()), 0, "{name}");
    }
    server.stop();
}

/// More than a segment: a list is cut and proven as a file is.
#[test]
fn a_long_list_is_a_file_like_any_other() {
    let folder = Folder::in_memory();
    let name = |number: usize| format!("{number:0>250}");
    for number in 0..4100 {
        File::create(folder.path(&name(number))).unwrap();
    }
    let server = share(&folder, &[]);
    let mut stream = connect(server.address());
    let (whole, text) = Ask::list("").fetch(&mut stream);
    assert!(text.len() > SEGMENT, "{}", text.len());
    assert_eq!(text.split(|byte| *byte == b'\n').count(), 4100 + 1);
    let (rest, behind) = Ask::list("").from(SEGMENT as u64, whole.tag).fetch(&mut stream);
    assert_eq!((rest.offset, rest.tag), (SEGMENT as u64, whole.tag));
    assert!(behind == text[SEGMENT..]);
    folder.write("new", "");
    let (anew, _) = Ask::list("").from(SEGMENT as u64, whole.tag).fetch(&mut stream);
    assert_eq!(anew.offset, 0, "it is another version");
    drop(stream);
    server.stop();
}
