//! The datagram exchange: a client sends one datagram and waits for one reply.
//!
//! - [`Exchange`] is the client: a time-out a try, and retries with twice the time of the one
//!   before.
//! - [`Responder`] is the server: one reply a datagram, with a [guard](Silence) against loops and
//!   floods of fixed size.
//!
//! A datagram has no terminator: its text is all of it. Neither machine owns a datagram: what came
//! is borrowed, and what goes is lent. One that was longer than the receive capacity is a
//! [`Datagram`] that says so, and is never passed off as whole.

mod exchange;
mod rate_limiter;
mod responder;

use core::net::SocketAddr;

pub use exchange::{Config, Event, Exchange, ExchangeError};
pub use rate_limiter::{MUTE, PATIENCE, RATE, Rate};
pub use responder::{REFLECTING_PORTS, Reply, Responder, Silence, Verdict};

use crate::printable::{Printable, printable};

/// The receive capacity in bytes, unless the owner chooses another.
pub const CAPACITY: usize = 1024;

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
