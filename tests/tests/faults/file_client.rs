//! A download whose client's calls fail.

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::folder::contents;
use barewire_tests::harness::{Folder, Launch, Server, share};
use nix::errno::Errno;

use super::sweep::Expect::{Orderly, Told, Unseen};
use super::sweep::*;

/// One segment, and a half that is to come when the first has verified.
const RESUMED: usize = (1 << 20) + (1 << 19);

/// So much that a thread of its own writes the end of it.
const BEHIND: usize = (4 << 20) + (1 << 19);

/// What every call of a download may come to.
pub(crate) const DOWNLOAD: &[Row] = &[
    row(Call::PRLIMIT, "", &[Fault::Fails(Errno::EPERM)], Unseen),
    row(Call::SOCKET, "", DESCRIPTORS, Told("connect to 127.0.0.1:")),
    // A wide receive buffer is not needed, but it is that it can be read.
    row(Call::SETSOCKOPT, "socket:", MEMORY, Orderly),
    row(Call::CONNECT, "socket:", INTERRUPTED, Unseen),
    row(Call::CONNECT, "socket:", UNREACHABLE, Told("connect to 127.0.0.1:")),
    row(Call::EPOLL_CTL, "socket:", MEMORY, Told("connect to 127.0.0.1:")),
    row(Call::GETSOCKOPT, "socket:", MEMORY, Told("connect to 127.0.0.1:")),
    row(Call::GETSOCKNAME, "socket:", MEMORY, Unseen),
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", BROKEN, Told("x: 127.0.0.1:")),
    row(Call::SHUTDOWN, "socket:", RESET, Orderly),
    row(Call::RECV, "socket:", TRANSFER, Unseen),
    // What has verified is whole, whatever comes after it.
    row(Call::RECV, "socket:", BROKEN, Orderly),
    // Before the first answer that is how a server ends that knows the plain form only.
    row(Call::RECV, "socket:", RESET, Orderly),
    row(Call::OPEN, "", INTERRUPTED, Unseen),
    row(Call::STATX, "x", IO, Told("x: ")),
    row(Call::FCNTL, "", DESCRIPTORS, Orderly),
    // A thread gives it its name, or else nobody needs one.
    row(Call::CLONE, "", &[Fault::Fails(Errno::EAGAIN)], Unseen),
    row(Call::FSYNC, "", INTERRUPTED, Unseen),
    row(Call::FSYNC, "", IO, Told("x: ")),
    // Without it nothing can be resumed after a crash, which is not this run's concern.
    row(Call::READ, "boot_id", PARTLY, Unseen),
    row(Call::READ, "boot_id", IO, Unseen),
    // What the user lets new files be can be asked for otherwise.
    row(Call::READ, "/status", IO, Unseen),
];

/// What more there is to one with a part that has a name.
const NAMED: &[Row] = &[
    // What room there is, the contents will tell.
    row(Call::FSTATFS, "x.part", IO, Unseen),
    row(Call::OPEN, "x.part", DESCRIPTORS, Told("x: ")),
    row(Call::OPEN, "x.part", NO_ROOM, Told("x: ")),
    row(Call::FLOCK, "x.part", INTERRUPTED, Unseen),
    row(Call::FLOCK, "x.part", IO, Told("x: ")),
    row(Call::PWRITE, "x.part", PARTLY, Unseen),
    row(Call::PWRITE, "x.part", IO, Told("x: ")),
    row(Call::PWRITE, "x.part", NO_ROOM, Told("no room for ")),
    row(Call::FCHMOD, "x.part", INTERRUPTED, Unseen),
    row(Call::FCHMOD, "x.part", IO, Told("x: ")),
    // The file system has no permissions.
    row(Call::FCHMOD, "x.part", &[Fault::Fails(Errno::EPERM)], Unseen),
    row(Call::UTIMENS, "x.part", INTERRUPTED, Unseen),
    row(Call::UTIMENS, "x.part", IO, Told("x: ")),
    row(Call::FSYNC, "x.part", INTERRUPTED, Unseen),
    row(Call::FSYNC, "x.part", DISK, Told("x: ")),
    row(Call::RENAME, "x.part", DISK, Told("x: ")),
    // The file system cannot rename so; there are older ways.
    row(Call::RENAME, "x.part", &[Fault::Fails(Errno::EINVAL)], Unseen),
    row(Call::UNLINK, "x.part", IO, Orderly),
];

