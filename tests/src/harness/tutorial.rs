//! The peers that a socket tutorial has people write: one `send`, one `recv(1024)`, no
//! terminator, one client, then `close`.

use std::io::{Read, Write};
use std::net::SocketAddr;

use super::Peer;
use super::sockets::{connect, datagram_socket, receive, uninterrupted};

/// A UDP client: sends `text` and gives the first 1024 bytes of the reply.
#[track_caller]
pub fn udp_client(server: SocketAddr, text: &str) -> String {
    let socket = datagram_socket("127.0.0.1");
    socket.send_to(text.as_bytes(), server).expect("loopback takes it");
    let mut buffer = [0; 1024];
    let received = uninterrupted(|| socket.recv_from(&mut buffer));
    let (length, _) = received.expect("a reply in time");
    String::from_utf8(buffer[..length].to_vec()).expect("UTF-8")
}

/// A UDP server: receives one datagram, which is its outcome, replies, and is gone.
pub fn udp_server(reply: impl Into<Vec<u8>>) -> Peer<String> {
    let reply = reply.into();
    Peer::udp(move |socket| {
        let (heard, from) = receive(&socket);
        socket.send_to(&reply, from).expect("loopback takes it");
        String::from_utf8(heard).expect("UTF-8")
    })
}

/// A TCP client: hears the server's greeting, sends `text` and closes.
#[track_caller]
pub fn tcp_client(server: SocketAddr, text: &str) -> String {
    let mut stream = connect(server);
    let heard = recv(&mut stream);
    stream.write_all(text.as_bytes()).expect("the server reads");
    heard
}

/// A TCP server: greets one client, hears its answer, which is its outcome, and closes.
pub fn tcp_server(greeting: impl Into<Vec<u8>>) -> Peer<String> {
    let greeting = greeting.into();
    Peer::tcp(move |mut stream| {
        stream.write_all(&greeting).expect("the client reads");
        recv(&mut stream)
    })
}

/// `recv(1024)`.
#[track_caller]
pub fn recv(stream: &mut impl Read) -> String {
    let mut buffer = [0; 1024];
    let length = uninterrupted(|| stream.read(&mut buffer)).expect("the peer speaks in time");
    String::from_utf8(buffer[..length].to_vec()).expect("UTF-8")
}
