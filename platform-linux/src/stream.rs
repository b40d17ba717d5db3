//! A connected TCP stream that never waits unless asked to.

use std::io::{self, IoSlice};
use std::net::{self, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use barewire_core::time::Duration;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{self, MsgFlags, SockFlag, SockType, SockaddrStorage, sockopt};
use nix::{libc, setsockopt_impl, sockopt_impl};

use crate::address::{canonical, family};

/// Missing among nix's names.
const MSG_MORE: MsgFlags = MsgFlags::from_bits_retain(libc::MSG_MORE);

sockopt_impl!(
    /// Missing among nix's names.
    ReceiveLowMark,
    SetOnly,
    libc::SOL_SOCKET,
    libc::SO_RCVLOWAT,
    i32
);

/// A non-blocking TCP stream.
///
/// Its own methods return [`WouldBlock`](io::ErrorKind::WouldBlock) rather than wait. Through the
/// traits of [`embedded_io`], which are blocking by contract, it waits with `poll(2)`.
#[derive(Debug)]
pub struct TcpStream {
    inner: net::TcpStream,
}

impl TcpStream {
    /// Starts to connect to `peer`, with `TCP_NODELAY` set. The stream becomes writable when the
    /// attempt is over, and [`connect_result`](Self::connect_result) then tells how it went.
    ///
    /// # Errors
    /// Those of `socket(2)` and `connect(2)`, except that `EINPROGRESS` is no error. An attempt that
    /// fails at once (`ENETUNREACH`, say) is reported here.
    pub fn connect(peer: SocketAddr) -> io::Result<Self> {
        let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
        let fd = socket::socket(family(peer), SockType::Stream, flags, None)?;
        socket::setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
        match socket::connect(fd.as_raw_fd(), &SockaddrStorage::from(peer)) {
            // An interrupted attempt goes on by itself (`connect(2)`).
            Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(Self::from_nonblocking(fd)),
            Err(error) => Err(error.into()),
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
        self.inner.take_error()?.map_or(Ok(()), Err)
    }

    /// Takes over a descriptor that is in non-blocking mode already.
    pub(crate) fn from_nonblocking(fd: OwnedFd) -> Self {
        Self { inner: fd.into() }
    }

    /// Reads what has arrived, up to the size of `buffer`. 0 is the end of the stream (unless the
    /// buffer is empty).
    ///
    /// # Errors
    /// Those of `recv(2)`; [`WouldBlock`](io::ErrorKind::WouldBlock) when nothing has arrived.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| socket::recv(self.inner.as_raw_fd(), buffer, MsgFlags::empty()))
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
        let mut flags = MsgFlags::MSG_NOSIGNAL;
        flags.set(MSG_MORE, more);
        let fd = self.inner.as_raw_fd();
        if tail.is_empty() {
            return retry(|| socket::send(fd, head, flags));
        }
        let slices = [IoSlice::new(head), IoSlice::new(tail)];
        retry(|| socket::sendmsg(fd, &slices, &[], flags, None::<&()>))
    }

    /// Sends up to `length` bytes of `file` from `offset` on as the send buffer takes them, without a
    /// copy in this process (`sendfile(2)`), and says how many it took. 0 means that the file ends at
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
        let mut offset = offset;
        let send = || rustix::fs::sendfile(&self.inner, file.as_fd(), Some(&mut offset), length);
        Ok(rustix::io::retry_on_intr(send)?)
    }

    /// Ends the sending direction (`shutdown(2)`): the peer reads an end of stream.
    ///
    /// # Errors
    /// Those of `shutdown(2)`; [`NotConnected`](io::ErrorKind::NotConnected) when the connection is
    /// broken.
    pub fn shut(&self) -> io::Result<()> {
        self.inner.shutdown(Shutdown::Write)
    }

    /// Closes the connection so that the peer sees a reset, not an end of stream: it cannot take
    /// what it has received for the whole (`SO_LINGER` of zero, `socket(7)`; RFC 9293 §3.10.5).
    pub fn abort(self) {
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        // It fails for nothing that is a TCP socket; the close that follows cannot be better.
        let _ = socket::setsockopt(&self.inner, sockopt::Linger, &linger);
    }

    /// The peer's address; an IPv4-mapped IPv6 address as IPv4.
    ///
    /// # Errors
    /// Those of `getpeername(2)`.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr().map(canonical)
    }

    /// The local address; an IPv4-mapped IPv6 address as IPv4.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr().map(canonical)
    }

    /// Has the kernel find out whether the peer is still there: after `idle` without a word it asks,
    /// and every `interval` again, `probes` times; then the connection breaks with
    /// [`TimedOut`](io::ErrorKind::TimedOut). What was sent and not acknowledged breaks it after as
    /// long. (`SO_KEEPALIVE`, `socket(7)`; `TCP_KEEPIDLE` and the like, `tcp(7)`, which count whole
    /// seconds, from 1 to 32767: both times are rounded up to that.)
    ///
    /// # Errors
    /// Those of `setsockopt(2)`: there can be 127 probes.
    pub fn set_keepalive(&self, idle: Duration, interval: Duration, probes: u8) -> io::Result<()> {
        let seconds = |span: Duration| {
            let seconds = span.as_millis_ceil().div_ceil(1000).clamp(1, 32_767);
            u32::try_from(seconds).unwrap_or(32_767)
        };
        let (idle, interval) = (seconds(idle), seconds(interval));
        socket::setsockopt(&self.inner, sockopt::TcpKeepIdle, &idle)?;
        socket::setsockopt(&self.inner, sockopt::TcpKeepInterval, &interval)?;
        socket::setsockopt(&self.inner, sockopt::TcpKeepCount, &u32::from(probes))?;
        let limit = (idle + interval * u32::from(probes)).saturating_mul(1000);
        socket::setsockopt(&self.inner, sockopt::TcpUserTimeout, &limit)?;
        Ok(socket::setsockopt(&self.inner, sockopt::KeepAlive, &true)?)
    }

    /// Caps the kernel's send buffer at about `bytes` (`SO_SNDBUF`, which doubles the number for its
    /// own book-keeping; `socket(7)`). From then on the system does not choose it.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`.
    pub fn set_send_buffer(&self, bytes: usize) -> io::Result<()> {
        Ok(socket::setsockopt(&self.inner, sockopt::SndBuf, &bytes)?)
    }

    /// Asks the kernel for a receive buffer with room for about `bytes`; it gives half of the largest
    /// in `tcp_rmem` at most (`tcp(7)`; 3 MiB by default), and goes on to enlarge the buffer by itself,
    /// as it would not after `SO_RCVBUF`. For who receives much from the same host or over a fast
    /// network, where the kernel begins with little and takes its time.
    ///
    /// The means is the mark below which a stream is not readable (`SO_RCVLOWAT`, `socket(7)`): since
    /// Linux 4.18 the buffer grows with it, and stays so when the mark is lowered again. A system that
    /// does otherwise leaves the buffer as it is.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`, if the mark cannot be lowered again: the stream is of no use then.
    pub fn widen_receive_buffer(&self, bytes: u32) -> io::Result<()> {
        let mark = i32::try_from(bytes).unwrap_or(i32::MAX);
        if socket::setsockopt(&self.inner, ReceiveLowMark, &mark).is_ok() {
            socket::setsockopt(&self.inner, ReceiveLowMark, &1)?;
        }
        Ok(())
    }

    /// Waits until the stream is ready for `events`, or not at all.
    fn poll(&self, events: PollFlags, timeout: PollTimeout) -> io::Result<bool> {
        let mut fds = [PollFd::new(self.inner.as_fd(), events)];
        Ok(retry(|| poll(&mut fds, timeout))? > 0)
    }

    /// Repeats `operation` each time the stream has become ready for it.
    fn wait_for<T>(
        &self,
        events: PollFlags,
        mut operation: impl FnMut() -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match operation() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.poll(events, PollTimeout::NONE)?;
                }
                result => return result,
            }
        }
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}

