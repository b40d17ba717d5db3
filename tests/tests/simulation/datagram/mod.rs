//! The datagram exchange.

mod asking;
mod crash;
mod exchange;
mod flood;
mod loops;

use std::net::{Ipv4Addr, SocketAddr};
use std::slice;

use barewire_core::datagram::{HashKey, Reply, Responder, ResponderConfig};

/// A socket's address: host 192.0.2.`host` (RFC 5737).
fn address(host: u8, port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::new(192, 0, 2, host), port))
}

/// A responder on the port of a socket.
fn responder(
    socket: SocketAddr,
    reply: Reply<'_>,
    config: ResponderConfig,
) -> Responder<'_, 16, 8> {
    static PORTS: [u16; 2] = [8080, 8081];

    let port = PORTS.iter().find(|port| **port == socket.port()).expect("a server's port");
    Responder::new(slice::from_ref(port), reply, HashKey::new([1; 8]), config)
}
