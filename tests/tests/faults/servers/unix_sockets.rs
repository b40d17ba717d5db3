//! A server at a Unix socket: its file is made and removed, and who comes is a user.

use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;

use barewire_tests::harness::faults::{Call, Fault, FaultInjector};
use barewire_tests::harness::{Folder, Launch, TIMEOUT};
use nix::errno::Errno;

use super::super::sweep::Expect::{Noted, Orderly, Told, Unseen};
use super::super::sweep::*;
use super::{ADDRESSES, serve_at};

/// What it does before it listens.
const OPENING: &[Row] = &[
    row(Call::SOCKET, "", DESCRIPTORS, Told("cannot bind unix:")),
    row(Call::OPEN, ".tmp", DESCRIPTORS, Told("cannot bind unix:")),
    row(Call::BIND, "socket:", &[Fault::Fails(Errno::EACCES)], Told("cannot bind unix:")),
    row(Call::BIND, "socket:", MEMORY, Told("cannot bind unix:")),
    row(Call::LISTEN, "socket:", MEMORY, Told("cannot bind unix:")),
    row(Call::PRLIMIT, "", &[Fault::Fails(Errno::EPERM)], Unseen),
    row(Call::CLONE, "", &[Fault::Fails(Errno::EAGAIN)], Unseen),
];

/// What a server does that a killed one has left a socket for.
const REPLACING: &[Row] = &[
    row(Call::OPEN, ".tmp", DESCRIPTORS, Told("cannot bind unix:")),
    // On a file system without locks there is none.
    row(Call::FLOCK, "", &[Fault::Fails(Errno::ENOLCK)], Unseen),
    row(Call::STATX, "socket", IO, Told("cannot bind unix:")),
    row(Call::SOCKET, "", DESCRIPTORS, Told("cannot bind unix:")),
    row(Call::CONNECT, "socket:", MEMORY, Told("cannot bind unix:")),
    // That of before, and at the end its own.
    row(Call::UNLINK, "socket", IO, Orderly),
];

const SERVING: &[Row] = &[
    row(Call::ACCEPT, "socket:", NOT_READY, Unseen),
    row(Call::ACCEPT, "socket:", &[Fault::Fails(Errno::ECONNABORTED)], Unseen),
    row(Call::ACCEPT, "socket:", DESCRIPTORS, Noted),
    // Whose it is.
    row(Call::GETSOCKOPT, "socket:", MEMORY, Orderly),
    row(Call::EPOLL_CTL, "socket:", MEMORY, Orderly),
    row(Call::RECV, "socket:", TRANSFER, Unseen),
    row(Call::RECV, "socket:", LOST, Orderly),
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", LOST, Orderly),
    row(Call::SHUTDOWN, "socket:", &[Fault::Fails(Errno::ENOTCONN)], Orderly),
    // It stays then, for the next to replace.
    row(Call::UNLINK, "socket", IO, Unseen),
];

/// Who had something unread has closed, or has closed at all.
const LOST: &[Fault] = &[Fault::Fails(Errno::ECONNRESET), Fault::Fails(Errno::ENOBUFS)];

/// A client that says `request`: what it is told, if that ends in order.
fn converse(server: &Path, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = UnixStream::connect(server)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// A handshake at a socket in a folder of its own, which `prepare` has had before.
fn handshake(injector: &FaultInjector, expect: Expect, prepare: impl Fn(&Path)) {
    let folder = Folder::new();
    let path = folder.path("socket");
    prepare(&path);
    let at = format!("unix:{}", path.display());
    let launch = Launch::new("tcp-server").arg(&at);
    serve_at(
        launch,
        injector,
        expect,
        |line| assert_eq!(line, format!("listening on {at}")),
        |()| {
            assert_eq!(converse(&path, b"Hello")?, "你好\n".as_bytes());
            Ok(())
        },
    );
}

#[test]
fn handshakes() {
    let run = |injector: &FaultInjector, expect| handshake(injector, expect, |_| {});
    sweep(&[OPENING, ADDRESSES, SERVING], run);
    storm(&[OPENING, SERVING], run);
    census(&[EXECUTOR, CONFINING, LISTING_FOLDERS, OPENING, ADDRESSES, SERVING], run);
}

/// The rights of the confined to remove the file.
const LISTING_FOLDERS: &[Row] = &[row(Call::LANDLOCK_ADD, "", MEMORY, Noted)];

#[test]
fn a_socket_that_a_killed_server_has_left() {
    let leave = |path: &Path| drop(std::os::unix::net::UnixListener::bind(path).expect("a socket"));
    let run = |injector: &FaultInjector, expect| handshake(injector, expect, leave);
    sweep(&[LISTING_FOLDERS, REPLACING], run);
    census(&[EXECUTOR, CONFINING, LISTING_FOLDERS, OPENING, REPLACING, ADDRESSES, SERVING], run);
}
