//! What else a file client does: folders, lists, contents to a pipe, a name from a pipe.

use std::io::{self, Write as _};

use barewire_tests::harness::faults::{Call, FaultInjector};
use barewire_tests::harness::{Finished, Folder, Launch, Server, share};

use super::file_client::{DOWNLOAD, UNNAMED};
use super::sweep::Expect::{Orderly, Told, Unseen};
use super::sweep::*;

/// What the network may do to any of it.
const NETWORK: &[Row] = &[
    row(Call::RECV, "socket:", TRANSFER, Unseen),
    row(Call::RECV, "socket:", BROKEN, Orderly),
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", BROKEN, Orderly),
];

fn tree() -> Folder {
    Folder::in_memory().with("t/a", "first").with("t/b/c", "second").with("t/b/d", "")
}

fn client(server: &Server, arguments: &[&str]) -> Launch {
    let launch = Launch::new("file-client").arg(server.at()).args(arguments);
    launch.args(["--retries", "0"])
}

fn is_whole(target: &Folder, finished: &Finished) {
    for (name, contents) in [("t/a", "first"), ("t/b/c", "second"), ("t/b/d", "")] {
        let found = std::fs::read(target.path(name)).ok();
        assert_eq!(found.as_deref(), Some(contents.as_bytes()), "{name}: {finished:?}");
    }
}

const TREE: &[Row] = &[
    row(Call::MKDIR, "", IO, Told("cannot")),
    row(Call::MKDIR, "", NO_ROOM, Told("cannot")),
    row(Call::OPEN, "", INTERRUPTED, Unseen),
    // Only a hint.
    row(Call::FADVISE, "/#", IO, Unseen),
    row(Call::LINK, "", IO, Unseen),
    row(Call::UTIMENS, "/#", IO, Told("cannot complete")),
    row(Call::FSYNC, "", INTERRUPTED, Unseen),
    row(Call::FSYNC, "/#", IO, Told("cannot complete")),
    // Whether there is a disk to be waited for.
    row(Call::FSTATFS, "", IO, Unseen),
];

/// A folder of which a part failed is filled up by the next run.
#[test]
fn a_tree() {
    let source = tree();
    let server = share(&source, &["-q"]);
    let run = |injector: &FaultInjector, expect| {
        let target = Folder::in_memory();
        let launch = client(&server, &["-r", "t", "-d", target.arg()]);
        let finished = launch.with_faults(injector).run();
        judge(injector, expect, &finished, |finished| is_whole(&target, finished));
        let again = client(&server, &["-r", "t", "--force", "-d", target.arg()]).run();
        is_whole(&target, &again.exits(0));
    };
    sweep(&[NETWORK, TREE], run);
    storm(&[NETWORK, TREE], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, DOWNLOAD, UNNAMED, TREE], run);
}

#[test]
fn a_list() {
    let source = tree();
    let server = share(&source, &["-q"]);
    let whole = client(&server, &["--list", "t"]).run().exits(0);
    let run = |injector: &FaultInjector, expect| {
        let finished = client(&server, &["--list", "t"]).with_faults(injector).run();
        judge(injector, expect, &finished, |finished| {
            assert_eq!(finished.output(), whole.output());
        });
    };
    sweep(&[NETWORK], run);
    storm(&[NETWORK], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, DOWNLOAD], run);
}

const PIPED: &[Row] = &[
    row(Call::WRITE, "pipe:", PARTLY, Unseen),
    row(Call::WRITE, "pipe:", IO, Told("standard output")),
    row(Call::FCNTL, "pipe:", DESCRIPTORS, Orderly),
    row(Call::POLL, "", INTERRUPTED, Unseen),
];

/// What has come to a pipe cannot be taken back, but it is never more than a beginning.
#[test]
fn contents_to_a_pipe() {
    let contents = "a line of the contents\n".repeat(500);
    let source = Folder::in_memory().with("x", &contents);
    let server = share(&source, &["-q"]);
    let run = |injector: &FaultInjector, expect| {
        let finished = client(&server, &["x", "-o", "-", "-q"]).with_faults(injector).run();
        judge(injector, expect, &finished, |finished| assert_eq!(finished.output(), contents));
        assert!(contents.starts_with(finished.output()), "{injector}: {finished:?}");
    };
    sweep(&[NETWORK, PIPED], run);
    storm(&[NETWORK, PIPED], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, DOWNLOAD, PIPED], run);
}

const ASKED: &[Row] =
    &[row(Call::READ, "pipe:", PARTLY, Unseen), row(Call::READ, "pipe:", IO, Told("file name"))];

#[test]
fn a_name_from_a_pipe() {
    let source = Folder::in_memory().with("x", "contents");
    let server = share(&source, &["-q"]);
    let run = |injector: &FaultInjector, expect| {
        let target = Folder::in_memory();
        let (input, mut typed) = io::pipe().expect("a pipe");
        writeln!(typed, "x").expect("room");
        drop(typed);
        let launch = client(&server, &["-d", target.arg()]).stdin(input);
        let finished = launch.with_faults(injector).run();
        judge(injector, expect, &finished, |_| target.assert_holds("x", b"contents"));
    };
    sweep(&[ASKED], run);
    storm(&[ASKED], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, DOWNLOAD, UNNAMED, ASKED], run);
}
