//! Plain sockets with bounds, and ways to misbehave with them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{
    Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream, UdpSocket,
};
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, bind, getsockname, setsockopt, socket, sockopt,
};
use rustix::net::connect_unspec;

use super::TIMEOUT;

/// How long a look for something that must not come lasts, where no event can prove its absence.
/// It can miss a fault; it cannot invent one.
pub const LOOK: Duration = Duration::from_millis(50);

/// A connection whose reads and writes end after [`TIMEOUT`], and whose bytes leave at once.
pub fn with_timeouts(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(TIMEOUT)).expect("not zero");
    stream.set_write_timeout(Some(TIMEOUT)).expect("not zero");
    stream.set_nodelay(true).expect("TCP has it");
    stream
}

/// Connects to a server.
pub fn connect(server: SocketAddr) -> TcpStream {
    with_timeouts(TcpStream::connect_timeout(&server, TIMEOUT).expect("the server accepts"))
}

/// Connects to a server at 127.0.0.1 from another of this host's addresses in 127.0.0.0/8: as another
/// source.
#[track_caller]
pub fn connect_from(source: Ipv4Addr, server: SocketAddr) -> TcpStream {
    let from = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .expect("a socket");
    bind(from.as_raw_fd(), &SockaddrIn::from(SocketAddrV4::new(source, 0))).expect("loopback");
    let SocketAddr::V4(server) = server else { panic!("{server} is no IPv4 address") };
    nix::sys::socket::connect(from.as_raw_fd(), &SockaddrIn::from(server))
        .expect("the server accepts");
    with_timeouts(from.into())
}

/// A datagram socket at `host`, whose reads end after [`TIMEOUT`].
pub fn datagram_socket(host: &str) -> UdpSocket {
    let socket = UdpSocket::bind((host, 0)).unwrap_or_else(|e| panic!("bind to {host}: {e}"));
    socket.set_read_timeout(Some(TIMEOUT)).expect("not zero");
    socket
}

/// Tries `call` again for as long as it is interrupted.
///
/// A signal that nobody handles interrupts too: SIGCHLD, as the processes of other tests end. The
/// system restarts most calls by itself, but not those of a socket with a time-out (signal(7)).
///
/// # Errors
///
/// What the last try fails with.
pub fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// Reads a line, byte by byte so that nothing after it is taken, and checks that it is one.
#[track_caller]
pub fn read_line(stream: &mut TcpStream) -> String {
    let mut line = Vec::new();
    loop {
        let mut byte = [0];
        match uninterrupted(|| stream.read(&mut byte)) {
            Ok(1) if byte == *b"\n" => return String::from_utf8(line).expect("UTF-8"),
            Ok(1) => line.extend(byte),
            Ok(_) => panic!("the stream ended inside a line: {}", line.escape_ascii()),
            Err(e) => panic!("no line: {e}; until then: {}", line.escape_ascii()),
        }
    }
}

/// Reads to the peer's half-close.
#[track_caller]
pub fn read_to_end(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("UTF-8 and an orderly end");
    text
}

/// One whole handshake with a hello server: its greeting read to the end, `answer` sent, both
/// sides closed in order.
#[track_caller]
pub fn handshake(server: SocketAddr, answer: &str) -> String {
    let mut stream = connect(server);
    let greeting = read_line(&mut stream);
    stream.write_all(answer.as_bytes()).expect("the server reads");
    stream.shutdown(Shutdown::Write).expect("still connected");
    read_to_end(&mut stream);
    greeting
}

/// Ends a connection with a reset instead of a close (`connect(2)` with `AF_UNSPEC`): now, and not only
/// when the last who has a copy of the socket closes it, be it a process that is just being started.
pub fn reset(stream: TcpStream) {
    connect_unspec(stream).expect("a connection");
}

/// Waits until the other end's system has all that was written: who reads there has been woken. On a machine with
/// much to do for its network that may be later than the call that writes.
#[track_caller]
pub fn wait_until_delivered(stream: &TcpStream) {
    let deadline = Instant::now() + TIMEOUT;
    let mut count: libc::c_int = 0;
    loop {
        // SAFETY: it writes the number of bytes that are not acknowledged (SIOCOUTQ, tcp(7)), of this type.
        let result = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
        assert_eq!(result, 0, "{}", io::Error::last_os_error());
        if count == 0 {
            return;
        }
        assert!(Instant::now() < deadline, "{count} bytes are on the way");
        thread::yield_now();
    }
}

/// Whether the peer has ended the connection, waiting for it if need be; what it still says is
/// read and ignored.
pub fn is_ended_by_peer(stream: &mut TcpStream) -> bool {
    let mut ignored = [0; 1024];
    loop {
        match uninterrupted(|| stream.read(&mut ignored)) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(e) => return !matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        }
    }
}

/// Demands that nothing can be read now, nor shortly after; not even an end.
#[track_caller]
pub fn assert_nothing_arrives(stream: &TcpStream) {
    stream.set_read_timeout(Some(LOOK)).expect("not zero");
    let mut byte = [0];
    let found = uninterrupted(|| stream.peek(&mut byte));
    stream.set_read_timeout(Some(TIMEOUT)).expect("not zero");
    match found {
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
        other => panic!("something arrived: {other:?}, {byte:?}"),
    }
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In order: what came is all there was.
    Closed,
    /// By a reset.
    Reset,
}

