//! One executor a thread, each with its own socket on one shared address.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;

use nix::errno::Errno;

use crate::address::{Sharing, UnixAddress};
use crate::clock::Clock;
use crate::datagrams::UdpSocket;
use crate::executor::{Executor, StopGroup};
use crate::listener::Listener;
use crate::sys::errno;

/// How often a port is looked for that is free at all addresses.
const PORT_TRIES: usize = 64;

/// What was bound: `S` is [`Listener`] or [`UdpSocket`].
#[derive(Debug)]
pub struct Bound<S> {
    /// For each thread a socket at each address.
    pub shares: Vec<Vec<S>>,
    /// The addresses that this host does not have, or whose family it does not.
    pub left_out: Vec<BindError>,
}

/// An address that could not be bound.
#[derive(Debug)]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// Why.
    pub error: io::Error,
}

/// A listener at each of `addresses` (at least one) for each of `count` threads (at least one), among
/// which the kernel spreads the connections. With port 0 the first chooses the port and the others follow.
///
/// An address that this host does not have is left out, as long as it has another.
///
/// # Errors
/// Those of [`Listener::bind`]. A port that another server holds is
/// [`AddrInUse`](io::ErrorKind::AddrInUse) whatever the count.
pub fn listeners(addresses: &[SocketAddr], count: usize) -> Result<Bound<Listener>, BindError> {
    bind_all(addresses, count, Listener::bind_sharing, Listener::local_addr)
}

/// A listener at a Unix socket ([`Listener::bind_unix`]) for each of `count` threads (at least one): handles of
/// one socket, whose connections go to whoever accepts first.
///
/// # Errors
/// Those of [`Listener::bind_unix`] and [`Listener::try_clone`].
pub fn unix_listeners(
    address: &UnixAddress,
    permissions: u32,
    count: usize,
) -> io::Result<Vec<Listener>> {
    let mut listeners = vec![Listener::bind_unix(address, permissions)?];
    for _ in 1..count {
        listeners.push(listeners[0].try_clone()?);
    }
    Ok(listeners)
}

/// A UDP socket at each of `addresses` for each of `count` threads, among which the kernel spreads the
/// peers: all datagrams from one address and port come to the same socket. Otherwise as [`listeners`].
///
/// # Errors
/// Those of [`UdpSocket::bind`]. A port that another server holds is
/// [`AddrInUse`](io::ErrorKind::AddrInUse) whatever the count.
pub fn udp_sockets(addresses: &[SocketAddr], count: usize) -> Result<Bound<UdpSocket>, BindError> {
    bind_all(addresses, count, UdpSocket::bind_sharing, UdpSocket::local_addr)
}

fn bind_all<T>(
    addresses: &[SocketAddr],
    count: usize,
    bind: impl Fn(SocketAddr, Sharing) -> io::Result<T>,
    local: impl Fn(&T) -> io::Result<SocketAddr>,
) -> Result<Bound<T>, BindError> {
    let addresses = distinct(addresses);
    let is_free_choice = addresses.iter().all(|address| address.port() == 0);
    let mut tries = 0;
    loop {
        tries += 1;
        match bind_once(&addresses, count, &bind, &local) {
            // It is free at the first address and taken at another.
            Err(BindError { error, .. })
                if is_free_choice
                    && tries < PORT_TRIES
                    && error.kind() == io::ErrorKind::AddrInUse => {}
            result => return result,
        }
    }
}

fn bind_once<T>(
    addresses: &[SocketAddr],
    count: usize,
    bind: impl Fn(SocketAddr, Sharing) -> io::Result<T>,
    local: impl Fn(&T) -> io::Result<SocketAddr>,
) -> Result<Bound<T>, BindError> {
    let shares = (0..count.max(1)).map(|_| Vec::new()).collect();
    let mut bound = Bound { shares, left_out: Vec::new() };
    let mut port = None;
    for wanted in addresses {
        if is_covered(wanted, addresses) && !bound.left_out.iter().any(is_everywhere) {
            continue;
        }
        let mut address = *wanted;
        address.set_port(port.unwrap_or(address.port()));
        let sockets = bind_each(address, count, &bind, &local);
        let sockets = sockets.and_then(|sockets| Ok((local(&sockets[0])?.port(), sockets)));
        match sockets {
            Ok((own, sockets)) => {
                port = port.or((address.port() == 0).then_some(own));
                for (share, socket) in bound.shares.iter_mut().zip(sockets) {
                    share.push(socket);
                }
            }
            Err(error) if is_not_here(&error) => bound.left_out.push(BindError { address, error }),
            Err(error) => return Err(BindError { address, error }),
        }
    }
    if bound.shares.iter().all(Vec::is_empty)
        && let Some(failure) = bound.left_out.pop()
    {
        return Err(failure);
    }
    Ok(bound)
}

/// The addresses, each once, and last those that another covers.
fn distinct(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut distinct = Vec::new();
    for address in addresses {
        if !distinct.contains(address) {
            distinct.push(*address);
        }
    }
    distinct.sort_by_key(|address| is_covered(address, addresses));
    distinct
}