/// What more there is to one of a single segment, which has no name until it is complete.
pub(crate) const UNNAMED: &[Row] = &[
    row(Call::OPEN, "/#", INTERRUPTED, Unseen),
    // It has a part with a name, then.
    row(Call::OPEN, "/#", DESCRIPTORS, Unseen),
    row(Call::OPEN, "/#", NO_ROOM, Unseen),
    row(Call::OPEN, "/#", &[Fault::Fails(Errno::EOPNOTSUPP)], Unseen),
    row(Call::PWRITE, "/#", PARTLY, Unseen),
    row(Call::PWRITE, "/#", IO, Told("x: ")),
    row(Call::PWRITE, "/#", NO_ROOM, Told("no room for ")),
    row(Call::FCHMOD, "/#", INTERRUPTED, Unseen),
    row(Call::FCHMOD, "/#", IO, Told("x: ")),
    // The file system has no permissions.
    row(Call::FCHMOD, "/#", &[Fault::Fails(Errno::EPERM)], Unseen),
    row(Call::UTIMENS, "/#", INTERRUPTED, Unseen),
    row(Call::UTIMENS, "/#", IO, Told("x: ")),
    row(Call::FSYNC, "/#", INTERRUPTED, Unseen),
    row(Call::FSYNC, "/#", DISK, Told("x: ")),
    row(Call::LINK, "", INTERRUPTED, Unseen),
    // Without a privilege it goes another way, or else by a part with a name.
    row(Call::LINK, "", &[Fault::Fails(Errno::ENOENT), Fault::Fails(Errno::EXDEV)], Unseen),
    row(Call::LINK, "", DISK, Unseen),
];

/// What more there is to a download that goes on from a part.
const GOING_ON: &[Row] = &[
    row(Call::PREAD, "x.part.journal", PARTLY, Orderly),
    row(Call::PREAD, "x.part.journal", IO, Told("x: ")),
    // What is there is read again, and checked.
    row(Call::PREAD, "x.part", PARTLY, Unseen),
    row(Call::PREAD, "x.part", IO, Told("x: ")),
    row(Call::OPEN, "x.part", INTERRUPTED, Unseen),
    row(Call::OPEN, "x.part", DESCRIPTORS, Told("x: ")),
    row(Call::FLOCK, "x.part", INTERRUPTED, Unseen),
    row(Call::STATX, "x", IO, Told("x: ")),
    row(Call::FTRUNCATE, "x.part", INTERRUPTED, Unseen),
    row(Call::FTRUNCATE, "x.part", IO, Orderly),
    row(Call::RECV, "socket:", TRANSFER, Unseen),
    row(Call::RECV, "socket:", BROKEN, Orderly),
    row(Call::PWRITE, "x.part", PARTLY, Unseen),
    row(Call::PWRITE, "x.part", IO, Told("x: ")),
    row(Call::PWRITE, "x.part", NO_ROOM, Told("no room for ")),
    row(Call::FSYNC, "x.part", IO, Told("x: ")),
    row(Call::PWRITE, "x.part.journal", NO_ROOM, Told("no room for ")),
    row(Call::RENAME, "x.part", DISK, Told("x: ")),
    row(Call::UNLINK, "x.part", IO, Orderly),
];

/// What more there is to one that a thread writes.
const WRITTEN_BEHIND: &[Row] = &[
    row(Call::CLONE, "", &[Fault::Fails(Errno::EAGAIN)], Unseen),
    row(Call::RECV, "socket:", NOT_READY, Unseen),
    row(Call::PWRITE, "x.part", PARTLY, Unseen),
    row(Call::PWRITE, "x.part", IO, Told("x: ")),
    row(Call::FSYNC, "x.part", IO, Told("x: ")),
];

