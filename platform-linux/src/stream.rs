//! A connected stream, of TCP or over a Unix socket, that never waits unless asked to.

#[cfg(test)]
mod tests;

use std::io;
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;

use barewire_core::time::Duration;
use nix::errno::Errno;
use nix::sys::socket::{
    self, AddressFamily, MsgFlags, Shutdown, SockFlag, SockType, SockaddrLike, SockaddrStorage,
    sockopt,
};

use crate::address::{Address, PeerAddress, canonical, family};
use crate::sys::{self, retry};
use crate::wait;

/// A non-blocking stream socket, connected by TCP or on this host (`unix(7)`).
///
/// Its own methods return [`WouldBlock`](io::ErrorKind::WouldBlock) rather than wait. Through the
/// traits of [`embedded_io`], which are blocking by contract, it waits with `poll(2)`.
///
/// # What is different over a Unix socket
///
/// - There is no reset to [send](Self::abort): the peer sees an end, as if all had been said. A reset is
///   what it sees if something that it sent was not read. So what must not be taken for the whole has to
///   say how long it is, as the file protocol does.
/// - Whoever sends to a peer that has closed is told at once, and not only after a round trip; what that
///   peer had sent before can still be read.
/// - What only TCP has is left out: `TCP_NODELAY`, [keepalive](Self::set_keepalive) (the system knows of each
///   peer that is gone), ports.
#[derive(Debug)]
pub struct StreamSocket {
    fd: OwnedFd,
}

impl StreamSocket {
    /// Starts to connect to `peer`, over TCP with `TCP_NODELAY` set. The stream becomes writable when the
    /// attempt is over, and [`connect_result`](Self::connect_result) then tells how it went.
    ///
    /// # Errors
    /// Those of `socket(2)` and `connect(2)`, except that `EINPROGRESS` is no error. An attempt that
    /// fails at once (`ENETUNREACH`, say) is reported here. [`WouldBlock`](io::ErrorKind::WouldBlock): as
    /// many wait at a Unix socket to be accepted as there is room for, and nothing will tell of more room.
    pub fn connect(peer: &Address) -> io::Result<Self> {
        match peer {
            Address::Ip(peer) => {
                let fd = open(family(*peer))?;
                socket::setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
                connect(fd, &SockaddrStorage::from(*peer))
            }
            Address::Unix(peer) => connect(open(AddressFamily::Unix)?, peer.as_system()),
        }
    }

    /// How the attempt to connect ended (`SO_ERROR`, `socket(7)`). To be asked once, when the stream
    /// is writable.
    ///
    /// # Errors
    /// Why the connection could not be made; those of `connect(2)`.
    pub fn connect_result(&self) -> io::Result<()> {
        self.take_error()
    }

    /// The pending error, which this clears (`SO_ERROR`, `socket(7)`).
    pub(crate) fn take_error(&self) -> io::Result<()> {
        match socket::getsockopt(&self.fd, sockopt::SocketError)? {
            0 => Ok(()),
            error => Err(io::Error::from_raw_os_error(error)),
        }
    }

    /// Takes over a descriptor that is in non-blocking mode already.
    pub(crate) fn from_nonblocking(fd: OwnedFd) -> Self {
        Self { fd }
    }

    fn raw(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Whether it is TCP's; otherwise it is a Unix socket.
    pub(crate) fn is_tcp(&self) -> io::Result<bool> {
        let local: SockaddrStorage = socket::getsockname(self.raw())?;
        Ok(local.family() != Some(AddressFamily::Unix))
    }

    /// Reads what has arrived, up to the size of `buffer`. 0 is the end of the stream (unless the
    /// buffer is empty).
    ///
    /// # Errors
    /// Those of `recv(2)`; [`WouldBlock`](io::ErrorKind::WouldBlock) when nothing has arrived.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| socket::recv(self.raw(), buffer, MsgFlags::empty()))
    }

