//! Downloads and lists.

use std::io;

use barewire_tests::harness::faults::{Call, Fault, FaultInjector};
use barewire_tests::harness::folder::contents;
use barewire_tests::harness::framed::Ask;
use barewire_tests::harness::{Folder, Launch, share};
use nix::errno::Errno;

use super::super::sweep::Expect::{Noted, Orderly, Told, Unseen};
use super::super::sweep::*;
use super::{ACCEPTING, ADDRESSES, OPENING, SERVING, converse, serve};

/// Its calls are those of one thread, on whatever machine, and of the workers.
const ALONE: &[&str] = &["--no-sandbox", "--threads", "1"];

/// What a file server does for a file.
const SENDING: &[Row] = &[
    // The folder.
    row(Call::OPEN, ".tmp", INTERRUPTED, Unseen),
    row(Call::OPEN, ".tmp", DESCRIPTORS, Told("cannot serve ")),
    row(Call::FSTATFS, ".tmp", INTERRUPTED, Unseen),
    row(Call::FSTATFS, ".tmp", &[Fault::Fails(Errno::EPERM), Fault::Fails(Errno::ENOSYS)], Unseen),
    row(Call::FSTATFS, ".tmp", IO, Told("cannot serve ")),
    row(Call::STATX, ".tmp", IO, Orderly),
    // How many processors there are: a cache is made for so many.
    row(Call::OPEN, "/proc/", IO, Unseen),
    row(Call::READ, "/proc/", PARTLY, Unseen),
    row(Call::READ, "/proc/", IO, Unseen),
    row(Call::STATX, "/proc/", IO, Unseen),
    row(Call::LSEEK, "", IO, Unseen),
    row(Call::STATX, "/x", IO, Noted),
    // Whether listings can be made.
    row(Call::MEMFD, "", DESCRIPTORS, Unseen),
    row(Call::OPEN_BENEATH, "x", NOT_READY, Unseen),
    row(Call::OPEN_BENEATH, "x", DESCRIPTORS, Orderly),
    row(Call::OPEN_BENEATH, "x", IO, Noted),
    row(Call::SENDFILE, "socket:", TRANSFER, Unseen),
    row(Call::SENDFILE, "socket:", IO, Noted),
    row(Call::SENDFILE, "socket:", &[Fault::Zero], Noted),
    row(Call::SENDFILE, "socket:", RESET, Orderly),
];

/// What more it does for digests.
const HASHING: &[Row] = &[
    row(Call::PREAD, "x", PARTLY, Unseen),
    row(Call::PREAD, "x", IO, Noted),
    row(Call::PREAD, "x", &[Fault::Zero], Noted),
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", RESET, Orderly),
    row(Call::SEND, "socket:", BROKEN, Orderly),
];

#[test]
fn verified_downloads() {
    let source = Folder::in_memory().with("x", contents(100_000, 1));
    let request = Ask::get("x").bytes();
    let healthy = share(&source, &[]);
    let whole = converse(healthy.address(), &request).expect("it is served");
    healthy.stop();
    let serve_with = |options: &[&str], injector: &FaultInjector, expect| {
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]).args(ALONE);
        serve(launch.args(options), injector, expect, |address| {
            let answer = converse(address, &request)?;
            if answer == whole { Ok(()) } else { Err(io::Error::other("not served")) }
        });
    };
    let run = |injector: &FaultInjector, expect| serve_with(&[], injector, expect);
    // Else it says on standard error, where it may be lost, what it serves.
    sweep(&[PRINTING], |injector, expect| serve_with(&["-q"], injector, expect));
    sweep(&[EXECUTOR, OPENING, ADDRESSES, SERVING, SENDING, HASHING], run);
    storm(&[EXECUTOR, OPENING, ADDRESSES, SERVING, SENDING, HASHING], run);
    census(&[EXECUTOR, OPENING, ADDRESSES, ACCEPTING, SERVING, SENDING, HASHING], run);
}

#[test]
fn plain_downloads() {
    let contents = contents(100_000, 1);
    let source = Folder::in_memory().with("x", &contents);
    let run = |injector: &FaultInjector, expect| {
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        serve(launch.args(ALONE), injector, expect, |address| {
            let answer = converse(address, b"x\n")?;
            if answer.is_empty() {
                return Err(io::Error::other("refused"));
            }
            // Nothing else tells a client of the plain form a part from the whole.
            assert!(answer == contents, "{} bytes of it end in order", answer.len());
            Ok(())
        });
    };
    sweep(&[SENDING], run);
    storm(&[SENDING], run);
    census(&[EXECUTOR, OPENING, ADDRESSES, ACCEPTING, SERVING, SENDING], run);
}

/// What a file server does for a list.
const LISTING: &[Row] = &[
    row(Call::OPEN_BENEATH, "", NOT_READY, Unseen),
    row(Call::OPEN_BENEATH, "", DESCRIPTORS, Orderly),
    // The first, of `.`, looks whether there is such a call.
    row(Call::OPEN_BENEATH, "./", IO, Noted),
    row(Call::GETDENTS, "", IO, Noted),
    // What has the name, and where a link leads.
    row(Call::STATX, "beside", IO, Noted),
    row(Call::STATX, "/a", IO, Noted),
    row(Call::STATX, "memfd:", IO, Orderly),
    row(Call::MEMFD, "", DESCRIPTORS, Orderly),
    row(Call::PWRITE, "memfd:", PARTLY, Unseen),
    row(Call::PWRITE, "memfd:", &[Fault::Fails(Errno::ENOMEM)], Orderly),
    row(Call::PREAD, "memfd:", PARTLY, Unseen),
    row(Call::PREAD, "memfd:", IO, Orderly),
];

#[test]
fn listings() {
    let source = Folder::in_memory().with("a", "1").with("beside/c", "2").with_link("d", "a");
    let request = Ask::list("").bytes();
    let healthy = share(&source, &[]);
    let whole = converse(healthy.address(), &request).expect("it is served");
    healthy.stop();
    let run = |injector: &FaultInjector, expect| {
        let launch = Launch::new("file-server").args(["127.0.0.1:0", source.arg()]);
        serve(launch.args(ALONE), injector, expect, |address| {
            let answer = converse(address, &request)?;
            if answer == whole {
                return Ok(());
            }
            // A status: one with contents must be the whole list.
            assert!(answer.get(4) != Some(&0), "a part of the list is passed off as all of it");
            Err(io::Error::other("refused"))
        });
    };
    sweep(&[LISTING], run);
    storm(&[LISTING], run);
    census(&[EXECUTOR, OPENING, ADDRESSES, ACCEPTING, SERVING, SENDING, HASHING, LISTING], run);
}