/// Whether one of the others stands for an address, where there is IPv6: `[::]` takes IPv4 as well.
fn is_covered(address: &SocketAddr, others: &[SocketAddr]) -> bool {
    let covering = SocketAddr::from((Ipv6Addr::UNSPECIFIED, address.port()));
    address.ip() == IpAddr::V4(Ipv4Addr::UNSPECIFIED) && others.contains(&covering)
}

fn is_everywhere(unbound: &BindError) -> bool {
    unbound.address.ip() == IpAddr::V6(Ipv6Addr::UNSPECIFIED)
}

/// Whether an address cannot be bound because this host has no such address, or no such family.
fn is_not_here(error: &io::Error) -> bool {
    matches!(errno(error), Errno::EADDRNOTAVAIL | Errno::EAFNOSUPPORT)
}

fn bind_each<T>(
    address: SocketAddr,
    count: usize,
    bind: impl Fn(SocketAddr, Sharing) -> io::Result<T>,
    local: impl Fn(&T) -> io::Result<SocketAddr>,
) -> io::Result<Vec<T>> {
    if count <= 1 {
        return Ok(vec![bind(address, Sharing::No)?]);
    }
    let first = bind(address, Sharing::First)?;
    let address = local(&first)?;
    let mut bound = vec![first];
    for _ in 1..count {
        bound.push(bind(address, Sharing::Next)?);
    }
    Ok(bound)
}

