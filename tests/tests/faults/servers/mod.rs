//! The servers: whatever happens to one client, the next is served.

mod datagrams;
mod files;
mod hanging_disks;
mod hello;
mod room;
mod unix_sockets;

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};

use barewire_tests::harness::faults::{Call, Fault, FaultInjector};
use barewire_tests::harness::sockets::with_timeouts;
use barewire_tests::harness::{Launch, TIMEOUT};
use nix::errno::Errno;
use nix::sys::signal::Signal;

use super::sweep::Expect::{Noted, Orderly, Told, Unseen};
use super::sweep::*;

/// What every server does before it listens, and for whom it tells of what happens.
const OPENING: &[Row] = &[
    row(Call::SOCKET, "", DESCRIPTORS, Told("cannot bind 127.0.0.1:0")),
    row(Call::SETSOCKOPT, "socket:", MEMORY, Orderly),
    row(Call::BIND, "socket:", MEMORY, Told("cannot bind 127.0.0.1:0")),
    row(Call::PRLIMIT, "", &[Fault::Fails(Errno::EPERM)], Unseen),
    // Where there can be no other thread, the one there is does all.
    row(Call::CLONE, "", &[Fault::Fails(Errno::EAGAIN)], Unseen),
];

/// What it tells of where it listens.
const ADDRESSES: &[Row] = &[row(Call::GETSOCKNAME, "socket:", MEMORY, Told(""))];

/// What a server of TCP does to have clients: the same in all, so one is tried.
const ACCEPTING: &[Row] = &[
    row(Call::LISTEN, "socket:", MEMORY, Told("cannot bind 127.0.0.1:0")),
    row(Call::ACCEPT, "socket:", NOT_READY, Unseen),
    // It was gone before it was accepted.
    row(
        Call::ACCEPT,
        "socket:",
        &[Fault::Fails(Errno::ECONNABORTED), Fault::Fails(Errno::EPROTO)],
        Unseen,
    ),
    row(
        Call::ACCEPT,
        "socket:",
        &[Fault::Fails(Errno::EMFILE), Fault::Fails(Errno::ENFILE), Fault::Fails(Errno::ENOBUFS)],
        Noted,
    ),
];

/// What it does with them.
const SERVING: &[Row] = &[
    row(Call::EPOLL_CTL, "socket:", MEMORY, Orderly),
    row(Call::RECV, "socket:", TRANSFER, Unseen),
    row(Call::RECV, "socket:", RESET, Orderly),
    row(Call::RECV, "socket:", BROKEN, Orderly),
    row(Call::SHUTDOWN, "socket:", RESET, Orderly),
];

/// Starts a server that meets faults, has some clients `converse` with it, and stops it.
///
/// A fault may cost one client its conversation; if it is not to be seen, not even that.
fn serve(
    launch: Launch,
    injector: &FaultInjector,
    expect: Expect,
    converse: impl Fn(SocketAddr) -> io::Result<()>,
) {
    let read = |line: &str| {
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        address.unwrap_or_else(|| panic!("the first line is {line:?}"))
    };
    serve_at(launch, injector, expect, read, converse);
}

/// The same for one whose address is of any kind, which is `read` from its first line.
fn serve_at<A: Copy>(
    launch: Launch,
    injector: &FaultInjector,
    expect: Expect,
    read: impl Fn(&str) -> A,
    converse: impl Fn(A) -> io::Result<()>,
) {
    let mut server = launch.with_faults(injector).spawn();
    let Some(line) = server.line_or_end() else {
        let finished = server.finish();
        judge(injector, expect, &finished, |finished| panic!("it did not serve: {finished:?}"));
        return;
    };
    let address = read(&line);
    let mut fails = false;
    for client in [1, 2, 3] {
        match converse(address) {
            // After the last that may fail, another shows that the server goes on.
            Ok(()) if client >= 2 => break,
            Ok(()) => {}
            // Ended by the fault, which it is to tell.
            Err(_) if matches!(expect, Told(_)) => break,
            Err(error) => {
                assert_ne!(expect, Unseen, "client {client} sees it: {error}");
                assert!(!fails, "client {client} is not served either: {error}");
                fails = true;
            }
        }
    }
    server.signal(Signal::SIGTERM);
    judge(injector, expect, &server.finish(), |_| {});
}

/// A client that says `request`, and nothing after it: what it is told, if that ends in order.
pub(crate) fn converse(server: SocketAddr, request: &[u8]) -> io::Result<Vec<u8>> {
    let mut stream = with_timeouts(TcpStream::connect_timeout(&server, TIMEOUT)?);
    stream.write_all(request)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}
