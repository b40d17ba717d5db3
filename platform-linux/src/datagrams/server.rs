//! Receiving and answering many datagrams a system call.

use core::{array, fmt};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::AsRawFd;

use barewire_core::datagram::Datagram;
use nix::cmsg_space;
use nix::errno::Errno;
use nix::libc::{in_pktinfo, in6_pktinfo};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, MultiHeaders, RecvMsg, SockaddrStorage,
    recvmmsg, sendmsg,
};
use rustix::net::{MMsgHdr, SendAncillaryBuffer, SendFlags, SocketAddrAny, sendmmsg};

use super::UdpSocket;
use crate::address::canonical;
use crate::executor::{Context, Readiness, Source};
use crate::stream::retry;

/// The most datagrams that one system call receives or sends.
pub const MAX_BATCH: usize = 64;

/// The most memory that a server's receive buffer takes, in bytes, as long as it holds one datagram:
/// with a large capacity the batch gets smaller.
pub const MAX_MEMORY: usize = 1024 * 1024;

/// A datagram as a [`UdpServer`] has received it.
#[derive(Clone, Copy, Debug)]
pub struct Received<'d> {
    /// Who sent it, its bytes as far as there was room for them, and its true length.
    pub datagram: Datagram<'d>,
    /// The local address that it was sent to, and that a reply leaves from.
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
/// A server stays on the thread that made it.
pub struct UdpServer {
    socket: UdpSocket,
    source: Option<Source>,
    /// The address that the socket is bound to; `None` for a wildcard, when each datagram tells.
    bound: Option<IpAddr>,
    is_ipv4: bool,
    capacity: usize,
    pub(super) buffer: Box<[u8]>,
    headers: MultiHeaders<SockaddrStorage>,
}

/// What was received, without the bytes.
#[derive(Clone, Copy)]
struct Head {
    source: SocketAddr,
    local: IpAddr,
    /// The interface it came in by, if a reply has to name it.
    interface: u32,
    length: usize,
    /// Where in the buffer its bytes are.
    chunk: usize,
}

/// A reply and where it goes.
#[derive(Clone, Copy)]
struct Reply<'b> {
    head: Head,
    bytes: &'b [u8],
}

impl UdpServer {
    /// Serves `socket`, with room for `capacity` bytes of each datagram.
    ///
    /// # Errors
    /// Those of `getsockname(2)`.
    pub fn new(socket: UdpSocket, capacity: usize) -> io::Result<Self> {
        let address = socket.local_addr()?;
        let bound = Some(address.ip()).filter(|ip| !ip.is_unspecified());
        let batch = (MAX_MEMORY / capacity.max(1)).clamp(1, MAX_BATCH);
        let control = bound.is_none().then(|| cmsg_space!(in6_pktinfo));
        Ok(Self {
            source: None,
            bound,
            is_ipv4: address.is_ipv4(),
            capacity,
            buffer: vec![0; capacity.max(1) * batch].into_boxed_slice(),
            headers: MultiHeaders::preallocate(batch, control),
            socket,
        })
    }