    /// As [`recv`](Self::recv), but what has arrived is left to be read (`MSG_PEEK`, `recv(2)`).
    ///
    /// # Errors
    /// As for [`recv`](Self::recv).
    pub fn peek(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| socket::recv(self.raw(), buffer, MsgFlags::MSG_PEEK))
    }

    /// Sends from the front of `head` followed by `tail` as much as the send buffer takes, in one
    /// system call, and says how much that was. With `more` the kernel may hold a partial segment
    /// back until more follows, or the sending direction is shut, or 200 ms pass (`MSG_MORE`,
    /// `send(2)` and `tcp(7)`).
    ///
    /// # Errors
    /// Those of `sendmsg(2)`; [`WouldBlock`](io::ErrorKind::WouldBlock) when the send buffer is
    /// full. A broken connection is an error, never a `SIGPIPE`.
    pub fn send(&self, head: &[u8], tail: &[u8], more: bool) -> io::Result<usize> {
        sys::send(&self.fd, head, tail, more)
    }

    /// Sends up to `length` bytes of `file` from `offset` on as the send buffer takes them, without a
    /// copy in this process (`sendfile(2)`) where the system can, and says how many it took. 0 means that the file ends at
    /// `offset` or before it (unless `length` is 0). The file's own position is neither used nor
    /// moved.
    ///
    /// The call waits for a disk that has to be read, whatever the mode of either descriptor.
    ///
    /// # Errors
    /// Those of `sendfile(2)`; [`WouldBlock`](io::ErrorKind::WouldBlock) when the send buffer is
    /// full. A broken connection is an error, and besides a `SIGPIPE`, which this call cannot
    /// suppress (it has no `MSG_NOSIGNAL`): Rust's run-time ignores that signal from the start of
    /// `main`, and a program must leave it so.
    pub fn send_file(&self, file: impl AsFd, offset: u64, length: usize) -> io::Result<usize> {
        let offset = i64::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
        sys::send_file(&self.fd, file, offset, length)
    }

    /// Ends the sending direction (`shutdown(2)`): the peer reads an end of stream.
    ///
    /// # Errors
    /// Those of `shutdown(2)`; [`NotConnected`](io::ErrorKind::NotConnected) when the connection is
    /// broken.
    pub fn shut_down(&self) -> io::Result<()> {
        Ok(socket::shutdown(self.raw(), Shutdown::Write)?)
    }

    /// Closes the connection so that the peer sees a reset, not an end of stream: it cannot take
    /// what it has received for the whole (`SO_LINGER` of zero, `socket(7)`; RFC 9293 §3.10.5). Over a Unix
    /// socket it sees an end all the same, unless something that it sent has not been read.
    pub fn abort(self) {
        // It fails for no stream socket; the close that follows cannot be better.
        let _ = sys::reset_on_close(&self.fd);
    }

    /// The peer's address, over TCP; an IPv4-mapped IPv6 address as IPv4.
    ///
    /// # Errors
    /// Those of `getpeername(2)`; [`Unsupported`](io::ErrorKind::Unsupported) over a Unix socket.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        ip(Address::of(socket::getpeername(self.raw())?)?)
    }

    /// The local address, over TCP; an IPv4-mapped IPv6 address as IPv4.
    ///
    /// # Errors
    /// Those of `getsockname(2)`; [`Unsupported`](io::ErrorKind::Unsupported) over a Unix socket.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        ip(Address::of_socket(&self.fd)?)
    }

    /// The user who has connected over a Unix socket.
    pub(crate) fn user(&self) -> io::Result<PeerAddress> {
        let credentials = socket::getsockopt(&self.fd, sockopt::PeerCredentials)?;
        Ok(PeerAddress::User(credentials.uid()))
    }

    /// Has the kernel find out whether the peer is still there: after `idle` without a word it asks,
    /// and every `interval` again, `probes` times; then the connection breaks with
    /// [`TimedOut`](io::ErrorKind::TimedOut). What was sent and not acknowledged breaks it after as
    /// long. (`SO_KEEPALIVE`, `socket(7)`; `TCP_KEEPIDLE` and the like, `tcp(7)`, which count whole
    /// seconds, from 1 to 32767: both times are rounded up to that.) Over a Unix socket it does nothing: the
    /// system knows.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`: there can be 127 probes.
    pub fn set_keepalive(&self, idle: Duration, interval: Duration, probes: u8) -> io::Result<()> {
        if !self.is_tcp()? {
            return Ok(());
        }
        let seconds = |span: Duration| {
            let seconds = span.as_millis_ceil().div_ceil(1000).clamp(1, 32_767);
            u32::try_from(seconds).unwrap_or(32_767)
        };
        let (idle, interval) = (seconds(idle), seconds(interval));
        socket::setsockopt(&self.fd, sockopt::TcpKeepIdle, &idle)?;
        socket::setsockopt(&self.fd, sockopt::TcpKeepInterval, &interval)?;
        socket::setsockopt(&self.fd, sockopt::TcpKeepCount, &u32::from(probes))?;
        let limit = (idle + interval * u32::from(probes)).saturating_mul(1000);
        socket::setsockopt(&self.fd, sockopt::TcpUserTimeout, &limit)?;
        Ok(socket::setsockopt(&self.fd, sockopt::KeepAlive, &true)?)
    }

    /// Caps the kernel's send buffer at about `bytes` (`SO_SNDBUF`, which doubles the number for its
    /// own book-keeping; `socket(7)`). From then on the system does not choose it.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`.
    pub fn set_send_buffer(&self, bytes: usize) -> io::Result<()> {
        Ok(socket::setsockopt(&self.fd, sockopt::SndBuf, &bytes)?)
    }

    /// Asks the kernel for a receive buffer with room for about `bytes`; it gives half of the largest
    /// in `tcp_rmem` at most (`tcp(7)`; 3 MiB by default), and goes on to enlarge the buffer by itself,
    /// as it would not after `SO_RCVBUF`. For who receives much from the same host or over a fast
    /// network, where the kernel begins with little and takes its time.
    ///
    /// The means is the mark below which a stream is not readable (`SO_RCVLOWAT`, `socket(7)`): since
    /// Linux 4.18 the buffer grows with it, and stays so when the mark is lowered again. A system that
    /// does otherwise leaves the buffer as it is, and so does a Unix socket.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`, if the mark cannot be lowered again: the stream is of no use then.
    pub fn widen_receive_buffer(&self, bytes: u32) -> io::Result<()> {
        let mark = i32::try_from(bytes).unwrap_or(i32::MAX);
        if sys::set_receive_low_mark(&self.fd, mark).is_ok() {
            sys::set_receive_low_mark(&self.fd, 1)?;
        }
        Ok(())
    }
}

