//! A listening stream socket.

use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::sync::Arc;

use nix::sys::socket::{self, SockFlag, SockType, sockopt};

use super::unix::{self, SocketFile};
use crate::address::{Address, PeerAddress, Sharing, UnixAddress, canonical, family, reached};
use crate::stream::StreamSocket;
use crate::sys;

/// How many connections may wait to be accepted. The system caps it
/// (`/proc/sys/net/core/somaxconn`, `listen(2)`).
pub const BACKLOG: i32 = 4096;

/// A listening stream socket, TCP's or a Unix socket, non-blocking.
///
/// `TCP_NODELAY` is set on it once: Linux hands it on to each accepted connection, which saves a
/// system call a connection.
///
/// The file of a Unix socket that was bound here is removed with the last of its listeners, unless it is
/// another's by then.
#[derive(Debug)]
pub struct Listener {
    /// Before the socket, which drops in this order: as long as that is open, nobody else takes the name.
    kind: Kind,
    fd: OwnedFd,
}

#[derive(Clone, Debug)]
enum Kind {
    Tcp,
    /// With the file that was made for it, if it was bound here.
    Unix(Option<Arc<SocketFile>>),
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
        Ok(Self { kind: Kind::Tcp, fd })
    }

    /// Listens at a Unix socket, whose file gets these permissions (`0o660`, say): to connect takes the right
    /// to write. A socket that a server has left there which does not run any more is replaced.
    ///
    /// For a moment it changes the permissions that new files of the process get (`umask(2)`); so it is to be
    /// called before there are other threads that make files.
    ///
    /// # Errors
    /// Those of `socket(2)`, `bind(2)` and `listen(2)`. [`AddrInUse`](io::ErrorKind::AddrInUse): the socket
    /// there is open in some process. [`AlreadyExists`](io::ErrorKind::AlreadyExists): what is there is no
    /// socket; it is left alone. [`ResourceBusy`](io::ErrorKind::ResourceBusy): another process keeps the
    /// folder locked (`flock(2)`), as those do which replace a socket. [`InvalidInput`](io::ErrorKind::InvalidInput):
    /// the name is an abstract one.
    pub fn bind_unix(address: &UnixAddress, permissions: u32) -> io::Result<Self> {
        let (fd, file) = unix::bind(address, permissions)?;
        sys::listen(&fd, BACKLOG)?;
        Ok(Self { kind: Kind::Unix(Some(Arc::new(file))), fd })
    }

    /// Another handle of the same socket: each connection is accepted by one of them.
    ///
    /// # Errors
    /// Those of `fcntl(2)`.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { kind: self.kind.clone(), fd: self.fd.try_clone()? })
    }

    /// The address listened at, over TCP; it has the port that was chosen if 0 was asked for.
    ///
    /// # Errors
    /// Those of `getsockname(2)`; [`Unsupported`](io::ErrorKind::Unsupported) for a Unix socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match Address::of_socket(&self.fd)? {
            Address::Ip(address) => Ok(address),
            Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// Where it is reached: where it is bound, and if that is `[::]` as a rule by IPv4 as well, at
    /// `0.0.0.0`.
    ///
    /// # Errors
    /// Those of `getsockname(2)` and `getsockopt(2)`.
    pub fn addresses(&self) -> io::Result<Vec<Address>> {
        match Address::of_socket(&self.fd)? {
            Address::Ip(address) => {
                Ok(reached(&self.fd, address)?.into_iter().map(Address::Ip).collect())
            }
            unix @ Address::Unix(_) => Ok(vec![unix]),
        }
    }

    /// The folder that the file of a Unix socket is removed from, if it was bound here: who is
    /// [confined](crate::sandbox::confine()) meanwhile needs the [right](crate::sandbox::Allowed::removing_beneath) to
    /// do that.
    pub fn folder(&self) -> Option<BorrowedFd<'_>> {
        match &self.kind {
            Kind::Unix(Some(file)) => Some(file.folder()),
            Kind::Unix(None) | Kind::Tcp => None,
        }
    }

    /// Accepts the next connection that waits, and tells whose it is: of a TCP connection the peer's address
    /// (an IPv4-mapped IPv6 address as IPv4), over a Unix socket the user.
    ///
    /// # Errors
    /// Those of `accept(2)`; [`WouldBlock`](io::ErrorKind::WouldBlock) when none waits. An error
    /// says nothing about the listener's being fit for the next call.
    pub fn accept(&self) -> io::Result<(StreamSocket, PeerAddress)> {
        let (fd, peer) = sys::accept(&self.fd)?;
        let stream = StreamSocket::from_nonblocking(fd);
        let peer = match self.kind {
            Kind::Tcp => PeerAddress::Ip(canonical(peer.ok_or(io::ErrorKind::NotConnected)?)),
            Kind::Unix(_) => stream.user()?,
        };
        Ok((stream, peer))
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Takes over a standard listener (from [`activation`](crate::activation), say), makes it
/// non-blocking, and sets `TCP_NODELAY` on it.
impl TryFrom<net::TcpListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        socket::setsockopt(&listener, sockopt::TcpNoDelay, &true)?;
        Ok(Self { kind: Kind::Tcp, fd: listener.into() })
    }
}

/// Takes over a standard listener, and makes it non-blocking. Its file stays when it is closed: whoever made
/// it removes it.
impl TryFrom<UnixListener> for Listener {
    type Error = io::Error;

    fn try_from(listener: UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Self { kind: Kind::Unix(None), fd: listener.into() })
    }
}
