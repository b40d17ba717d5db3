use core::task::Poll;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, TcpStream as StdStream};

use barewire_core::time::{Duration, Instant};

use super::Connector;
use crate::executor::{Executor, MAX_SOURCES};
use crate::testing::task;

#[test]
fn a_connector_tries_one_address_after_another() {
    let refusing = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let answering = listener.local_addr().unwrap();
    let connect = |addresses| {
        let mut connector = Connector::new(addresses, Duration::from_secs(10));
        let mut executor = Executor::new().unwrap();
        executor.spawn(task(move |result: &mut Option<_>, cx| match connector.poll(cx) {
            Err(nb::Error::WouldBlock) => Poll::Pending,
            Err(nb::Error::Other(error)) => {
                *result = Some(Err(error.kind()));
                Poll::Ready(())
            }
            Ok((link, peer)) => {
                assert_eq!(link.stream().unwrap().peer_addr().unwrap(), peer);
                *result = Some(Ok(peer));
                Poll::Ready(())
            }
        }));
        let mut result = None;
        executor.run(&mut result).unwrap();
        result.unwrap()
    };
    assert_eq!(connect(vec![refusing, answering]), Ok(answering));
    assert_eq!(connect(vec![refusing]), Err(ErrorKind::ConnectionRefused));
    assert_eq!(connect(vec![]), Err(ErrorKind::InvalidInput));
}

/// An address that does not answer: the backlog is full, and the kernel drops what would be the next
/// connection's first segment. It does so as long as the two sockets are there.
fn silent() -> (SocketAddr, (TcpListener, StdStream)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    nix::sys::socket::listen(&listener, nix::sys::socket::Backlog::new(0).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let waiting = StdStream::connect(address).unwrap();
    (address, (listener, waiting))
}

/// What connecting to `addresses` gives within ten seconds of a simulated clock, and when.
fn connect_simulated(addresses: Vec<SocketAddr>) -> (Result<SocketAddr, ErrorKind>, Instant) {
    let mut connector = Connector::new(addresses, Duration::from_secs(10));
    let mut executor = Executor::simulated();
    executor.spawn(task(move |result: &mut Option<_>, cx| {
        let over = match connector.poll(cx) {
            Err(nb::Error::WouldBlock) => return Poll::Pending,
            Err(nb::Error::Other(error)) => Err(error.kind()),
            Ok((_, peer)) => Ok(peer),
        };
        *result = Some((over, cx.now()));
        Poll::Ready(())
    }));
    let mut result = None;
    executor.run(&mut result).unwrap();
    result.unwrap()
}

#[test]
fn a_connector_gives_up_at_its_limit() {
    let (address, _sockets) = silent();
    for addresses in [vec![address], vec![address; 3]] {
        let limit = Instant::from_millis(10_000);
        assert_eq!(connect_simulated(addresses), (Err(ErrorKind::TimedOut), limit));
    }
}

#[test]
fn an_address_that_does_not_answer_leaves_time_for_the_others() {
    let (address, _sockets) = silent();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let answering = listener.local_addr().unwrap();
    let half = Instant::from_millis(5_000);
    assert_eq!(connect_simulated(vec![address, answering]), (Ok(answering), half));
}

#[test]
fn a_task_may_give_up_one_attempt_after_another() {
    let (address, _sockets) = silent();
    let mut executor = Executor::new().unwrap();
    executor.spawn(task(move |(): &mut (), cx| {
        for _ in 0..3 * MAX_SOURCES {
            let mut connector = Connector::new(vec![address], Duration::from_secs(10));
            assert!(matches!(connector.poll(cx), Err(nb::Error::WouldBlock)));
            connector.give_up(cx);
        }
        Poll::Ready(())
    }));
    executor.run(&mut ()).unwrap();
}