/// Runs one executor for each of `shares`, the first on the calling thread and each other on its
/// own, until all have ended. `start` gets the thread's executor, number and share; it spawns the
/// first tasks and gives the thread's state.
///
/// They stop together: a [stop](crate::executor::Waker::stop) of one is a stop of all, and so is its
/// having nothing left to do, or an error.
///
/// # Errors
/// The first error of `start`, of [`Executor::new`], of [`Executor::run`], or of `clone(2)`.
///
/// # Panics
/// If one of the threads panics: once the others have ended.
pub fn run<'t, T, W, S>(shares: Vec<T>, start: S) -> io::Result<()>
where
    T: Send,
    S: Fn(&mut Executor<'t, W>, usize, T) -> io::Result<W> + Sync,
{
    let (clock, group) = (Clock::start(), StopGroup::new());
    let run_one = |number: usize, share: T| -> io::Result<()> {
        let _guard = StopOnDrop(&group);
        let mut executor = Executor::in_group(clock, &group)?;
        let mut state = start(&mut executor, number, share)?;
        executor.run(&mut state)
    };
    thread::scope(|scope| {
        let mut shares = shares.into_iter().enumerate();
        let Some((_, first)) = shares.next() else { return Ok(()) };
        let mut handles = Vec::new();
        let mut result = Ok(());
        for (number, share) in shares {
            let run_one = &run_one;
            match thread::Builder::new().spawn_scoped(scope, move || run_one(number, share)) {
                Ok(handle) => handles.push(handle),
                Err(error) => {
                    group.stop();
                    result = Err(error);
                    break;
                }
            }
        }
        if result.is_ok() {
            result = run_one(0, first);
        }
        for handle in handles {
            match handle.join() {
                Ok(other) => result = result.and(other),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        result
    })
}

/// Stops the others when a thread ends, also by a panic.
struct StopOnDrop<'g>(&'g StopGroup);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

#[cfg(test)]
mod tests {
    use core::task::Poll;
    use std::net::TcpStream;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use nix::sys::socket::{setsockopt, sockopt};

    use super::*;
    use crate::executor::Context;
    use crate::listener::Acceptor;
    use crate::testing::task;

    fn anywhere() -> SocketAddr {
        "127.0.0.1:0".parse().unwrap()
    }

    #[test]
    fn sockets_share_one_port_at_every_address() {
        let addresses = [anywhere(), "127.0.0.2:0".parse().unwrap(), anywhere()];
        let all = listeners(&addresses, 3).unwrap();
        assert!(all.left_out.is_empty());
        let port = all.shares[0][0].local_addr().unwrap().port();
        assert_ne!(port, 0);
        let expected = ["127.0.0.1", "127.0.0.2"].map(|host| format!("{host}:{port}"));
        assert_eq!(all.shares.len(), 3);
        for share in all.shares {
            let share: Vec<_> =
                share.iter().map(|one| one.local_addr().unwrap().to_string()).collect();
            assert_eq!(share, expected);
        }
        let all = udp_sockets(&addresses, 2).unwrap();
        let ports = all.shares.iter().flatten().map(|one| one.local_addr().unwrap().port());
        let ports: Vec<_> = ports.collect();
        assert_eq!(ports, [ports[0]; 4]);
    }

    #[test]
    fn an_address_that_is_not_here_is_left_out_if_there_is_another() {
        // TEST-NET-3 (RFC 5737) is nobody's.
        let nowhere: SocketAddr = "203.0.113.7:0".parse().unwrap();
        let all = listeners(&[nowhere, anywhere()], 2).unwrap();
        assert_eq!(all.left_out.len(), 1);
        assert_eq!(all.left_out[0].address, nowhere);
        assert!(all.shares.iter().all(|share| share.len() == 1));
        let failure = udp_sockets(&[nowhere], 1).unwrap_err();
        assert_eq!(failure.error.kind(), io::ErrorKind::AddrNotAvailable);
    }

    #[test]
    fn everywhere_covers_every_ipv4_address() {
        let [all, v4, one] =
            ["[::]:7", "0.0.0.0:7", "127.0.0.1:7"].map(|address| address.parse().unwrap());
        let local = |address: &SocketAddr| Ok(*address);
        let bind = |addresses: &[SocketAddr]| {
            bind_all(addresses, 1, |address, _| Ok(address), local).unwrap().shares
        };
        assert_eq!(bind(&[v4, all, all]), [[all]]);
        assert_eq!(bind(&[v4, one]), [[v4, one]]);
        // Not where there is no IPv6.
        let without = |address: SocketAddr, _| {
            if address.is_ipv4() { Ok(address) } else { Err(Errno::EAFNOSUPPORT.into()) }
        };
        let bound = bind_all(&[v4, all], 1, without, local).unwrap();
        assert_eq!((bound.shares, bound.left_out.len()), (vec![vec![v4]], 1));
    }

    #[test]
    fn a_port_of_another_server_is_taken_even_if_that_one_would_share() {
        let listener = Listener::bind(anywhere()).unwrap();
        let address = listener.local_addr().unwrap();
        let socket = UdpSocket::bind(address).unwrap();
        setsockopt(&listener, sockopt::ReusePort, &true).unwrap();
        setsockopt(&socket, sockopt::ReusePort, &true).unwrap();
        let others: SocketAddr = format!("127.0.0.2:{}", address.port()).parse().unwrap();
        for count in [1, 2] {
            let failure = listeners(&[others, address], count).unwrap_err();
            assert_eq!(failure.error.kind(), io::ErrorKind::AddrInUse);
            assert_eq!(failure.address, address);
            let failure = udp_sockets(&[address], count).unwrap_err();
            assert_eq!(failure.error.kind(), io::ErrorKind::AddrInUse);
        }
    }

    /// What a thread's tasks share: its number, and how many clients each thread has served.
    type State<'a> = (usize, &'a [AtomicUsize; 2]);

    #[test]
    fn every_thread_serves_and_all_stop_together() {
        const CLIENTS: usize = 64;
        let listeners: Vec<_> =
            listeners(&[anywhere()], 2).unwrap().shares.into_iter().flatten().collect();
        let address = listeners[0].local_addr().unwrap();
        // The kernel spreads them when they connect, by a hash that is not ours to choose: that one
        // listener gets all has the odds of 64 coins showing the same side.
        let clients: Vec<_> = (0..CLIENTS).map(|_| TcpStream::connect(address).unwrap()).collect();
        let served = [AtomicUsize::new(0), AtomicUsize::new(0)];
        run(listeners, |executor, number, listener| {
            executor.spawn(Box::new(Acceptor::new(
                listener,
                None,
                |(number, served): &mut State<'_>, cx: &mut Context<'_, State<'_>>, _| {
                    served[*number].fetch_add(1, Ordering::SeqCst);
                    if served.iter().map(|one| one.load(Ordering::SeqCst)).sum::<usize>() == CLIENTS
                    {
                        cx.stop();
                    }
                },
                |_, error| panic!("{error}"),
            )));
            Ok((number, &served))
        })
        .unwrap();
        drop(clients);
        assert!(served.iter().all(|one| one.load(Ordering::SeqCst) > 0), "{served:?}");
    }

    #[test]
    fn the_first_error_wins_and_ends_the_others() {
        let start = |executor: &mut Executor<'_, ()>, number: usize, (): ()| {
            if number == 1 {
                return Err(io::ErrorKind::Unsupported.into());
            }
            executor.spawn(task(
                |(), cx| {
                    if cx.stopping() { Poll::Ready(()) } else { Poll::Pending }
                },
            ));
            Ok(())
        };
        assert_eq!(run(vec![(); 3], start).unwrap_err().kind(), io::ErrorKind::Unsupported);
    }

    #[test]
    fn a_panic_is_passed_on_when_the_others_have_ended() {
        let ended = Arc::new(AtomicUsize::new(0));
        let start = |executor: &mut Executor<'_, ()>, number: usize, (): ()| {
            assert_ne!(number, 1, "this thread fails");
            let ended = Arc::clone(&ended);
            executor.spawn(task(move |(), cx| {
                if !cx.stopping() {
                    return Poll::Pending;
                }
                ended.fetch_add(1, Ordering::SeqCst);
                Poll::Ready(())
            }));
            Ok(())
        };
        let panic = catch_unwind(AssertUnwindSafe(|| run(vec![(); 3], start))).unwrap_err();
        assert!(panic.downcast_ref::<String>().unwrap().contains("this thread fails"));
        assert_eq!(ended.load(Ordering::SeqCst), 2);
    }
}