/// Takes over a standard stream and makes it non-blocking.
impl TryFrom<net::TcpStream> for TcpStream {
    type Error = io::Error;

    fn try_from(inner: net::TcpStream) -> io::Result<Self> {
        inner.set_nonblocking(true)?;
        Ok(Self { inner })
    }
}

impl embedded_io::ErrorType for TcpStream {
    type Error = io::Error;
}

impl embedded_io::Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.wait_for(PollFlags::POLLIN, || self.recv(buffer))
    }
}

impl embedded_io::Write for TcpStream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.wait_for(PollFlags::POLLOUT, || self.send(buffer, &[], false))
    }

    /// Does nothing: what was written is the kernel's, which sends it by itself.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl embedded_io::ReadReady for TcpStream {
    /// True at the end of the stream and for a pending error as well, since a read does not wait
    /// then.
    fn read_ready(&mut self) -> io::Result<bool> {
        self.poll(PollFlags::POLLIN, PollTimeout::ZERO)
    }
}

impl embedded_io::WriteReady for TcpStream {
    /// True for a pending error as well, since a write does not wait then.
    fn write_ready(&mut self) -> io::Result<bool> {
        self.poll(PollFlags::POLLOUT, PollTimeout::ZERO)
    }
}

/// Repeats a call that a signal interrupted (`signal(7)`).
pub(crate) fn retry<T>(mut call: impl FnMut() -> nix::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::EINTR) => {}
            result => return Ok(result?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::{fs, thread};

    use embedded_io::{Read, ReadReady, Write, WriteReady};

    use super::*;

    /// Waits until the attempt to connect is over.
    fn wait_connected(stream: &TcpStream) -> io::Result<()> {
        stream.poll(PollFlags::POLLOUT, PollTimeout::NONE)?;
        stream.connect_result()
    }

    fn pair() -> (TcpStream, net::TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
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
        stream.shut().unwrap();
        let mut received = String::new();
        peer.read_to_string(&mut received).unwrap();
        assert_eq!(received, "one two three");
    }

    #[test]
    fn the_receive_buffer_is_widened_and_a_single_byte_is_still_read() {
        use std::io::Write as _;

        let (stream, mut peer) = pair();
        let room = || socket::getsockopt(&stream.inner, sockopt::RcvBuf).unwrap();
        let before = room();
        stream.widen_receive_buffer(512 * 1024).unwrap();
        let most = fs::read_to_string("/proc/sys/net/ipv4/tcp_rmem").unwrap();
        let most: usize = most.split_whitespace().last().unwrap().parse().unwrap();
        assert!(room() >= (most / 2).min(512 * 1024).max(before), "{before}, then {}", room());
        peer.write_all(b"1").unwrap();
        assert!(stream.poll(PollFlags::POLLIN, PollTimeout::NONE).unwrap());
    }

    #[test]
    fn a_file_is_sent_from_an_offset_to_its_end() {
        use std::fs::File;
        use std::io::{Read as _, Seek, Write as _};

        use rustix::fs::{MemfdFlags, memfd_create};

        let (stream, mut peer) = pair();
        let mut file = File::from(memfd_create("file", MemfdFlags::CLOEXEC).unwrap());
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
        stream.shut().unwrap();
        let broken = stream.send_file(&file, 0, 1).unwrap_err();
        assert_eq!(broken.kind(), io::ErrorKind::BrokenPipe, "and no signal ends the process");
    }

    #[test]
    fn the_kernel_asks_whether_the_peer_is_there() {
        let (stream, _peer) = pair();
        let read = |stream: &TcpStream| {
            let inner = &stream.inner;
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
        let connected = TcpStream::connect(address).and_then(|stream| wait_connected(&stream));
        assert_eq!(connected.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}
