use core::task::Poll;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream as StdStream};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::net::UnixListener;

use barewire_core::time::Instant;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};

use super::{ATTEMPT_DELAY, DialError, Dialer, MAX_ATTEMPTS, Resolver, self_connected};
use crate::address::{Address, Family, UnixAddress};
use crate::executor::{Executor, MAX_EVENT_SOURCES, Task};
use crate::testing::task;
use crate::wait::readable;

/// Who was reached; or how many addresses were tried, and why the last failed.
type Dialed = Result<SocketAddr, (usize, ErrorKind)>;

/// A task that dials once, and tells what came of it and when.
fn dial(mut dialer: Dialer) -> Box<dyn Task<Option<(Dialed, Instant)>>> {
    task(move |result: &mut Option<_>, cx| {
        let reached = match dialer.poll(cx) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Ok((link, Address::Ip(peer))) => {
                assert_eq!(link.stream().unwrap().peer_addr().unwrap(), peer);
                Ok(peer)
            }
            Ok((_, other)) => panic!("connected to {other}"),
            Err(nb::Error::Other(DialError::Unreached { tried, last })) => {
                Err((tried, last.kind()))
            }
            Err(nb::Error::Other(other)) => panic!("{other}"),
        };
        *result = Some((reached, cx.now()));
        Poll::Ready(())
    })
}

fn dial_with(
    mut executor: Executor<'_, Option<(Dialed, Instant)>>,
    dialer: Dialer,
) -> (Dialed, Instant) {
    executor.spawn(dial(dialer));
    let mut result = None;
    executor.run(&mut result).unwrap();
    result.unwrap()
}

fn dialer(addresses: Vec<SocketAddr>) -> Dialer {
    Dialer::new(Resolver::knowing(addresses))
}

/// What dialing `addresses` gives within ten seconds of a simulated clock, and when.
fn dial_simulated(addresses: Vec<SocketAddr>) -> (Dialed, Instant) {
    dial_with(Executor::simulated(), dialer(addresses))
}

/// An address that does not answer: the backlog is full, and the kernel drops what would be the next
/// connection's first segment. It does so as long as the two sockets are there.
fn silent() -> (SocketAddr, (TcpListener, StdStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = StdStream::connect(address).unwrap();
    // Who connected knows of it before the listener does.
    assert!(readable(&listener, None).unwrap());
    (address, (listener, waiting))
}

/// A socket with a port of its own, neither listening nor connected.
fn bound() -> OwnedFd {
    let fd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None).unwrap();
    bind(fd.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
    fd
}

/// An address that refuses as long as the socket is there.
fn refusing() -> (SocketAddr, OwnedFd) {
    let socket = StdStream::from(bound());
    (socket.local_addr().unwrap(), socket.into())
}

#[test]
fn an_address_that_refuses_gives_way_to_the_next_at_once() {
    let (refusing, _socket) = refusing();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let answering = listener.local_addr().unwrap();
    let dial = |addresses| dial_with(Executor::new().unwrap(), dialer(addresses)).0;
    assert_eq!(dial(vec![refusing, answering]), Ok(answering));
    assert_eq!(dial(vec![refusing]), Err((1, ErrorKind::ConnectionRefused)));
    let other = SocketAddr::from(([127, 0, 0, 2], refusing.port()));
    assert_eq!(dial(vec![refusing, other]), Err((2, ErrorKind::ConnectionRefused)));
}

#[test]
fn an_address_that_does_not_answer_costs_a_quarter_of_a_second() {
    let (silent, _sockets) = silent();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let answering = listener.local_addr().unwrap();
    let executor = Executor::new().unwrap();
    let (reached, when) = dial_with(executor, dialer(vec![silent, answering]));
    assert_eq!(reached, Ok(answering));
    assert!(when >= Instant::ZERO + ATTEMPT_DELAY, "{when:?}");
}

#[test]
fn the_address_that_answered_is_tried_first_the_next_time() {
    let (first, socket) = refusing();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let second = listener.local_addr().unwrap();
    let (mut dialer, mut socket) = (dialer(vec![first, second]), Some(socket));
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |reached: &mut Vec<Address>, cx| {
        while reached.len() < 3 {
            match dialer.poll(cx) {
                Err(nb::Error::WouldBlock) => return Poll::Pending,
                Ok((_, peer)) => reached.push(peer),
                Err(nb::Error::Other(error)) => panic!("{error}"),
            }
            // From now on the first answers as well.
            if let Some(socket) = &socket {
                crate::sys::listen(socket, 1).unwrap();
            }
        }
        socket.take();
        Poll::Ready(())
    }));
    let mut reached = Vec::new();
    executor.run(&mut reached).unwrap();
    assert_eq!(reached, [Address::Ip(second); 3]);
}

