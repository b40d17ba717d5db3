//! A listening TCP socket.

use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::socket::{self, SockFlag, SockType, sockopt};

use crate::address::{Sharing, canonical, family, reached};
use crate::stream::TcpStream;
use crate::sys;

/// How many connections may wait to be accepted. The system caps it
/// (`/proc/sys/net/core/somaxconn`, `listen(2)`).
pub const BACKLOG: i32 = 4096;

/// A listening TCP socket, non-blocking.
///
/// `TCP_NODELAY` is set on it once: Linux hands it on to each accepted connection, which saves a
/// system call a connection.
#[derive(Debug)]
pub struct Listener {
    inner: net::TcpListener,
}

impl Listener {
    /// Listens at `address`; port 0 asks for a free one. `[::]` takes IPv4 as well. A port whose old
    /// connections linger in `TIME_WAIT` can be taken (`SO_REUSEADDR`, `socket(7)`).
    ///
    /// # Errors
    /// Those of `socket(2)`, `bind(2)` and `listen(2)`:
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) among them.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::bind_sharing(address, Sharing::No)
    }

    pub(crate) fn bind_sharing(address: SocketAddr, sharing: Sharing) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd = socket::socket(family(address), SockType::Stream, flags, None)?;
        socket::setsockopt(&fd, sockopt::ReuseAddr, &true)?;
        socket::setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
        sharing.bind(&fd, address)?;
        sys::listen(&fd, BACKLOG)?;
        Ok(Self { inner: fd.into() })
    }

    /// The address listened at; it has the port that was chosen if 0 was asked for.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Where it is reached: at its [address](Self::local_addr), and if that is `[::]` as a rule by IPv4 as
    /// well, at `0.0.0.0`.
    ///
    /// # Errors
    /// Those of `getsockname(2)` and `getsockopt(2)`.
    pub fn addresses(&self) -> io::Result<Vec<SocketAddr>> {
        reached(&self.inner, self.local_addr()?)
    }

    /// Accepts the next connection that waits, and tells the peer's address (an IPv4-mapped IPv6
    /// address as IPv4).
    ///
    /// # Errors
    /// Those of `accept(2)`; [`WouldBlock`](io::ErrorKind::WouldBlock) when none waits. An error
    /// says nothing about the listener's being fit for the next call.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (fd, peer) = sys::accept(&self.inner)?;
        Ok((TcpStream::from_nonblocking(fd), canonical(peer)))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Takes over a standard listener (from [`activation`](crate::activation), say), makes it
/// non-blocking, and sets `TCP_NODELAY` on it.
impl TryFrom<net::TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(inner: net::TcpListener) -> io::Result<Self> {
        inner.set_nonblocking(true)?;
        socket::setsockopt(&inner, sockopt::TcpNoDelay, &true)?;
        Ok(Self { inner })
    }
}
