//! Receiving and answering many datagrams a system call.

use core::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::AsFd as _;

use barewire_core::datagram::Datagram;
use barewire_core::time::Instant;

use super::receive_buffer::ReceiveBuffer;
use super::socket::UdpSocket;
use crate::error_pause::ErrorPause;
use crate::executor::{Context, EventSource, Readiness};
use crate::sys::mmsg::MAX_BATCH;

/// The most memory that a server's receive buffer takes, in bytes, as long as it holds one datagram:
/// with a large capacity the batch gets smaller.
pub const MAX_MEMORY: usize = 1024 * 1024;

/// A datagram as a [`UdpServer`] has received it.
#[derive(Clone, Copy, Debug)]
pub struct ReceivedDatagram<'d> {
    /// Who sent it, its bytes as far as there was room for them, and its true length.
    pub datagram: Datagram<'d>,
    /// The local address that it was sent to, and that a reply leaves from (unless it is one of many
    /// hosts together: a multicast or broadcast address).
    pub local: IpAddr,
}

/// What one call of [`UdpServer::serve`] did, in datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Received.
    pub received: usize,
    /// Replies sent.
    pub sent: usize,
    /// Replies that the system refused to send, each reported.
    pub failed: usize,
    /// Replies thrown away because the send buffer was full. Datagrams may be lost anywhere, and a
    /// peer that still waits asks again; one that no longer does is better off without.
    pub dropped: usize,
}

/// Receives datagrams and answers them, up to [`MAX_BATCH`] a system call, in buffers that are
/// allocated once.
///
///
/// ```
/// use std::task::Poll;
///
/// use barewire_linux::datagrams::{UdpServer, UdpSocket};
/// use barewire_linux::executor::{Context, Executor, Task};
///
/// /// Sends back what comes, until one datagram has come.
/// struct Echo(UdpServer);
///
/// impl Task<()> for Echo {
///     fn turn(&mut self, _: &mut (), cx: &mut Context<'_, ()>) -> Poll<()> {
///         let refused = |peer, error| eprintln!("no reply to {peer}: {error}");
///         match self.0.serve(cx, |received| Some(received.datagram.bytes), refused) {
///             Ok(batch) if batch.received > 0 => return Poll::Ready(()),
///             Ok(_) => {}
///             Err(error) => eprintln!("cannot receive, and tries again: {error}"),
///         }
///         cx.set_deadline(self.0.resumes());
///         Poll::Pending
///     }
/// }
///
/// let socket = UdpSocket::bind("127.0.0.1:0".parse()?)?;
/// let address = socket.local_addr()?;
/// let mut executor = Executor::new()?;
/// executor.spawn(Box::new(Echo(UdpServer::new(socket, 1024)?)));
///
/// let client = std::net::UdpSocket::bind("127.0.0.1:0")?;
/// client.send_to(b"ping", address)?;
/// executor.run(&mut ())?;
/// let mut reply = [0; 8];
/// assert_eq!(client.recv_from(&mut reply)?, (4, address));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct UdpServer {
    socket: UdpSocket,
    source: Option<EventSource>,
    /// The address that the socket is bound to; `None` for a wildcard, when each datagram tells.
    bound: Option<IpAddr>,
    pub(super) buffer: ReceiveBuffer,
    pause: ErrorPause,
}

impl UdpServer {
    /// Serves `socket`, with room for `capacity` bytes of each datagram.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn new(socket: UdpSocket, capacity: usize) -> io::Result<Self> {
        let ip = socket.local_addr()?.ip();
        let bound = Some(ip.to_canonical()).filter(|ip| !ip.is_unspecified());
        let buffer = ReceiveBuffer::new(capacity, batch_size(capacity), bound.is_none());
        Ok(Self { socket, source: None, bound, buffer, pause: ErrorPause::default() })
    }

    /// The socket.
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Receives one batch, asks `decide` what to answer to each datagram, and sends the replies. To
    /// be called in every turn of the task; as long as more waits, the task gets another turn.
    ///
    /// A reply may borrow from the datagram or from anything that lives as long; it is not copied.
    /// One that the system refuses to send (`EPERM`, `ENETUNREACH`, `EMSGSIZE`, …) is reported to
    /// `refused` with its destination, and changes nothing for the others.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)` and of `recvmmsg(2)`, none of which a peer can cause: the system is
    /// out of memory, say. The server then pauses for 100 ms and tries again, as long as that lasts;
    /// so the task wants a turn when it [resumes](Self::resumes). The error is given once until
    /// something is received again.
    pub fn serve<'b, W>(
        &'b mut self,
        cx: &mut Context<'_, W>,
        mut decide: impl FnMut(ReceivedDatagram<'b>) -> Option<&'b [u8]>,
        mut refused: impl FnMut(SocketAddr, io::Error),
    ) -> io::Result<Batch> {
        if self.pause.lasts(cx.now()) {
            return Ok(Batch::default());
        }
        let received = match self.receive(cx) {
            Ok(received) => received,
            Err(error) => {
                // The watch, being level-triggered, would allow no pause.
                if let Some(source) = self.source.take() {
                    let _ = cx.deregister(source, &self.socket);
                }
                return self.pause.begin(cx.now(), error).map_or(Ok(Batch::default()), Err);
            }
        };
        if received > 0 {
            self.pause.forget();
        }
        let (fd, buffer) = (self.socket.as_fd(), &self.buffer);
        let mut replies = heapless::Vec::<(usize, &[u8]), MAX_BATCH>::new();
        for index in 0..received {
            let Some((datagram, local)) = buffer.datagram(index) else { continue };
            let local = local.or(self.bound).unwrap_or(datagram.source.ip());
            if let Some(bytes) = decide(ReceivedDatagram { datagram, local }) {
                // There is room for one reply a datagram.
                let _ = replies.push((index, bytes));
            }
        }
        let mut batch = Batch { received, ..Batch::default() };
        let mut rest = &replies[..];
        while let Some((first, others)) = rest.split_first() {
            match buffer.reply(fd, rest) {
                Ok(count) => {
                    batch.sent += count;
                    rest = &rest[count..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    batch.dropped += rest.len();
                    break;
                }
                Err(error) => {
                    batch.failed += 1;
                    rest = others;
                    if let Some((datagram, _)) = buffer.datagram(first.0) {
                        refused(datagram.source, error);
                    }
                }
            }
        }
        Ok(batch)
    }

    /// When the task wants a turn to try again, after an error of [`serve`](Self::serve).
    pub fn resumes(&self) -> Option<Instant> {
        self.pause.until()
    }

    /// Receives one batch, if anything was reported.
    fn receive<W>(&mut self, cx: &mut Context<'_, W>) -> io::Result<usize> {
        let source = match self.source {
            Some(source) => source,
            None => *self.source.insert(cx.register_level(&self.socket, Readiness::READABLE)?),
        };
        if !cx.readiness(source).intersects(Readiness::READABLE) {
            return Ok(0);
        }
        // What this call leaves behind is reported anew.
        cx.clear(source, Readiness::READABLE);
        self.buffer.receive(self.socket.as_fd())
    }
}

/// How many datagrams a server with room for `capacity` bytes of each takes at once, at most.
pub fn batch_size(capacity: usize) -> usize {
    (MAX_MEMORY / capacity.max(1)).clamp(1, MAX_BATCH)
}

impl fmt::Debug for UdpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpServer").field("socket", &self.socket).finish_non_exhaustive()
    }
}
