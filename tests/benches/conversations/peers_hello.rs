//! The peers of `tcp-server`: they greet, half-close, read the answer to its end, and close.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsRawFd, IntoRawFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{MsgFlags, recv, setsockopt, sockopt};
use nix::unistd::close;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::load_hello::{GREETING, send_last};

/// The longest answer that is read, as in barewire.
const MAX_TEXT: usize = 1024;

/// tokio's connections end after this. Long, as in the measurement of idle connections for everybody;
/// what a timer costs does not depend on it.
const DEADLINE: Duration = Duration::from_hours(1);

/// The limit: one thread, one edge-triggered epoll, and `accept4`, `send`, `shutdown`, `epoll_ctl`,
/// `recv`, `recv`, `close` a connection. It keeps nothing about a connection but its descriptor, and
/// that in epoll.
pub(crate) fn epoll(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    // Accepted sockets inherit this, which saves a call a connection.
    setsockopt(&listener, sockopt::TcpNoDelay, &true)?;
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
    epoll.add(&listener, EpollEvent::new(edges, token(listener.as_raw_fd())))?;
    println!("listening on {}", listener.local_addr()?);

    let mut events = [EpollEvent::empty(); 256];
    loop {
        let ready = match epoll.wait(&mut events, EpollTimeout::NONE) {
            Ok(ready) => ready,
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        };
        for event in &events[..ready] {
            if event.data() == token(listener.as_raw_fd()) {
                accept_all(&listener, &epoll, edges)?;
            } else {
                let descriptor = RawFd::try_from(event.data()).expect("a token is a descriptor");
                if is_over(descriptor, event.events()) {
                    close(descriptor)?;
                }
            }
        }
    }
}

fn accept_all(listener: &TcpListener, epoll: &Epoll, edges: EpollFlags) -> io::Result<()> {
    loop {
        let stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        };
        // A client that has gone already is only dropped.
        if send_last(&stream, GREETING).is_ok() {
            epoll.add(&stream, EpollEvent::new(edges, token(stream.as_raw_fd())))?;
            // From here on the descriptor lives in epoll.
            let _ = stream.into_raw_fd();
        }
    }
}

/// Reads what there is. True at the end of the stream, or if the client has reset it.
fn is_over(descriptor: RawFd, events: EpollFlags) -> bool {
    let mut answer = [0; MAX_TEXT];
    loop {
        match recv(descriptor, &mut answer, MsgFlags::MSG_DONTWAIT) {
            // A short read has emptied the buffer (epoll(7)); only an end may still wait behind it.
            Ok(1..MAX_TEXT) if !events.contains(EpollFlags::EPOLLRDHUP) => return false,
            Ok(1..) => {}
            Err(Errno::EAGAIN) => return false,
            Ok(0) | Err(_) => return true,
        }
    }
}

fn token(descriptor: RawFd) -> u64 {
    u64::try_from(descriptor).expect("an open descriptor is not negative")
}

/// What a good Rust user would write: a loop that accepts, and a task a connection under one time-out.
pub(crate) async fn tokio(address: SocketAddr) -> io::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(tokio::time::timeout(DEADLINE, shake_hands(stream)));
    }
}

async fn shake_hands(mut stream: tokio::net::TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(GREETING.as_bytes()).await?;
    stream.shutdown().await?;
    let mut answer = Vec::new();
    stream.take(MAX_TEXT as u64).read_to_end(&mut answer).await?;
    Ok(())
}
