//! The datagram exchange.

mod asking;
mod crash;
mod exchange;
mod flood;
mod loops;

use std::net::{Ipv4Addr, SocketAddr};

/// A socket's address: host 192.0.2.`host` (RFC 5737).
fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), port))
}