#[test]
fn dialing_ends_at_its_limit() {
    let (address, _sockets) = silent();
    let others = (2..20).map(|host| SocketAddr::from(([127, 0, 0, host], address.port())));
    let limit = Instant::from_millis(10_000);
    assert_eq!(dial_simulated(vec![address]), (Err((1, ErrorKind::TimedOut)), limit));
    // Nobody is at the others, and they say so.
    let all: Vec<_> = others.chain([address]).collect();
    assert_eq!(dial_simulated(all), (Err((19, ErrorKind::TimedOut)), limit));
}

#[test]
fn however_many_do_not_answer_each_is_tried() {
    let silent: Vec<_> = (0..2 * MAX_ATTEMPTS).map(|_| silent()).collect();
    let addresses = silent.iter().map(|(address, _)| *address).collect();
    let limit = Instant::from_millis(10_000);
    let tried = 2 * MAX_ATTEMPTS;
    assert_eq!(dial_simulated(addresses), (Err((tried, ErrorKind::TimedOut)), limit));
}

#[test]
fn a_task_may_give_up_one_attempt_after_another() {
    let (address, _sockets) = silent();
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(): &mut (), cx| {
        let mut dialer = dialer(vec![address]);
        for _ in 0..3 * MAX_EVENT_SOURCES {
            assert!(matches!(dialer.poll(cx), Err(nb::Error::WouldBlock)));
            dialer.give_up(cx);
        }
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}

/// What a real clock's executor finds for a resolver.
fn resolve(mut resolver: Resolver) -> Result<Vec<SocketAddr>, DialError> {
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |found: &mut Option<_>, cx| match resolver.poll(cx) {
        Err(nb::Error::WouldBlock) => Poll::Pending,
        Ok(addresses) => {
            *found = Some(Ok(addresses));
            Poll::Ready(())
        }
        Err(nb::Error::Other(error)) => {
            *found = Some(Err(error));
            Poll::Ready(())
        }
    }));
    let mut found = None;
    executor.run(&mut found).unwrap();
    found.unwrap()
}

#[test]
fn a_name_is_looked_up_by_another_thread() {
    let found = resolve(Resolver::new("localhost", 7)).unwrap();
    assert!(found.iter().all(|it| it.ip().is_loopback() && it.port() == 7), "{found:?}");
}

#[test]
fn addresses_of_the_other_family_are_left_out() {
    let found = |host, family| resolve(Resolver::new(host, 7).with_family(Some(family)));
    assert_eq!(found("::1", Family::V6).unwrap(), ["[::1]:7".parse().unwrap()]);
    let error = found("127.0.0.1", Family::V6).unwrap_err();
    assert_eq!(error.to_string(), "'127.0.0.1' has no IPv6 address");
    assert_eq!(found("::1", Family::V4).unwrap_err().to_string(), "'::1' has no IPv4 address");
}

#[test]
fn a_connection_with_oneself_is_as_good_as_a_refusal() {
    assert_eq!(self_connected().kind(), ErrorKind::ConnectionRefused);
    // Whoever binds a port and connects to it from there opens from both sides.
    let stream = StdStream::from(bound());
    let own = stream.local_addr().unwrap();
    let SocketAddr::V4(address) = own else { unreachable!() };
    connect(stream.as_raw_fd(), &SockaddrIn::from(address)).unwrap();
    let error = super::connected(stream.try_into().unwrap(), own).unwrap_err();
    assert_eq!(error.to_string(), "connected to itself");
}

#[test]
fn a_unix_socket_needs_no_look_up_and_says_at_once_who_is_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = UnixAddress::new(&path).unwrap();
    let dial = || {
        let mut dialer = Dialer::to_unix(address);
        let mut executor = Executor::simulated();
        executor.spawn(task(move |result: &mut Option<_>, cx| match dialer.poll(cx) {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            Ok((link, peer)) => {
                assert!(link.stream().is_some());
                *result = Some((Ok(peer), cx.now()));
                Poll::Ready(())
            }
            Err(nb::Error::Other(error)) => {
                *result = Some((Err(error.kind()), cx.now()));
                Poll::Ready(())
            }
        }));
        let mut result = None;
        executor.run(&mut result).unwrap();
        result.unwrap()
    };
    assert_eq!(dial(), (Err(ErrorKind::NotFound), Instant::ZERO));
    let listener = UnixListener::bind(&path).unwrap();
    assert_eq!(dial(), (Ok(Address::Unix(address)), Instant::ZERO));
    // As many wait as there is room for, and nobody accepts them.
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    assert_eq!(dial(), (Err(ErrorKind::TimedOut), Instant::from_millis(10_000)));
    drop(listener);
    assert_eq!(dial(), (Err(ErrorKind::ConnectionRefused), Instant::ZERO));
}
