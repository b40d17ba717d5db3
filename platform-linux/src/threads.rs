//! One executor a thread, each with its own socket on one shared address.

use std::io;
use std::net::SocketAddr;
use std::thread;

use crate::address::Sharing;
use crate::clock::Clock;
use crate::datagrams::UdpSocket;
use crate::executor::{Executor, StopGroup};
use crate::listener::Listener;

/// `count` listeners (at least one) at one address, among which the kernel spreads the connections.
/// With port 0 the first chooses the port and the others follow.
///
/// # Errors
/// Those of [`Listener::bind`]. A port that another server holds is
/// [`AddrInUse`](io::ErrorKind::AddrInUse) whatever the count.
pub fn listeners(address: SocketAddr, count: usize) -> io::Result<Vec<Listener>> {
    bind_each(address, count, Listener::bind_sharing, Listener::local_addr)
}

/// `count` UDP sockets (at least one) at one address, among which the kernel spreads the peers: all
/// datagrams from one address and port come to the same socket.
///
/// # Errors
/// Those of [`UdpSocket::bind`]. A port that another server holds is
/// [`AddrInUse`](io::ErrorKind::AddrInUse) whatever the count.
pub fn udp_sockets(address: SocketAddr, count: usize) -> io::Result<Vec<UdpSocket>> {
    bind_each(address, count, UdpSocket::bind_sharing, UdpSocket::local_addr)
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
    fn sockets_share_one_port() {
        let listeners = listeners(anywhere(), 3).unwrap();
        let addresses: Vec<_> = listeners.iter().map(|one| one.local_addr().unwrap()).collect();
        assert_eq!(addresses, [addresses[0]; 3]);
        assert_ne!(addresses[0].port(), 0);
        let sockets = udp_sockets(anywhere(), 3).unwrap();
        let addresses: Vec<_> = sockets.iter().map(|one| one.local_addr().unwrap()).collect();
        assert_eq!(addresses, [addresses[0]; 3]);
    }

    #[test]
    fn a_port_of_another_server_is_taken_even_if_that_one_would_share() {
        let listener = Listener::bind(anywhere()).unwrap();
        let address = listener.local_addr().unwrap();
        let socket = UdpSocket::bind(address).unwrap();
        setsockopt(&listener, sockopt::ReusePort, &true).unwrap();
        setsockopt(&socket, sockopt::ReusePort, &true).unwrap();
        for count in [1, 2] {
            assert_eq!(listeners(address, count).unwrap_err().kind(), io::ErrorKind::AddrInUse);
            assert_eq!(udp_sockets(address, count).unwrap_err().kind(), io::ErrorKind::AddrInUse);
        }
    }

    /// What a thread's tasks share: its number, and how many clients each thread has served.
    type State<'a> = (usize, &'a [AtomicUsize; 2]);

    #[test]
    fn every_thread_serves_and_all_stop_together() {
        const CLIENTS: usize = 64;
        let listeners = listeners(anywhere(), 2).unwrap();
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
