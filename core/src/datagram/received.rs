//! A datagram as it was received.

use core::net::SocketAddr;

use crate::printable::{Printable, printable};

/// The receive capacity in bytes, unless the owner chooses another.
pub const DEFAULT_CAPACITY: usize = 1024;

/// The largest payload that UDP over IPv4 can carry, in bytes: 65,535 less the headers of IP (RFC
/// 791) and UDP (RFC 768).
pub const MAX_PAYLOAD: usize = 65_507;

/// A datagram as it was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Datagram<'d> {
    /// Who sent it. An IPv4-mapped IPv6 address must be given as IPv4
    /// ([`IpAddr::to_canonical`](core::net::IpAddr::to_canonical)).
    pub source: SocketAddr,
    /// Its bytes, as many as the receiver had room for.
    pub bytes: &'d [u8],
    /// Its true length in bytes.
    pub length: usize,
}

impl<'d> Datagram<'d> {
    /// A datagram that was received whole.
    pub const fn whole(source: SocketAddr, bytes: &'d [u8]) -> Self {
        Self { source, bytes, length: bytes.len() }
    }

    /// Whether bytes were lost for want of room.
    pub const fn is_truncated(&self) -> bool {
        self.length > self.bytes.len()
    }

    /// The bytes made safe to show.
    pub const fn printable(&self) -> Printable<'d> {
        printable(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    #[test]
    fn only_what_lost_bytes_is_truncated() {
        let source = SocketAddr::from((Ipv4Addr::LOCALHOST, 4000));
        assert!(!Datagram::whole(source, b"full").is_truncated());
        assert!(!Datagram::whole(source, b"").is_truncated());
        assert!(Datagram { source, bytes: b"full", length: 5 }.is_truncated());
    }
}
