use core::task::Poll;
use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::os::fd::AsRawFd;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{getsockopt, sockopt};

use super::{Accepted, Acceptor, Listener, Permit, Semaphore};
use crate::executor::{Context, Executor};
use crate::testing::{in_child, task};

fn local() -> (Listener, SocketAddr) {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[test]
fn accepted_connections_know_their_peer_and_do_not_delay_small_writes() {
    let (listener, address) = local();
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let client = StdStream::connect(address).unwrap();
    let (stream, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    assert_eq!(peer, stream.peer_addr().unwrap());
    assert_eq!(stream.local_addr().unwrap(), address);
    assert!(getsockopt(&stream, sockopt::TcpNoDelay).unwrap());
    assert_eq!(stream.recv(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn an_ipv4_peer_of_a_dual_stack_listener_is_shown_as_ipv4() {
    // A system without IPv6 has no such listener.
    let listener = match Listener::bind("[::]:0".parse().unwrap()) {
        Err(error) if error.raw_os_error() == Some(Errno::EAFNOSUPPORT as i32) => return,
        listener => listener.unwrap(),
    };
    let port = listener.local_addr().unwrap().port();
    let client = StdStream::connect(("127.0.0.1", port)).unwrap();
    let (_, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    assert!(peer.is_ipv4());
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let (_listener, address) = local();
    assert_eq!(Listener::bind(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn a_full_gate_accepts_nobody_until_a_permit_is_released() {
    let (listener, address) = local();
    let clients: Vec<_> = (0..3).map(|_| StdStream::connect(address).unwrap()).collect();
    // Another thread serves the clients one after another.
    let (to_server, accepted) = mpsc::channel::<Accepted>();
    let server = thread::spawn(move || {
        for client in accepted {
            client.stream.send(b"hello", &[], false).unwrap();
        }
    });
    let semaphore = Semaphore::new(1);
    let acceptor = Acceptor::new(
        listener,
        Some(semaphore.clone()),
        move |count: &mut usize, cx: &mut Context<'_, usize>, accepted| {
            *count += 1;
            to_server.send(accepted).unwrap();
            if *count == 3 {
                cx.stop();
            }
        },
        |_, error| panic!("{error}"),
    );
    let mut executor = Executor::new().unwrap();
    executor.spawn(Box::new(acceptor));
    let mut count = 0;
    executor.run(&mut count).unwrap();
    drop(executor);
    server.join().unwrap();
    for mut client in clients {
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "hello");
    }
    assert!(semaphore.try_acquire().is_some());
}

#[test]
fn a_gate_counts_its_permits() {
    let semaphore = Semaphore::new(2);
    let shared = semaphore.clone();
    let permits: Vec<Permit> =
        semaphore.try_acquire().into_iter().chain(shared.try_acquire()).collect();
    assert_eq!(permits.len(), 2);
    assert!(semaphore.try_acquire().is_none());
    drop(permits);
    assert!(shared.try_acquire().is_some());
}

#[test]
fn a_permit_that_is_released_just_before_the_wait_is_not_missed() {
    let waker = Executor::<()>::new().unwrap().waker();
    let semaphore = Semaphore::new(1);
    let mut permit = semaphore.try_acquire();
    let next = semaphore.acquire_or_wake(|| {
        permit = None;
        waker
    });
    assert!(next.is_some());
}

/// What the test of exhausted descriptors sees.
#[derive(Default)]
struct Seen {
    accepted: Vec<Accepted>,
    pauses: Vec<io::Error>,
}

#[test]
fn out_of_descriptors_it_pauses_and_the_others_go_on() {
    let name = "listener::tests::out_of_descriptors_it_pauses_and_the_others_go_on";
    if !in_child(name, Stdio::null(), "") {
        return;
    }
    let (listener, address) = local();
    let mut clients: Vec<_> = (0..5).map(|_| StdStream::connect(address).unwrap()).collect();
    let mut executor = Executor::simulated();
    let acceptor = Acceptor::new(
        listener,
        None,
        |seen: &mut Seen, cx: &mut Context<'_, Seen>, accepted| {
            seen.accepted.push(accepted);
            if seen.accepted.len() == 5 {
                cx.stop();
            }
        },
        |seen, error| seen.pauses.push(error),
    );
    executor.spawn(Box::new(acceptor));
    let (_, limit) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    let resumed = crate::error_pause::DURATION.as_micros() * 5;
    executor.spawn(task(move |seen: &mut Seen, cx| {
        if cx.now().as_micros() < resumed {
            cx.set_deadline(Some(barewire_core::time::Instant::from_micros(resumed)));
            return Poll::Pending;
        }
        assert_eq!(seen.accepted.len(), 2, "no more fitted");
        assert_eq!(seen.pauses.len(), 1, "one pause is reported once");
        assert_eq!(seen.pauses[0].raw_os_error(), Some(Errno::EMFILE as i32));
        for (accepted, client) in seen.accepted.iter().zip(&mut clients) {
            accepted.stream.send(b"still here", &[], false).unwrap();
            let mut heard = [0; 10];
            client.read_exact(&mut heard).unwrap();
            client.write_all(b"me too").unwrap();
        }
        setrlimit(Resource::RLIMIT_NOFILE, limit, limit).unwrap();
        Poll::Ready(())
    }));
    // Leaves room for two more: the lowest free number and the next.
    let next = File::open("/dev/null").unwrap().as_raw_fd();
    setrlimit(Resource::RLIMIT_NOFILE, u64::try_from(next).unwrap() + 2, limit).unwrap();
    let mut seen = Seen::default();
    executor.run(&mut seen).unwrap();
    assert_eq!((seen.accepted.len(), seen.pauses.len()), (5, 1));
}
