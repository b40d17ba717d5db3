//! The other clients.

use std::cell::{Cell, RefCell};
use std::io::{self, Write as _};

use barewire_tests::harness::faults::{Call, Fault, FaultInjector};
use barewire_tests::harness::{Folder, Launch, PATIENTLY, serve};
use nix::errno::Errno;

use super::sweep::Expect::{Noted, Orderly, Told, Unseen};
use super::sweep::*;

/// What every client of TCP does to be connected.
const CONNECTING: &[Row] = &[
    row(Call::SOCKET, "", DESCRIPTORS, Told("connect to 127.0.0.1:")),
    row(Call::SETSOCKOPT, "socket:", MEMORY, Orderly),
    row(Call::CONNECT, "socket:", INTERRUPTED, Unseen),
    row(Call::CONNECT, "socket:", UNREACHABLE, Told("connect to 127.0.0.1:")),
    row(Call::EPOLL_CTL, "socket:", MEMORY, Told("connect to 127.0.0.1:")),
    row(Call::GETSOCKOPT, "socket:", MEMORY, Told("connect to 127.0.0.1:")),
    row(Call::GETSOCKNAME, "socket:", MEMORY, Unseen),
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", RESET, Told("127.0.0.1:")),
    row(Call::SHUTDOWN, "socket:", RESET, Told("127.0.0.1:")),
    row(Call::RECV, "socket:", TRANSFER, Unseen),
    row(Call::RECV, "socket:", RESET, Told("127.0.0.1:")),
];

#[test]
fn a_handshake() {
    let server = serve("tcp-server", &["-q"]);
    let run = |injector: &FaultInjector, expect| {
        let client = Launch::new("tcp-client").arg(server.at()).with_faults(injector).run();
        judge(injector, expect, &client, |client| {
            assert_eq!(client.output(), format!("{}: 你好\n", server.at()));
        });
    };
    sweep(&[EXECUTOR, PRINTING, CONFINING, ALLOWING, CONNECTING], run);
    storm(&[EXECUTOR, CONNECTING], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, CONNECTING], run);
}

/// What it does to be connected to a Unix socket, and there.
const CONNECTING_UNIX: &[Row] = &[
    row(Call::SOCKET, "", DESCRIPTORS, Told("connect to unix:")),
    // As many wait to be accepted as there is room for.
    row(Call::CONNECT, "socket:", &[Fault::Fails(Errno::EAGAIN)], Unseen),
    row(Call::CONNECT, "socket:", &[Fault::Fails(Errno::ECONNREFUSED)], Told("connect to unix:")),
    row(Call::CONNECT, "socket:", &[Fault::Fails(Errno::EACCES)], Told("connect to unix:")),
    row(Call::EPOLL_CTL, "socket:", MEMORY, Told("connect to unix:")),
    row(Call::SEND, "socket:", TRANSFER, Unseen),
    row(Call::SEND, "socket:", &[Fault::Fails(Errno::ECONNRESET)], Told("unix:")),
    row(Call::SHUTDOWN, "socket:", &[Fault::Fails(Errno::ENOBUFS)], Told("unix:")),
    row(Call::RECV, "socket:", TRANSFER, Unseen),
    row(Call::RECV, "socket:", &[Fault::Fails(Errno::ECONNRESET)], Told("unix:")),
];

#[test]
fn a_handshake_over_a_unix_socket() {
    let folder = Folder::new();
    let at = format!("unix:{}", folder.path("socket").display());
    let mut server = Launch::new("tcp-server").args([&at, "-q"]).spawn();
    server.line_with("listening on");
    let run = |injector: &FaultInjector, expect| {
        let client = Launch::new("tcp-client").arg(&at).with_faults(injector).run();
        judge(injector, expect, &client, |client| {
            assert_eq!(client.output(), format!("{at}: 你好\n"));
        });
    };
    sweep(&[CONNECTING_UNIX], run);
    storm(&[CONNECTING_UNIX], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, CONNECTING_UNIX], run);
}

const EXCHANGE: &[Row] = &[
    row(Call::SOCKET, "", DESCRIPTORS, Told("127.0.0.1:")),
    row(Call::SETSOCKOPT, "socket:", MEMORY, Told("127.0.0.1:")),
    row(Call::CONNECT, "socket:", UNREACHABLE, Told("127.0.0.1:")),
    row(Call::GETSOCKNAME, "socket:", MEMORY, Unseen),
    row(Call::EPOLL_CTL, "socket:", MEMORY, Told("127.0.0.1:")),
    row(Call::SEND, "socket:", INTERRUPTED, Unseen),
    row(Call::SEND, "socket:", &[Fault::Fails(Errno::ECONNREFUSED)], Told("127.0.0.1:")),
    row(Call::SEND, "socket:", &[Fault::Fails(Errno::EPERM)], Told("127.0.0.1:")),
    row(Call::RECV, "socket:", NOT_READY, Unseen),
    row(Call::RECV, "socket:", &[Fault::Fails(Errno::ECONNREFUSED)], Told("127.0.0.1:")),
    row(Call::RECV, "socket:", MEMORY, Told("127.0.0.1:")),
];

/// A send buffer that is full loses a datagram, as the network might.
const LOST: &[Row] = &[row(Call::SEND, "socket:", &[Fault::Fails(Errno::EAGAIN)], Noted)];

#[test]
fn an_exchange_of_datagrams() {
    let server = serve("udp-server", &["-q"]);
    let run = |options: &'static [&str]| {
        let server = &server;
        move |injector: &FaultInjector, expect| {
            let launch = Launch::new("udp-client").arg(server.at()).args(options);
            let client = launch.with_faults(injector).run();
            judge(injector, expect, &client, |client| {
                assert_eq!(client.output(), format!("{}: nice to meet you\n", server.at()));
            });
        }
    };
    sweep(&[EXECUTOR, PRINTING, EXCHANGE], run(&PATIENTLY));
    storm(&[EXECUTOR, EXCHANGE], run(&PATIENTLY));
    census(&[EXECUTOR, CONFINING, ALLOWING, EXCHANGE], run(&PATIENTLY));
    // So long that only the fault can use it up.
    sweep(&[LOST], run(&["--timeout", "1s", "--retries", "3"]));
}

const FILTER: &[Row] = &[
    row(Call::READ, "pipe:", TRANSFER, Unseen),
    row(Call::READ, "pipe:", IO, Told("standard input")),
    row(Call::EPOLL_CTL, "pipe:", MEMORY, Orderly),
];

#[test]
fn a_member_that_is_a_filter() {
    let server = serve("chat-server", &["--rate", "0", "--history", "0"]);
    let (address, number) = (server.at(), Cell::new(0));
    let server = RefCell::new(server);
    let run = |injector: &FaultInjector, expect| {
        let text = format!("line {}.", number.replace(number.get() + 1));
        let (input, mut typed) = io::pipe().expect("a pipe");
        writeln!(typed, "{text}").expect("room");
        drop(typed);
        let launch = Launch::new("chat-client").arg(&address).stdin(input);
        let client = launch.with_faults(injector).run();
        judge(injector, expect, &client, |client| {
            assert!(client.output().starts_with("* welcome to barewire chat"), "{client:?}");
            server.borrow_mut().program.line_with(&text);
        });
    };
    sweep(&[EXECUTOR, PRINTING, CONNECTING, FILTER], run);
    storm(&[EXECUTOR, CONNECTING, FILTER], run);
    census(&[EXECUTOR, CONFINING, ALLOWING, CONNECTING, FILTER], run);
}