impl AsFd for StreamSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Takes over a standard stream and makes it non-blocking.
impl TryFrom<net::TcpStream> for StreamSocket {
    type Error = io::Error;

    fn try_from(stream: net::TcpStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { fd: stream.into() })
    }
}

/// Takes over a standard stream and makes it non-blocking.
impl TryFrom<UnixStream> for StreamSocket {
    type Error = io::Error;

    fn try_from(stream: UnixStream) -> io::Result<Self> {
        stream.set_nonblocking(true)?;
        Ok(Self { fd: stream.into() })
    }
}

fn open(family: AddressFamily) -> io::Result<OwnedFd> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    Ok(socket::socket(family, SockType::Stream, flags, None)?)
}

fn connect(fd: OwnedFd, peer: &impl SockaddrLike) -> io::Result<StreamSocket> {
    match socket::connect(fd.as_raw_fd(), peer) {
        // An interrupted attempt goes on by itself (`connect(2)`).
        Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(StreamSocket::from_nonblocking(fd)),
        Err(error) => Err(error.into()),
    }
}

fn ip(address: Address) -> io::Result<SocketAddr> {
    match address {
        Address::Ip(address) => Ok(canonical(address)),
        Address::Unix(_) => Err(io::ErrorKind::Unsupported.into()),
    }
}

impl embedded_io::ErrorType for StreamSocket {
    type Error = io::Error;
}

impl embedded_io::Read for StreamSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        wait_for(|| wait::readable(&self.fd, None), || self.recv(buffer))
    }
}

impl embedded_io::Write for StreamSocket {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        wait_for(|| wait::writable(&self.fd, None), || self.send(buffer, &[], false))
    }

    /// Does nothing: what was written is the kernel's, which sends it by itself.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl embedded_io::ReadReady for StreamSocket {
    /// True at the end of the stream and for a pending error as well, since a read does not wait
    /// then.
    fn read_ready(&mut self) -> io::Result<bool> {
        wait::readable(&self.fd, Some(Duration::ZERO))
    }
}

impl embedded_io::WriteReady for StreamSocket {
    /// True for a pending error as well, since a write does not wait then.
    fn write_ready(&mut self) -> io::Result<bool> {
        wait::writable(&self.fd, Some(Duration::ZERO))
    }
}

/// Repeats `operation` each time the stream has become ready for it, which `ready` waits for.
fn wait_for<T>(
    ready: impl Fn() -> io::Result<bool>,
    mut operation: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    loop {
        match operation() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready()?,
            result => return result,
        };
    }
}