    /// The socket.
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// Receives one batch, asks `decide` what to answer to each datagram, and sends the replies. To
    /// be called in every turn of the task; if more may wait, the task gets another turn.
    ///
    /// A reply may borrow from the datagram or from anything that lives as long; it is not copied.
    /// One that the system refuses to send (`EPERM`, `ENETUNREACH`, `EMSGSIZE`, …) is reported to
    /// `refused` with its destination, and changes nothing for the others.
    ///
    /// # Errors
    /// Those of `epoll_ctl(2)` in the first call, and of `recvmmsg(2)`, none of which a peer can
    /// cause: the system is out of memory, say. The server can be used on, in the next turn.
    pub fn serve<'b, W>(
        &'b mut self,
        cx: &mut Context<'_, W>,
        mut decide: impl FnMut(Received<'b>) -> Option<&'b [u8]>,
        refused: impl FnMut(SocketAddr, io::Error),
    ) -> io::Result<Batch> {
        let source = match self.source {
            Some(source) => source,
            None => *self.source.insert(cx.register(&self.socket, Readiness::READABLE)?),
        };
        if !cx.readiness(source).intersects(Readiness::READABLE) {
            return Ok(Batch::default());
        }
        let mut heads = heapless::Vec::<Head, MAX_BATCH>::new();
        let received = self.receive(&mut heads).inspect_err(|_| cx.again())?;
        // Fewer than there was room for: no more were waiting.
        if received < self.buffer.len() / self.stride() {
            cx.clear(source, Readiness::READABLE);
        } else {
            cx.again();
        }

        let (stride, capacity) = (self.stride(), self.capacity);
        let mut replies = heapless::Vec::<Reply<'b>, MAX_BATCH>::new();
        for head in heads {
            let bytes = &self.buffer[head.chunk * stride..][..head.length.min(capacity)];
            let datagram = Datagram { source: head.source, bytes, length: head.length };
            if let Some(bytes) = decide(Received { datagram, local: head.local }) {
                // There is room for one reply a datagram.
                let _ = replies.push(Reply { head, bytes });
            }
        }
        let mut batch = Batch { received, ..Batch::default() };
        if self.bound.is_some() {
            self.send_together(&replies, &mut batch, refused);
        } else {
            self.send_from_each(&replies, &mut batch, refused);
        }
        Ok(batch)
    }

    fn stride(&self) -> usize {
        self.capacity.max(1)
    }

    /// One `recvmmsg(2)`. `MSG_TRUNC` makes it tell the true length of what did not fit.
    fn receive(&mut self, heads: &mut heapless::Vec<Head, MAX_BATCH>) -> io::Result<usize> {
        let (capacity, stride) = (self.capacity, self.stride());
        let batch = self.buffer.len() / stride;
        let mut chunks = self.buffer.chunks_exact_mut(stride);
        let mut slices: [[IoSliceMut<'_>; 1]; MAX_BATCH] = array::from_fn(|_| {
            [IoSliceMut::new(chunks.next().map_or(&mut [], |chunk| &mut chunk[..capacity]))]
        });
        let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_TRUNC;
        let fd = self.socket.inner.as_raw_fd();
        let messages =
            match recvmmsg(fd, &mut self.headers, slices.iter_mut().take(batch), flags, None) {
                Ok(messages) => messages,
                Err(Errno::EAGAIN) => return Ok(0),
                Err(error) => return Err(error.into()),
            };
        let mut received = 0;
        for (chunk, message) in messages.enumerate() {
            received += 1;
            // Linux tells the source of every UDP datagram.
            let Some(source) = message.address.as_ref().and_then(ip_address) else { continue };
            let (local, interface) = match self.bound {
                Some(bound) => (bound, 0),
                None => sent_to(&message).unwrap_or((source.ip(), 0)),
            };
            let _ = heads.push(Head {
                source: canonical(source),
                local: local.to_canonical(),
                interface,
                length: message.bytes,
                chunk,
            });
        }
        Ok(received)
    }

