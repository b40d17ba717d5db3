//! A connected UDP socket that hears of ICMP errors.

#[cfg(test)]
mod tests;

use std::io::{self, IoSliceMut};
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use barewire_core::datagram::Datagram;
use nix::errno::Errno;
use nix::sys::socket::{
    self, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrStorage, recvmsg, sockopt,
};

use crate::address::{canonical, family, self_connected};
use crate::executor::{Context, EventSource, Readiness};
use crate::sys::retry;

/// Room for the control message of an ICMP error: who reported it, in IPv6 too (`CMSG_SPACE`,
/// `cmsg(3)`).
const ERROR_SPACE: usize = 64;

/// A UDP socket that speaks with one peer, non-blocking.
///
/// With `IP_RECVERR` (`ip(7)`) and `IPV6_RECVERR` (`ipv6(7)`) it hears of every ICMP error that its
/// datagrams meet, the unreachable hosts and networks too, which the kernel otherwise keeps to
/// itself. Each comes through once, from [`send`](Self::send) or [`recv`](Self::recv); several that
/// have gathered come as one.
#[derive(Debug)]
pub struct UdpClient {
    inner: net::UdpSocket,
    peer: SocketAddr,
    source: Option<EventSource>,
}

impl UdpClient {
    /// A socket for `peer`, bound to `local` if given, else to what the kernel chooses.
    ///
    /// # Errors
    /// Those of `socket(2)`, `bind(2)` and `connect(2)`:
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable),
    /// [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable) among them; `EINVAL` or
    /// `EAFNOSUPPORT` if `local` and `peer` are not of one family;
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if `peer` is the socket itself: nobody else
    /// is bound there.
    pub fn connect(peer: SocketAddr, local: Option<SocketAddr>) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd = socket::socket(family(peer), SockType::Datagram, flags, None)?;
        socket::setsockopt(&fd, sockopt::Ipv4RecvErr, &true)?;
        if peer.is_ipv6() {
            socket::setsockopt(&fd, sockopt::Ipv6RecvErr, &true)?;
        }
        if let Some(local) = local {
            socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(local))?;
        }
        socket::connect(fd.as_raw_fd(), &SockaddrStorage::from(peer))?;
        let inner = net::UdpSocket::from(fd);
        let is_own = |local: SocketAddr| {
            local.port() == peer.port() && inner.peer_addr().is_ok_and(|peer| peer == local)
        };
        if inner.local_addr().is_ok_and(is_own) {
            return Err(self_connected());
        }
        Ok(Self { inner, peer: canonical(peer), source: None })
    }

    /// The local address.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr().map(canonical)
    }

    /// The peer's address; an IPv4-mapped IPv6 address as IPv4.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Sends one datagram.
    ///
    /// # Errors
    /// Those of `send(2)`: [`WouldBlock`](io::ErrorKind::WouldBlock) when the send buffer is full;
    /// an ICMP error that an earlier datagram met ([`recv`](Self::recv) lists them), in which case
    /// this one was not sent.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        match retry(|| socket::send(self.inner.as_raw_fd(), bytes, MsgFlags::MSG_NOSIGNAL)) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => {
                self.forget_errors();
                Err(error)
            }
        }
    }

    /// Receives one datagram into `buffer`. To be called in every turn of the task, until it has
    /// nothing to give.
    ///
    /// # Errors
    /// [`nb::Error::WouldBlock`]: nothing has arrived. Otherwise those of `recv(2)`, and what ICMP
    /// reports: [`ConnectionRefused`](io::ErrorKind::ConnectionRefused),
    /// [`HostUnreachable`](io::ErrorKind::HostUnreachable),
    /// [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable) and their like. The socket can be
    /// used on.
    pub fn recv<'b, W>(
        &mut self,
        cx: &mut Context<'_, W>,
        buffer: &'b mut [u8],
    ) -> nb::Result<Datagram<'b>, io::Error> {
        let source = match self.source {
            Some(source) => source,
            None => *self
                .source
                .insert(cx.register(&self.inner, Readiness::READABLE).map_err(nb::Error::Other)?),
        };
        if !cx.readiness(source).intersects(Readiness::READABLE) {
            return Err(nb::Error::WouldBlock);
        }
        let fd = self.inner.as_raw_fd();
        match retry(|| socket::recv(fd, buffer, MsgFlags::MSG_TRUNC)) {
            Ok(length) => {
                let bytes = &buffer[..length.min(buffer.len())];
                Ok(Datagram { source: self.peer, bytes, length })
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                cx.clear(source, Readiness::READABLE | Readiness::ERROR);
                match self.forget_errors() {
                    Some(error) => Err(nb::Error::Other(error)),
                    None => Err(nb::Error::WouldBlock),
                }
            }
            Err(error) => {
                self.forget_errors();
                Err(nb::Error::Other(error))
            }
        }
    }

    /// Closes the socket, and frees its place among the sources of a task that goes on.
    pub fn close<W>(self, cx: &mut Context<'_, W>) {
        if let Some(source) = self.source {
            cx.release(source);
        }
    }

    /// Empties the error queue (`MSG_ERRQUEUE`, `recvmsg(2)`), whose entries would otherwise come
    /// back one by one as errors of later calls, and says what the first was.
    fn forget_errors(&self) -> Option<io::Error> {
        let mut first = None;
        let mut space = Vec::with_capacity(ERROR_SPACE);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        loop {
            // The payload of the datagram that failed is of no interest.
            let mut nothing = [IoSliceMut::new(&mut [])];
            let fd = self.inner.as_raw_fd();
            let received = retry(|| {
                let message = recvmsg::<()>(fd, &mut nothing, Some(&mut space), flags)?;
                let mut reported = message.cmsgs().into_iter().flatten();
                Ok::<_, Errno>(reported.find_map(|control| match control {
                    ControlMessageOwned::Ipv4RecvErr(error, _)
                    | ControlMessageOwned::Ipv6RecvErr(error, _) => Some(error.ee_errno),
                    _ => None,
                }))
            });
            let Ok(code) = received else { break };
            let code = code.and_then(|code| i32::try_from(code).ok());
            first = first.or(code.map(io::Error::from_raw_os_error));
        }
        // Taking an entry makes the next one the socket's pending error.
        let _ = self.inner.take_error();
        first
    }
}

impl AsFd for UdpClient {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}