/// Reads all that comes, and how it ends.
#[track_caller]
pub fn read_out(stream: &mut TcpStream) -> (Vec<u8>, End) {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => (bytes, End::Closed),
        Err(e) if e.kind() == ErrorKind::ConnectionReset => (bytes, End::Reset),
        Err(e) => panic!("no end: {e}, after {} bytes", bytes.len()),
    }
}

/// Connects to a server at 127.0.0.1 with little room for what it sends: it notices at once that
/// nobody reads.
#[track_caller]
pub fn connect_narrow(server: SocketAddr) -> TcpStream {
    let narrow = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
        .expect("a socket");
    setsockopt(&narrow, sockopt::RcvBuf, &4096).expect("a socket");
    let SocketAddr::V4(server) = server else { panic!("{server} is no IPv4 address") };
    nix::sys::socket::connect(narrow.as_raw_fd(), &SockaddrIn::from(server))
        .expect("the server accepts");
    with_timeouts(narrow.into())
}

/// Lets the system take much for a reader who was [narrow](connect_narrow).
pub fn widen(stream: &TcpStream) {
    setsockopt(stream, sockopt::RcvBuf, &(1 << 20)).expect("a socket");
}

/// Sends a datagram and gives the answer and who sent it.
#[track_caller]
pub fn ask(socket: &UdpSocket, server: SocketAddr, text: &[u8]) -> (Vec<u8>, SocketAddr) {
    socket.send_to(text, server).expect("loopback takes it");
    receive(socket)
}

/// Waits for a datagram.
#[track_caller]
pub fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buffer = vec![0; 65536];
    let received = uninterrupted(|| socket.recv_from(&mut buffer));
    let (length, from) = received.expect("a datagram in time");
    buffer.truncate(length);
    (buffer, from)
}

/// Waits until the datagram server has dealt with all that was sent to it before: a server
/// answers in the order it receives, and a datagram on the loopback is delivered by the call
/// that sends it, so the answer to a later question comes after all earlier ones. The question
/// comes from an address of its own, since a server counts by address.
#[track_caller]
pub fn catch_up(server: SocketAddr) {
    static HOST: AtomicU8 = AtomicU8::new(1);
    let host = format!("127.77.0.{}", HOST.fetch_add(1, Ordering::Relaxed).max(1));
    ask(&asking_socket(&host, server), server, b"are you through?");
}

/// As [`datagram_socket`], with another port than the server's, which answers no twin.
pub fn asking_socket(host: &str, server: SocketAddr) -> UdpSocket {
    let is_no_twin =
        |socket: &UdpSocket| socket.local_addr().expect("it is bound").port() != server.port();
    // Both are bound before one is chosen: the first may hold the one port that will not do.
    let sockets = [datagram_socket(host), datagram_socket(host)];
    sockets.into_iter().find(is_no_twin).expect("two ports differ")
}

/// Counts what waits in `socket` to be read.
pub fn waiting(socket: &UdpSocket) -> usize {
    socket.set_nonblocking(true).expect("a socket");
    let count = std::iter::from_fn(|| socket.recv(&mut [0; 2048]).ok()).count();
    socket.set_nonblocking(false).expect("a socket");
    count
}

/// Demands that the server, once it has dealt with all it was sent, has answered none of it.
#[track_caller]
pub fn assert_unanswered(socket: &UdpSocket, server: SocketAddr) {
    catch_up(server);
    assert_eq!(waiting(socket), 0, "it was answered");
}

/// A TCP port that refuses, held for as long as the value lives: bound, but never listened on.
#[derive(Debug)]
pub struct RefusedTcp {
    _held: OwnedFd,
    port: u16,
}

impl RefusedTcp {
    /// Takes a free port.
    pub fn hold() -> Self {
        let held = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)
            .expect("a socket");
        bind(held.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).expect("a free port");
        let bound: SockaddrIn = getsockname(held.as_raw_fd()).expect("it is bound");
        Self { _held: held, port: bound.port() }
    }

    /// Its address.
    pub fn at(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// A UDP port that refuses, held for as long as the value lives: a socket connected to itself
/// takes nothing from others, to whom the system answers that the port is unreachable.
#[derive(Debug)]
pub struct RefusedUdp(UdpSocket);

impl RefusedUdp {
    /// Takes a free port.
    pub fn hold() -> Self {
        let held = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        held.connect(held.local_addr().expect("it is bound")).expect("loopback is there");
        Self(held)
    }

    /// Its address.
    pub fn at(&self) -> String {
        self.0.local_addr().expect("it is bound").to_string()
    }
}

/// Whether this machine has the IPv6 loopback address.
pub fn has_ipv6() -> bool {
    TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// Fails a test that without it would show nothing.
pub fn needs_ipv6() {
    let hint =
        "this test needs IPv6 on the loopback device (sysctl net.ipv6.conf.lo.disable_ipv6=0)";
    assert!(has_ipv6(), "{hint}");
}
