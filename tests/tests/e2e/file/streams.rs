//! Devices and FIFOs as `-o`, and a standard output that is none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;

use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::SEGMENT;
use barewire_tests::harness::{Folder, Launch, share};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::{begin, fetch};

#[test]
fn a_fifo_is_written_to_and_stays_one() {
    let whole = contents(2 * SEGMENT + 5, 1);
    let folder = Folder::new().with("x", &whole);
    let server = share(&folder, &[]);
    let target = Folder::new();
    mkfifo(&target.path("fifo"), Mode::S_IRWXU).unwrap();
    for options in [&["x", "-o", "fifo"][..], &["x", "-o", "fifo", "--force"]] {
        let mut client = begin(&server.at(), &target, options).spawn();
        client.diagnostic_with(&["waiting for somebody who reads fifo"]);
        let mut found = Vec::new();
        File::open(target.path("fifo")).unwrap().read_to_end(&mut found).unwrap();
        assert!(found == whole, "{} bytes", found.len());
        client.finish().exits(0).prints("x: 2.00 MiB in ").prints("(verified)");
        assert!(fs::symlink_metadata(target.path("fifo")).unwrap().file_type().is_fifo());
        assert_eq!(target.names(), ["fifo"]);
    }
    server.stop();
}

/// Who named it wanted all of it there.
#[test]
fn a_fifo_must_be_read_to_the_end() {
    let folder = Folder::in_memory().with_sparse("big", 64 << 20, &[]);
    let server = share(&folder, &[]);
    let target = Folder::new();
    mkfifo(&target.path("fifo"), Mode::S_IRWXU).unwrap();
    for form in [&[][..], &["--json"], &["--plain"]] {
        let options = [&["big", "-o", "fifo"], form].concat();
        let client = begin(&server.at(), &target, &options).spawn();
        File::open(target.path("fifo")).unwrap().read_exact(&mut [0; 1000]).unwrap();
        let client = client.finish().exits(1).omits("downloaded").omits("big: 64");
        client.says(&["cannot write to fifo: nobody reads it any more"]);
    }
    server.stop();
}

/// Also through a link, and as the one that standard output is.
#[test]
fn devices_are_written_to_and_never_replaced() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &[]);
    let target = Folder::new().with_link("null", "/dev/null").with_link("out", "/dev/stdout");
    for options in [&["x", "-o", "null"][..], &["x", "-o", "null", "--force"]] {
        fetch(&server.at(), &target, options).exits(0).is_silent().prints("x: 8 B in ");
        assert!(target.path("null").is_symlink());
    }
    fetch(&server.at(), &target, &["x", "--json", "-o", "/dev/null"]).exits(0).event("downloaded");
    for path in ["/dev/stdout", "/proc/self/fd/1", "out"] {
        for options in [&["x", "-o", path][..], &["x", "--force", "-o", path]] {
            let client = fetch(&server.at(), &target, options).exits(0);
            assert_eq!(client.output(), "contents");
        }
        // It may be a file as well.
        let file = File::create(target.path("file")).unwrap();
        begin(&server.at(), &target, &["x", "--force", "-o", path]).stdout(file).run().exits(0);
        assert_eq!(target.read("file"), b"contents");
        fetch(&server.at(), &target, &["x", "--json", "-o", path]).exits(2).says(&["mixed up"]);
    }
    assert!(target.path("out").is_symlink());
    server.stop();
}

/// `program >&-`: what is asked for goes nowhere, and that is said.
#[test]
fn a_closed_standard_output_is_an_error() {
    let folder = Folder::new().with("x", "contents").with("empty", "");
    let server = share(&folder, &[]);
    let address = server.at();
    for arguments in [
        &[&address, "x", "-o", "-"][..],
        &[&address, "empty", "-o", "-"],
        &[&address, "x", "-o", "/dev/stdout"],
        &[&address, "--list"],
        &[&address, "x", "--json", "--force"],
        &[&address, "-r", "x", "--force"],
        &["--help"],
        &["--version"],
        &["--man"],
    ] {
        let target = Folder::new();
        let launch = Launch::through_shell("exec \"$0\" \"$@\" >&-", "file-client");
        let client = launch.args(arguments).within(&target).run();
        let told =
            ["cannot write to standard output: it is closed", "cannot write to /dev/stdout: "];
        client.exits(1).says(&told);
    }
    server.stop();
}

/// Whoever wants nothing of it says so in another way.
#[test]
fn a_standard_output_that_forgets_is_none_that_is_closed() {
    let folder = Folder::new().with("x", "contents");
    let server = share(&folder, &[]);
    for writes in [true, false] {
        let null = OpenOptions::new().read(true).write(writes).open("/dev/null").unwrap();
        let null = if writes { null } else { File::create("/dev/null").unwrap() };
        let client = begin(&server.at(), &Folder::new(), &["x", "-o", "-"]).stdout(null).run();
        client.exits(0);
    }
    let (mut reader, writer) = io::pipe().unwrap();
    begin(&server.at(), &Folder::new(), &["x", "-o", "-"]).stdout(writer).run().exits(0);
    let mut found = String::new();
    reader.read_to_string(&mut found).unwrap();
    assert_eq!(found, "contents");
    server.stop();
}
