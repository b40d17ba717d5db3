//! The peers of `udp-server`: they answer each datagram with the same text.

use std::io;
use std::net::{SocketAddr, UdpSocket};

use barewire_core::secure::{DatagramKey, REPLY_OVERHEAD, open_request};

use crate::exchange::Exchange;
use crate::key::{chance, key};
use crate::load_datagrams::REPLY;

/// The limit: one thread that waits for a datagram, takes what has come with it, and answers it all
/// at once; two system calls a batch.
pub(crate) fn mmsg(address: SocketAddr) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    println!("listening on {}", socket.local_addr()?);
    let mut exchange = Exchange::answering(REPLY);
    loop {
        let count = exchange.receive(&socket)?;
        exchange.send(&socket, count)?;
    }
}

/// The limit: as [`mmsg`], where each datagram is opened, and a reply sealed.
pub(crate) fn sealing(address: SocketAddr) -> io::Result<()> {
    let socket = UdpSocket::bind(address)?;
    println!("listening on {}", socket.local_addr()?);
    let mut exchange = Exchange::answering(REPLY);
    let keys = [DatagramKey::new(&key())];
    let mut random = chance(3);
    loop {
        let count = exchange.receive(&socket)?;
        for index in 0..count {
            let mut sealed = [0; REPLY.len() + REPLY_OVERHEAD];
            let reply =
                open_request(&keys, exchange.datagram_mut(index)).and_then(|(_, request)| {
                    keys[0].seal_reply(&mut random, request.id, REPLY.as_bytes(), &mut sealed)
                });
            let reply = reply.ok_or_else(|| io::Error::other("a datagram does not open"))?;
            exchange.set(index, reply);
        }
        exchange.send(&socket, count)?;
    }
}

/// What a good Rust user would write: a loop that receives and answers.
pub(crate) async fn tokio(address: SocketAddr) -> io::Result<()> {
    let socket = tokio::net::UdpSocket::bind(address).await?;
    println!("listening on {}", socket.local_addr()?);
    let mut datagram = [0; 1024];
    loop {
        let (_, source) = socket.recv_from(&mut datagram).await?;
        socket.send_to(REPLY.as_bytes(), source).await?;
    }
}
