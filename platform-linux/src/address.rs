//! Socket addresses: as a person means them, and bound by one socket or by several.

mod source;
mod unix;

use core::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use nix::sys::socket::{self, AddressFamily, SockaddrStorage, sockopt};

pub use source::{PeerAddress, Shown, read_source, user_source};
pub use unix::{MAX_PATH, UnixAddress, UnixPathError};

/// Where a stream socket is bound, or is to be connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Address {
    /// An IP address and a port: the stream is TCP's.
    Ip(SocketAddr),
    /// A Unix socket.
    Unix(UnixAddress),
}

impl Address {
    /// Where a socket is bound.
    pub(crate) fn of_socket(socket: &impl AsFd) -> io::Result<Self> {
        Self::of(socket::getsockname(socket.as_fd().as_raw_fd())?)
    }

    pub(crate) fn of(address: SockaddrStorage) -> io::Result<Self> {
        let v4 = address.as_sockaddr_in().map(|address| SocketAddr::from(*address));
        let v6 = || address.as_sockaddr_in6().map(|address| SocketAddr::from(*address));
        let unix = || address.as_unix_addr().map(|address| Self::Unix(UnixAddress::of(*address)));
        let found = v4.or_else(v6).map(Self::Ip).or_else(unix);
        found.ok_or_else(|| io::ErrorKind::Unsupported.into())
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Self {
        Self::Ip(address)
    }
}

/// `127.0.0.1:8080`, `[::1]:8080` or `unix:/path`.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Unix(address) => address.fmt(f),
        }
    }
}

/// An IPv4-mapped IPv6 address (RFC 4291 §2.5.5.2), which a dual-stack socket shows for an IPv4
/// peer, as the IPv4 address that it is; any other as it is.
pub fn canonical(address: SocketAddr) -> SocketAddr {
    match address.ip().to_canonical() {
        ip if ip == address.ip() => address,
        ip => SocketAddr::new(ip, address.port()),
    }
}

/// The families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Whether `address` is one of the family.
    pub fn has(self, address: SocketAddr) -> bool {
        address.is_ipv4() == (self == Self::V4)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}

/// What a client is told that has come to be connected with itself: as if its own port had been the
/// server's.
pub(crate) fn self_connected() -> io::Error {
    io::Error::new(io::ErrorKind::ConnectionRefused, "connected to itself")
}

/// Where a socket bound to `local` is reached: there, and with `[::]` by IPv4 as well, unless it was made to
/// be without (`IPV6_V6ONLY`, `ipv6(7)`).
pub(crate) fn reached(socket: &impl AsFd, local: SocketAddr) -> io::Result<Vec<SocketAddr>> {
    let is_both =
        local.ip() == Ipv6Addr::UNSPECIFIED && !socket::getsockopt(socket, sockopt::Ipv6V6Only)?;
    let ipv4 = is_both.then(|| SocketAddr::from((Ipv4Addr::UNSPECIFIED, local.port())));
    Ok([local].into_iter().chain(ipv4).collect())
}

pub(crate) fn family(address: SocketAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

/// Whether a socket shares its address with others, among which the kernel then spreads what comes
/// (`SO_REUSEPORT`, `socket(7)`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// It does not.
    No,
    /// It is the first: it takes the address alone, so that one held by another server is an error
    /// and port 0 is nobody else's, and shares it from then on.
    First,
    /// It joins those that share the address already.
    Next,
}

impl Sharing {
    pub(crate) fn bind(self, fd: &OwnedFd, address: SocketAddr) -> io::Result<()> {
        if address.ip() == Ipv6Addr::UNSPECIFIED {
            // Whatever the system is set to (`ipv6(7)`): it means everywhere.
            socket::setsockopt(fd, sockopt::Ipv6V6Only, &false)?;
        }
        if self == Self::Next {
            socket::setsockopt(fd, sockopt::ReusePort, &true)?;
        }
        socket::bind(fd.as_raw_fd(), &SockaddrStorage::from(address))?;
        if self == Self::First {
            socket::setsockopt(fd, sockopt::ReusePort, &true)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapped_addresses_become_ipv4_and_others_stay() {
        let shown = |text: &str| canonical(text.parse().unwrap()).to_string();
        assert_eq!(shown("[::ffff:192.0.2.1]:7"), "192.0.2.1:7");
        assert_eq!(shown("[::1]:7"), "[::1]:7");
        assert_eq!(shown("[fe80::1%3]:7"), "[fe80::1%3]:7");
        assert_eq!(shown("192.0.2.1:7"), "192.0.2.1:7");
    }
}
