//! A bound UDP socket.

use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::socket::{self, SockFlag, SockType, sockopt};

use crate::address::{Sharing, family, reached};

/// A bound UDP socket, non-blocking.
///
/// One that is bound to a wildcard address (`0.0.0.0` or `[::]`) learns with each datagram which
/// local address it was sent to (`IP_PKTINFO`, `ip(7)`; `IPV6_RECVPKTINFO`, `ipv6(7)`), so that the
/// reply can leave from there: on a host with several addresses the kernel might choose another, and
/// the peer would not know it. One that is bound to a specific address needs none of that.
#[derive(Debug)]
pub struct UdpSocket {
    inner: net::UdpSocket,
}

impl UdpSocket {
    /// Binds `address`; port 0 asks for a free one. `[::]` takes IPv4 as well.
    ///
    /// # Errors
    /// Those of `socket(2)` and `bind(2)`:
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) among them.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        Self::bind_sharing(address, Sharing::No)
    }

    pub(crate) fn bind_sharing(address: SocketAddr, sharing: Sharing) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd = socket::socket(family(address), SockType::Datagram, flags, None)?;
        sharing.bind(&fd, address)?;
        Self::prepare(fd.into())
    }

    /// The bound address; it has the port that was chosen if 0 was asked for.
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

    /// Asks for the local address of each datagram, if the socket's own does not tell, and for no
    /// queue of ICMP errors, which one that was made elsewhere may have and nobody would empty.
    fn prepare(inner: net::UdpSocket) -> io::Result<Self> {
        let address = inner.local_addr()?;
        socket::setsockopt(&inner, sockopt::Ipv4RecvErr, &false)?;
        if address.is_ipv6() {
            socket::setsockopt(&inner, sockopt::Ipv6RecvErr, &false)?;
        }
        match address {
            SocketAddr::V4(address) if address.ip().is_unspecified() => {
                socket::setsockopt(&inner, sockopt::Ipv4PacketInfo, &true)?;
            }
            SocketAddr::V6(address) if address.ip().is_unspecified() => {
                socket::setsockopt(&inner, sockopt::Ipv6RecvPacketInfo, &true)?;
            }
            _ => {}
        }
        Ok(Self { inner })
    }
}

impl AsFd for UdpSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Takes over a standard socket (from [`activation`](crate::activation), say), makes it
/// non-blocking, and prepares it as [`bind`](UdpSocket::bind) would.
impl TryFrom<net::UdpSocket> for UdpSocket {
    type Error = io::Error;

    fn try_from(inner: net::UdpSocket) -> io::Result<Self> {
        inner.set_nonblocking(true)?;
        Self::prepare(inner)
    }
}
