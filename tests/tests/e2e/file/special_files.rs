//! A FIFO, a socket, a device or a folder asked for as a file (filebrowser#1155, bun#36156): a quick
//! refusal, and nobody else waits.

use std::io::Write;
use std::os::unix::net::UnixListener;

use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::sockets::{End, connect, read_out};
use barewire_tests::harness::{Folder, share};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = Folder::new()
        .with("x", "contents")
        .with_folder("sub")
        .with_link("to-fifo", "fifo")
        .with_link("to-socket", "socket");
    // Nobody writes to it: to open it for reading the usual way takes for ever.
    mkfifo(&folder.path("fifo"), Mode::S_IRWXU).unwrap();
    let _listener = UnixListener::bind(folder.path("socket")).unwrap();
    let server = share(&folder, &["--timeout", "1h"]);
    let mut other = connect(server.address());
    for name in ["fifo", "socket", "sub", "to-fifo", "to-socket"] {
        assert_eq!(Ask::get(name).status(server.address()), 2, "{name}");
        let list = Ask::list(name).status(server.address());
        assert_eq!(list == 0, name == "sub", "the list of {name}: {list}");
        // In between, on a connection of its own, somebody else is served.
        assert_eq!(Ask::get("x").fetch(&mut other).1, b"contents");

        let mut plain = connect(server.address());
        plain.write_all(format!("{name}\n").as_bytes()).unwrap();
        assert_eq!(read_out(&mut plain), (vec![], End::Closed), "{name}");
    }
    drop(other);
    server.stop().prints("fifo: refused");
}

/// Endless zeros, an endless wait, a tape that would rewind.
#[test]
fn devices_are_refused() {
    let server = share("/dev", &[]);
    for name in ["null", "zero", "tty", "full", "urandom"] {
        let status = Ask::get(name).status(server.address());
        assert!(matches!(status, 1 | 2), "{name}: {status}");
    }
    assert_eq!(Ask::get("zero").status(server.address()), 2);
    assert_eq!(Ask::get("null").status(server.address()), 2);
    server.stop();
}

/// The size of what the kernel makes when it is read is 0, or a page, whatever comes of it (go#10699).
#[test]
fn files_whose_size_says_nothing_are_refused() {
    for (root, names) in [
        ("/proc", &["version", "self/status", "sys/kernel/ostype"][..]),
        ("/sys", &["kernel/uevent_seqnum", "kernel/notes"]),
        ("/", &["proc/version", "proc/self/maps", "sys/kernel/notes"]),
    ] {
        let server = share(root, &[]);
        for name in names {
            if !std::path::Path::new(root).join(name).exists() {
                continue;
            }
            assert_eq!(Ask::get(*name).status(server.address()), 2, "{root}, {name}");
        }
        server.stop().says(&["its size cannot be trusted"]);
    }
}
