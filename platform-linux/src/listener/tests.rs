use core::task::Poll;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream as StdStream};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use barewire_core::time::Duration;
use nix::errno::Errno;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, getsockopt, socket, sockopt};
use nix::sys::stat::{Mode, umask};
use nix::unistd::getuid;

use super::{Accepted, Acceptor, Listener, Permit, Semaphore};
use crate::address::{Address, PeerAddress, UnixAddress};
use crate::executor::{Context, Executor};
use crate::stream::StreamSocket;
use crate::testing::{in_child, needs_ipv6, task};
use crate::wait::readable;

fn local() -> (Listener, SocketAddr) {
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Accepts who has connected, of whom the listener may know a moment later.
fn accept(listener: &Listener) -> (StreamSocket, PeerAddress) {
    assert!(readable(listener, None).unwrap());
    listener.accept().unwrap()
}

#[test]
fn accepted_connections_know_their_peer_and_do_not_delay_small_writes() {
    let (listener, address) = local();
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let client = StdStream::connect(address).unwrap();
    let (stream, peer) = accept(&listener);
    assert_eq!(peer, PeerAddress::Ip(client.local_addr().unwrap()));
    assert_eq!(peer, PeerAddress::Ip(stream.peer_addr().unwrap()));
    assert_eq!(stream.local_addr().unwrap(), address);
    assert!(getsockopt(&stream, sockopt::TcpNoDelay).unwrap());
    assert_eq!(stream.recv(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn an_ipv4_peer_of_a_dual_stack_listener_is_shown_as_ipv4() {
    needs_ipv6();
    let listener = Listener::bind("[::]:0".parse().unwrap()).unwrap();
    let port = listener.local_addr().unwrap().port();
    let client = StdStream::connect(("127.0.0.1", port)).unwrap();
    let (_, peer) = accept(&listener);
    let client = client.local_addr().unwrap();
    assert!(client.is_ipv4());
    assert_eq!(peer, PeerAddress::Ip(client));
}

#[test]
fn a_port_that_is_taken_is_an_error() {
    let (_listener, address) = local();
    assert_eq!(Listener::bind(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

/// What binds a Unix socket changes the permissions of new files for a moment: in a process of its own.
#[test]
fn a_unix_socket_has_its_permissions_tells_the_user_and_is_gone_with_its_last_listener() {
    let name = "listener::tests::a_unix_socket_has_its_permissions_tells_the_user_and_is_gone_with_its_last_listener";
    if !in_child(name, Stdio::null(), "") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = UnixAddress::new(&path).unwrap();
    for (mask, permissions) in [(0o077, 0o660), (0, 0o600), (0o022, 0o777)] {
        let before = umask(Mode::from_bits_truncate(mask));
        let listener = Listener::bind_unix(&address, permissions).unwrap();
        assert_eq!(umask(before).bits(), mask, "it is as it was");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, permissions);
        assert_eq!(listener.addresses().unwrap(), [Address::Unix(address)]);
        let another = listener.try_clone().unwrap();
        drop(listener);
        let mut client = UnixStream::connect(&path).unwrap();
        let (stream, peer) = another.accept().unwrap();
        assert_eq!(peer, PeerAddress::User(getuid().as_raw()));
        assert_eq!(another.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        stream.set_keepalive(Duration::from_secs(1), Duration::from_secs(1), 1).unwrap();
        stream.widen_receive_buffer(1 << 20).unwrap();
        assert_eq!(stream.send(b"hel", b"lo", true).unwrap(), 5);
        stream.shut_down().unwrap();
        let mut heard = String::new();
        client.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "hello");
        drop(another);
        assert!(!path.exists());
    }
}

#[test]
fn a_unix_socket_is_replaced_only_if_nobody_has_it_open() {
    let name = "listener::tests::a_unix_socket_is_replaced_only_if_nobody_has_it_open";
    if !in_child(name, Stdio::null(), "") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = UnixAddress::new(&path).unwrap();
    let bind = || Listener::bind_unix(&address, 0o600);
    let refused = |why: io::ErrorKind| assert_eq!(bind().unwrap_err().kind(), why);

    let listener = bind().unwrap();
    refused(io::ErrorKind::AddrInUse);
    assert_eq!(listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock, "undisturbed");
    UnixStream::connect(&path).unwrap();
    drop(listener);

    // What the standard library binds stays when it is closed: stale.
    drop(UnixListener::bind(&path).unwrap());
    let listener = bind().unwrap();
    // It is not its own any more.
    fs::remove_file(&path).unwrap();
    let other = UnixDatagram::bind(&path).unwrap();
    drop(listener);
    refused(io::ErrorKind::AddrInUse);
    drop(other);
    drop(bind().unwrap());

    // One that is bound and does not listen yet is somebody's.
    let flags = SockFlag::SOCK_CLOEXEC;
    let begun = socket(AddressFamily::Unix, SockType::Stream, flags, None).unwrap();
    nix::sys::socket::bind(begun.as_raw_fd(), &UnixAddr::new(&path).unwrap()).unwrap();
    refused(io::ErrorKind::AddrInUse);
    drop(begun);
    drop(bind().unwrap());

    fs::write(&path, "mine").unwrap();
    refused(io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    fs::remove_file(&path).unwrap();
    let stale = folder.path().join("stale");
    drop(UnixListener::bind(&stale).unwrap());
    symlink(&stale, &path).unwrap();
    refused(io::ErrorKind::AlreadyExists);
    assert!(path.is_symlink() && stale.exists());
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    refused(io::ErrorKind::AlreadyExists);
    fs::remove_dir(&path).unwrap();
    drop(folder);
    refused(io::ErrorKind::NotFound);
}

/// Of two that find a stale socket one has it, and the other is told so.
#[test]
fn a_stale_unix_socket_is_replaced_once() {
    let name = "listener::tests::a_stale_unix_socket_is_replaced_once";
    if !in_child(name, Stdio::null(), "") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = UnixAddress::new(&path).unwrap();
    for _ in 0..100 {
        drop(UnixListener::bind(&path).unwrap());
        let bound: Vec<_> = thread::scope(|scope| {
            let threads = [(); 4].map(|()| scope.spawn(|| Listener::bind_unix(&address, 0o600)));
            threads.map(|thread| thread.join().unwrap()).into()
        });
        assert_eq!(bound.iter().filter(|bound| bound.is_ok()).count(), 1);
        UnixStream::connect(&path).unwrap();
    }
}

/// Whoever finds a socket there that is gone a moment later has the name free.
#[test]
fn a_server_that_starts_as_another_ends_is_in_time_or_told_that_it_is_not() {
    let name =
        "listener::tests::a_server_that_starts_as_another_ends_is_in_time_or_told_that_it_is_not";
    if !in_child(name, Stdio::null(), "") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let address = UnixAddress::new(&path).unwrap();
    let serve = || {
        let mut served = 0;
        while served < 200 {
            match Listener::bind_unix(&address, 0o600) {
                Ok(listener) => {
                    drop(listener);
                    served += 1;
                }
                Err(error) => {
                    let is_told = [io::ErrorKind::AddrInUse, io::ErrorKind::ResourceBusy];
                    assert!(is_told.contains(&error.kind()), "{error}");
                }
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(serve);
        serve();
    });
    assert!(!path.exists());
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

#[test]
fn who_asks_for_another_turn_after_one_connection_gets_the_next_in_that() {
    let (listener, address) = local();
    let _clients: Vec<_> = (0..3).map(|_| StdStream::connect(address).unwrap()).collect();
    let mut executor = Executor::simulated();
    let other = executor.spawn(task(|seen: &mut Vec<char>, _| {
        seen.push('o');
        Poll::Pending
    }));
    let on_accept = move |seen: &mut Vec<char>, cx: &mut Context<'_, _>, _| {
        seen.push('a');
        cx.wake(other);
        cx.yield_now();
        if seen.iter().filter(|it| **it == 'a').count() == 3 {
            cx.stop();
        }
    };
    executor
        .spawn(Box::new(Acceptor::new(listener, None, on_accept, |_, error| panic!("{error}"))));
    executor.spawn(task(|_, cx| if cx.stopping() { Poll::Ready(()) } else { Poll::Pending }));
    let mut seen = Vec::new();
    executor.set_grace(Duration::ZERO);
    executor.run(&mut seen).unwrap();
    assert!(seen.iter().collect::<String>().starts_with("oaoaoao"), "{seen:?}");
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