/// On a disk, where room can be reserved.
const RESERVED: &[Row] = &[
    row(Call::FALLOCATE, "x.part", INTERRUPTED, Unseen),
    row(Call::FALLOCATE, "x.part", IO, Told("x: ")),
    row(Call::FALLOCATE, "x.part", NO_ROOM, Told("no room for ")),
    row(Call::FALLOCATE, "x.part", &[Fault::Fails(Errno::EOPNOTSUPP)], Unseen),
];

/// A server with the file `x`, and what a client is to be given besides its name.
struct Scene {
    contents: Vec<u8>,
    server: Server,
    arguments: &'static [&'static str],
    _source: Folder,
}

impl Scene {
    fn new(size: usize, arguments: &'static [&'static str]) -> Self {
        let contents = contents(size, 1);
        let source = Folder::in_memory().with("x", &contents);
        Self { contents, server: share(&source, &["-q"]), arguments, _source: source }
    }

    fn client(&self, target: &Folder) -> Launch {
        let launch = Launch::new("file-client").arg(self.server.at()).args(["x", "--retries", "0"]);
        launch.args(self.arguments).arg("-d").arg(target.arg())
    }

    /// A download into `target` that meets faults; and if it fails, another that does not.
    fn download(&self, target: &Folder, injector: &FaultInjector, expect: Expect) {
        let finished = self.client(target).with_faults(injector).run();
        judge(injector, expect, &finished, |finished| {
            assert!(target.has("x"), "it is not there: {finished:?}");
        });
        for name in target.names() {
            let known = ["x", "x.part", "x.part.journal"].contains(&&*name);
            assert!(known, "{name} is left by {injector}\n{finished:?}");
        }
        if !target.has("x") {
            self.client(target).run().exits(0);
        }
        target.assert_holds("x", &self.contents);
    }

    /// A target folder with what a client has left that could not go on.
    fn part(&self) -> Folder {
        let target = Folder::in_memory();
        // The journal is written at the beginning, after the first segment, and after the second.
        let (error, third) = (Fault::Fails(Errno::EIO), When::Nth(3));
        let injector = FaultInjector::new(Call::PWRITE, "x.part.journal", error, third);
        let broken = self.client(&target).with_faults(&injector).run();
        broken.exits(1).says(&["the 1.00 MiB that have verified are kept"]);
        target
    }
}

#[test]
fn a_small_download() {
    let scene = Scene::new(2000, &[]);
    let run = |injector: &_, expect| scene.download(&Folder::in_memory(), injector, expect);
    sweep(&[EXECUTOR, PRINTING, CONFINING, ALLOWING, DOWNLOAD, UNNAMED], run);
    storm(&[EXECUTOR, DOWNLOAD, UNNAMED], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, DOWNLOAD, UNNAMED], run);
}

#[test]
fn a_download_of_more_than_a_segment() {
    let scene = Scene::new(RESUMED, &[]);
    let run = |injector: &_, expect| scene.download(&Folder::in_memory(), injector, expect);
    sweep(&[NAMED], run);
    storm(&[NAMED], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, DOWNLOAD, NAMED], run);
}

#[test]
fn a_download_that_goes_on_from_a_part() {
    let scene = Scene::new(RESUMED, &[]);
    sweep(&[GOING_ON], |injector, expect| scene.download(&scene.part(), injector, expect));
}

#[test]
fn a_download_that_a_thread_writes() {
    let scene = Scene::new(BEHIND, &[]);
    sweep(&[WRITTEN_BEHIND], |injector, expect| {
        scene.download(&Folder::in_memory(), injector, expect);
    });
}

#[test]
fn a_download_to_a_disk() {
    let scene = Scene::new(RESUMED, &[]);
    sweep(&[RESERVED], |injector, expect| scene.download(&Folder::new(), injector, expect));
}
