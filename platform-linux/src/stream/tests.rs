use std::net::TcpListener;
use std::{fs, thread};

use embedded_io::{Read, ReadReady, Write, WriteReady};

use super::*;

/// Waits until the attempt to connect is over.
fn wait_connected(stream: &StreamSocket) -> io::Result<()> {
    wait::writable(stream, None)?;
    stream.connect_result()
}

fn pair() -> (StreamSocket, net::TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = StreamSocket::connect(&listener.local_addr().unwrap().into()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    wait_connected(&stream).unwrap();
    (stream, peer)
}

#[test]
fn it_does_not_wait_by_its_own_methods() {
    let (stream, _peer) = pair();
    assert_eq!(stream.recv(&mut [0]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    let piece = vec![0; 65_536];
    let full = loop {
        match stream.send(&piece, &piece, false) {
            Ok(count) => assert!(count > 0),
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
}

#[test]
fn two_slices_leave_in_order_and_held_back_bytes_leave_with_the_end() {
    use std::io::Read as _;

    let (stream, mut peer) = pair();
    assert_eq!(stream.send(b"one ", b"two ", false).unwrap(), 8);
    assert_eq!(stream.send(b"three", &[], true).unwrap(), 5);
    stream.shut_down().unwrap();
    let mut received = String::new();
    peer.read_to_string(&mut received).unwrap();
    assert_eq!(received, "one two three");
}

#[test]
fn the_receive_buffer_is_widened_and_a_single_byte_is_still_read() {
    use std::io::Write as _;

    let (stream, mut peer) = pair();
    let room = || socket::getsockopt(&stream.fd, sockopt::RcvBuf).unwrap();
    let before = room();
    stream.widen_receive_buffer(512 * 1024).unwrap();
    let most = fs::read_to_string("/proc/sys/net/ipv4/tcp_rmem").unwrap();
    let most: usize = most.split_whitespace().last().unwrap().parse().unwrap();
    assert!(room() >= (most / 2).min(512 * 1024).max(before), "{before}, then {}", room());
    peer.write_all(b"1").unwrap();
    assert!(wait::readable(&stream, None).unwrap());
}

#[test]
fn a_file_is_sent_from_an_offset_to_its_end() {
    use std::fs::File;
    use std::io::{Read as _, Seek, Write as _};

    use nix::sys::memfd::{MFdFlags, memfd_create};

    let (stream, mut peer) = pair();
    let mut file = File::from(memfd_create("file", MFdFlags::MFD_CLOEXEC).unwrap());
    file.write_all(b"not this, but this").unwrap();
    assert_eq!(stream.send_file(&file, 10, 3).unwrap(), 3);
    assert_eq!(stream.send_file(&file, 13, 1000).unwrap(), 5);
    assert_eq!(stream.send_file(&file, 18, 1000).unwrap(), 0);
    assert_eq!(stream.send_file(&file, 1000, 1).unwrap(), 0);
    assert_eq!(file.stream_position().unwrap(), 18, "where the writing left it");
    let mut received = [0; 8];
    peer.read_exact(&mut received).unwrap();
    assert_eq!(&received, b"but this");

    file.set_len(1 << 20).unwrap();
    let full = loop {
        match stream.send_file(&file, 0, 1 << 20) {
            Ok(count) => assert!(count > 0),
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    stream.shut_down().unwrap();
    let broken = stream.send_file(&file, 0, 1).unwrap_err();
    assert_eq!(broken.kind(), io::ErrorKind::BrokenPipe, "and no signal ends the process");
}

#[test]
fn the_kernel_asks_whether_the_peer_is_there() {
    let (stream, _peer) = pair();
    let read = |stream: &StreamSocket| {
        let inner = &stream.fd;
        (
            socket::getsockopt(inner, sockopt::KeepAlive).unwrap(),
            socket::getsockopt(inner, sockopt::TcpKeepIdle).unwrap(),
            socket::getsockopt(inner, sockopt::TcpKeepInterval).unwrap(),
            socket::getsockopt(inner, sockopt::TcpKeepCount).unwrap(),
            socket::getsockopt(inner, sockopt::TcpUserTimeout).unwrap(),
        )
    };
    assert!(!read(&stream).0);
    let (idle, interval) = (Duration::from_secs(30), Duration::from_millis(9_500));
    stream.set_keepalive(idle, interval, 3).unwrap();
    assert_eq!(read(&stream), (true, 30, 10, 3, 60_000));
    stream.set_keepalive(Duration::MAX, Duration::ZERO, 1).unwrap();
    assert_eq!(read(&stream), (true, 32_767, 1, 1, 32_768_000));
    assert!(stream.set_keepalive(idle, interval, 0).is_err());
}

#[test]
fn the_embedded_traits_wait() {
    use std::io::{Read as _, Write as _};

    let (mut stream, mut peer) = pair();
    assert!(!stream.read_ready().unwrap());
    assert!(stream.write_ready().unwrap());
    let peer = thread::spawn(move || {
        let mut asked = vec![0; 1_000_000];
        peer.read_exact(&mut asked).unwrap();
        peer.write_all(b"answer").unwrap();
        asked
    });
    stream.write_all(&vec![7; 1_000_000]).unwrap();
    stream.flush().unwrap();
    let mut answer = [0; 6];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"answer");
    assert!(peer.join().unwrap() == vec![7; 1_000_000]);
    assert_eq!(stream.read(&mut answer).unwrap(), 0);
    assert!(stream.read_ready().unwrap(), "ready at the end of the stream");
}

#[test]
fn a_refusal_is_the_result_of_connecting() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let connected =
        StreamSocket::connect(&address.into()).and_then(|stream| wait_connected(&stream));
    assert_eq!(connected.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
}