    fn send_together(
        &self,
        replies: &[Reply<'_>],
        batch: &mut Batch,
        mut refused: impl FnMut(SocketAddr, io::Error),
    ) {
        let peers: heapless::Vec<SocketAddrAny, MAX_BATCH> =
            replies.iter().map(|reply| self.outward(reply.head.source).into()).collect();
        let slices: heapless::Vec<[IoSlice<'_>; 1], MAX_BATCH> =
            replies.iter().map(|reply| [IoSlice::new(reply.bytes)]).collect();
        let mut controls: [SendAncillaryBuffer<'_, '_, '_>; MAX_BATCH] =
            array::from_fn(|_| SendAncillaryBuffer::default());
        let mut messages: heapless::Vec<MMsgHdr<'_>, MAX_BATCH> = peers
            .iter()
            .zip(&slices)
            .zip(&mut controls)
            .map(|((peer, slices), control)| MMsgHdr::new_with_addr(peer, slices, control))
            .collect();
        let mut done = 0;
        while done < messages.len() {
            match sendmmsg(&self.socket, &mut messages[done..], SendFlags::DONTWAIT) {
                Ok(count) => {
                    batch.sent += count;
                    done += count;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    batch.dropped += messages.len() - done;
                    break;
                }
                // The error is that of the first one left (`sendmmsg(2)`).
                Err(error) => {
                    batch.failed += 1;
                    refused(replies[done].head.source, error.into());
                    done += 1;
                }
            }
        }
    }

    /// One `sendmsg(2)` a reply, each with its own source address: `sendmmsg` would take them too,
    /// but no safe wrapper of it does.
    fn send_from_each(
        &self,
        replies: &[Reply<'_>],
        batch: &mut Batch,
        mut refused: impl FnMut(SocketAddr, io::Error),
    ) {
        for (index, reply) in replies.iter().enumerate() {
            match self.send_from(reply) {
                Ok(_) => batch.sent += 1,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    batch.dropped += replies.len() - index;
                    break;
                }
                Err(error) => {
                    batch.failed += 1;
                    refused(reply.head.source, error);
                }
            }
        }
    }

    fn send_from(&self, reply: &Reply<'_>) -> io::Result<usize> {
        let fd = self.socket.inner.as_raw_fd();
        let slices = [IoSlice::new(reply.bytes)];
        let peer = SockaddrStorage::from(self.outward(reply.head.source));
        let send = |control: ControlMessage<'_>| {
            retry(|| sendmsg(fd, &slices, &[control], MsgFlags::MSG_DONTWAIT, Some(&peer)))
        };
        match reply.head.local {
            IpAddr::V4(local) if self.is_ipv4 => {
                send(ControlMessage::Ipv4PacketInfo(&in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: in_addr(local),
                    ipi_addr: in_addr(Ipv4Addr::UNSPECIFIED),
                }))
            }
            local => send(ControlMessage::Ipv6PacketInfo(&in6_pktinfo {
                ipi6_addr: in6_addr(local),
                ipi6_ifindex: reply.head.interface,
            })),
        }
    }

    /// A peer's address in the socket's own family.
    fn outward(&self, peer: SocketAddr) -> SocketAddr {
        match peer {
            SocketAddr::V4(peer) if !self.is_ipv4 => {
                SocketAddr::new(peer.ip().to_ipv6_mapped().into(), peer.port())
            }
            peer => peer,
        }
    }
}

fn in_addr(ip: Ipv4Addr) -> nix::libc::in_addr {
    nix::libc::in_addr { s_addr: u32::from_ne_bytes(ip.octets()) }
}

fn in6_addr(ip: IpAddr) -> nix::libc::in6_addr {
    let ip = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    nix::libc::in6_addr { s6_addr: ip.octets() }
}

fn ip_address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    if let Some(address) = storage.as_sockaddr_in() {
        return Some(SocketAddr::V4((*address).into()));
    }
    storage.as_sockaddr_in6().map(|address| SocketAddr::V6((*address).into()))
}

/// The local address that a datagram was sent to, and for a link-local one its interface, without
/// which it says nothing.
fn sent_to(message: &RecvMsg<'_, '_, SockaddrStorage>) -> Option<(IpAddr, u32)> {
    message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4PacketInfo(info) => {
            Some((IpAddr::from(info.ipi_spec_dst.s_addr.to_ne_bytes()), 0))
        }
        ControlMessageOwned::Ipv6PacketInfo(info) => {
            let local = Ipv6Addr::from(info.ipi6_addr.s6_addr);
            let interface = if local.is_unicast_link_local() { info.ipi6_ifindex } else { 0 };
            Some((local.into(), interface))
        }
        _ => None,
    })
}

impl fmt::Debug for UdpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpServer")
            .field("socket", &self.socket)
            .field("capacity", &self.capacity)
            .finish_non_exhaustive()
    }
}
