//! Exchanges of datagrams.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use barewire_tests::harness::faults::{Call, Fault, FaultInjector, When};
use barewire_tests::harness::sockets::uninterrupted;
use barewire_tests::harness::{Launch, Server, TIMEOUT, tutorial};
use nix::errno::Errno;

use super::super::sweep::Expect::{Noted, Orderly, Unseen};
use super::super::sweep::*;
use super::{ADDRESSES, OPENING, serve};

/// What a server of datagrams does. What is not sent is lost, as anything may be on the way.
const ANSWERING: &[Row] = &[
    row(Call::EPOLL_CTL, "socket:", MEMORY, Noted),
    row(Call::RECVMMSG, "socket:", NOT_READY, Unseen),
    row(Call::RECVMMSG, "socket:", MEMORY, Noted),
];

const ANSWERING_ONE: &[Row] = &[
    row(Call::SEND, "socket:", INTERRUPTED, Unseen),
    row(Call::SEND, "socket:", &[Fault::Fails(Errno::EAGAIN)], Orderly),
    row(Call::SEND, "socket:", &[Fault::Fails(Errno::EPERM)], Noted),
];

/// Where many addresses are served, each reply has to leave from the one that was asked.
const ANSWERING_FROM: &[Row] = &[
    row(Call::SENDMMSG, "socket:", INTERRUPTED, Unseen),
    row(Call::SENDMMSG, "socket:", &[Fault::Fails(Errno::ENETUNREACH)], Unseen),
    row(Call::SENDMMSG, "socket:", &[Fault::Fails(Errno::EAGAIN)], Orderly),
    // A filter that does not know it: they go one by one.
    row(Call::SENDMMSG, "socket:", &[Fault::Fails(Errno::EPERM)], Unseen),
];

/// Asks until there is an answer, as one does who may lose datagrams. If none may be lost, the
/// first must do.
fn exchange(server: SocketAddr, expect: Expect) -> io::Result<()> {
    let server = SocketAddr::from(([127, 0, 0, 1], server.port()));
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let patience = if expect == Unseen { TIMEOUT } else { Duration::from_millis(200) };
    socket.set_read_timeout(Some(patience))?;
    socket.connect(server)?;
    for _ in 0..100 {
        socket.send(b"hello")?;
        let mut reply = [0; 64];
        match uninterrupted(|| socket.recv(&mut reply)) {
            Ok(length) => {
                assert_eq!(&reply[..length], b"nice to meet you");
                return Ok(());
            }
            Err(error) if expect == Unseen || error.kind() != ErrorKind::WouldBlock => {
                return Err(error);
            }
            Err(_) => {}
        }
    }
    Err(io::Error::other("no answer to any of them"))
}

#[test]
fn exchanges_of_datagrams() {
    let at = |address: &'static str| {
        move |injector: &FaultInjector, expect| {
            let launch = Launch::new("udp-server").arg(address);
            serve(launch, injector, expect, |address| exchange(address, expect));
        }
    };
    sweep(&[EXECUTOR, PRINTING, OPENING, ADDRESSES, ANSWERING, ANSWERING_ONE], at("127.0.0.1:0"));
    storm(&[EXECUTOR, OPENING, ADDRESSES, ANSWERING, ANSWERING_ONE], at("127.0.0.1:0"));
    census(&[EXECUTOR, CONFINING, OPENING, ADDRESSES, ANSWERING, ANSWERING_ONE], at("127.0.0.1:0"));
    sweep(&[ANSWERING_FROM], at("0.0.0.0:0"));
    storm(&[ANSWERING_FROM], at("0.0.0.0:0"));
    census(&[EXECUTOR, CONFINING, OPENING, ADDRESSES, ANSWERING, ANSWERING_FROM], at("0.0.0.0:0"));
}

/// What a server cannot receive stays where it is, and would be reported without end.
#[test]
fn an_error_that_lasts_leaves_the_processor_alone_until_it_ends() {
    let shortage = Fault::Fails(Errno::ENOMEM);
    let injector = FaultInjector::new(Call::RECVMMSG, "socket:", shortage, When::First(4));
    let server = Server::start(Launch::new("udp-server").arg("127.0.0.1:0").with_faults(&injector));
    let started = Instant::now();
    assert_eq!(tutorial::udp_client(server.address(), "hello"), "nice to meet you");
    // Each is followed by a tenth of a second in which it is not tried again.
    assert!(started.elapsed() >= Duration::from_millis(400), "{:?}", started.elapsed());
    let server = server.stop();
    assert_eq!(injector.struck().len(), 4);
    assert_eq!(server.error().matches("cannot receive").count(), 1, "{server:?}");
}
