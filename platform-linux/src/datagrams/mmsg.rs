//! `recvmmsg(2)` and `sendmmsg(2)`, with a control message of its own for each datagram.
//!
//! This is the crate's one module with `unsafe` code. The safe wrappers that there are fill in every
//! header of the largest batch for every call, even when one datagram waits, and cannot send from a
//! source address of its own for each datagram. Here the headers are made for one call at a time, on
//! the stack, so that no pointer outlives the call it is made for.

use core::ptr;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, BorrowedFd};

use barewire_core::datagram::Datagram;
use nix::errno::Errno;
use nix::libc::{self, c_int, c_uint, iovec, mmsghdr, socklen_t};

use crate::address::canonical;
use crate::stream::retry;

/// The most datagrams that one system call receives or sends.
pub const MAX_BATCH: usize = 64;

/// What is asked for by the smallest call that is not for one datagram.
const FEW: usize = 4;

/// Where datagrams come one at a time, every so many calls ask for [`FEW`].
const LONE: u8 = 16;

/// The headers of one call.
type Headers = heapless::Vec<mmsghdr, MAX_BATCH>;

/// Datagrams that were received, and the room for them.
pub(super) struct Inbox {
    capacity: usize,
    /// `capacity` bytes a datagram.
    bytes: Box<[u8]>,
    heads: Box<[Head]>,
    /// Whether the kernel is asked which local address each datagram was sent to.
    wants_local: bool,
    /// How many datagrams the next call asks for, at least 1: a few times what was there lately,
    /// since each costs a header.
    window: usize,
    /// How many calls have asked for one since the last that asked for more.
    lone: u8,
}

/// What is known of a datagram besides its bytes, as the kernel writes it.
#[derive(Clone, Copy, Default)]
struct Head {
    name: Name,
    control: Control,
    control_length: usize,
    /// The true length.
    length: usize,
}

/// The sizes of a `sockaddr_in` and a `sockaddr_in6`.
const IN: socklen_t = 16;
const IN6: socklen_t = 28;

/// Room for a `sockaddr_in6`, and so for a `sockaddr_in`.
#[derive(Clone, Copy, Default)]
#[repr(C, align(4))]
struct Name([u8; IN6 as usize]);

/// Room for one control message with an `in6_pktinfo`, and so with an `in_pktinfo`
/// (`CMSG_SPACE`, `cmsg(3)`).
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

const CONTROL: usize = 40;

/// Where the data of a control message begins (`CMSG_DATA`): behind a length, a level and a type.
const DATA: usize = size_of::<usize>() + 2 * size_of::<c_int>();

impl Default for Control {
    fn default() -> Self {
        Self([0; CONTROL])
    }
}

impl Inbox {
    /// Room for `batch` datagrams of `capacity` bytes.
    pub(super) fn new(capacity: usize, batch: usize, wants_local: bool) -> Self {
        Self {
            capacity,
            bytes: vec![0; capacity * batch].into_boxed_slice(),
            heads: vec![Head::default(); batch].into_boxed_slice(),
            wants_local,
            window: batch,
            lone: 0,
        }
    }

    /// The room, in bytes.
    #[cfg(test)]
    pub(super) fn room(&self) -> usize {
        self.bytes.len()
    }

    /// Receives what waits, or a part of it, without waiting: how many datagrams.
    ///
    /// `MSG_TRUNC` makes the kernel tell the true length of a datagram that did not fit.
    pub(super) fn receive(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let is_lone = self.window == 1 && !self.wants_local;
        let received = if is_lone { self.receive_alone(fd) } else { self.receive_batch(fd) };
        let received = match received {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            received => received?,
        };
        self.adapt(received);
        Ok(received)
    }

    /// Chooses the next window, after a call that has received so many.
    fn adapt(&mut self, received: usize) {
        let most = self.heads.len();
        if self.window == 1 {
            // One that was there does not tell whether there are more.
            self.lone += 1;
            if self.lone == LONE {
                self.lone = 0;
                self.window = FEW.min(most);
            }
        } else if received == self.window {
            self.window = most;
        } else if self.window <= FEW && received <= 1 {
            self.window = 1;
        } else if 4 * received < self.window {
            // Slowly: a call that asks for too few costs another one.
            self.window -= self.window / 4;
        }
    }

    /// One datagram without a control message: `recvfrom(2)` has no header to copy.
    fn receive_alone(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let head = &mut self.heads[0];
        let bytes = self.bytes.as_mut_ptr().cast();
        let name = (&raw mut head.name).cast();
        let mut name_length = IN6;
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        // SAFETY: the bytes and the name are borrowed mutably, and have room for the stated lengths;
        // there is room for one datagram at least.
        let received = retry(|| unsafe {
            let length = &raw mut name_length;
            Errno::result(libc::recvfrom(fd.as_raw_fd(), bytes, self.capacity, flags, name, length))
        });
        head.length = usize::try_from(received?).unwrap_or(0);
        head.control_length = 0;
        Ok(1)
    }

    /// What waits, up to the window.
    fn receive_batch(&mut self, fd: BorrowedFd<'_>) -> io::Result<usize> {
        let bytes = self.bytes.as_mut_ptr();
        let mut vectors: heapless::Vec<iovec, MAX_BATCH> = (0..self.window)
            .map(|index| iovec {
                iov_base: bytes.wrapping_add(index * self.capacity).cast(),
                iov_len: self.capacity,
            })
            .collect();
        let vector = vectors.as_mut_ptr();
        let mut headers = Headers::new();
        for (index, head) in self.heads.iter_mut().take(self.window).enumerate() {
            let mut header = header(&raw mut head.name, IN6, vector.wrapping_add(index));
            if self.wants_local {
                header.msg_hdr.msg_control = (&raw mut head.control).cast();
                header.msg_hdr.msg_controllen = CONTROL;
            }
            let _ = headers.push(header);
        }
        let flags = libc::MSG_DONTWAIT | libc::MSG_TRUNC;
        let (first, count) = (headers.as_mut_ptr(), count(&headers));
        // SAFETY: `first` points to `count` headers. Each has a name of the stated length, one vector
        // whose bytes are its own part of `self.bytes`, and no control buffer or one of the stated
        // length. All of that is borrowed mutably, or owned, by this call, and outlives it.
        let received = retry(|| unsafe {
            Errno::result(libc::recvmmsg(fd.as_raw_fd(), first, count, flags, ptr::null_mut()))
        });
        let received = usize::try_from(received?).unwrap_or(0);
        for (head, header) in self.heads.iter_mut().zip(&headers).take(received) {
            head.length = header.msg_len as usize;
            head.control_length = header.msg_hdr.msg_controllen;
        }
        Ok(received)
    }

    /// A datagram of the last batch, and the local address it was sent to where that is asked for.
    /// `None` if its source has no IP address, which no UDP datagram on Linux lacks.
    pub(super) fn datagram(&self, index: usize) -> Option<(Datagram<'_>, Option<IpAddr>)> {
        let head = &self.heads[index];
        let kept = head.length.min(self.capacity);
        let bytes = &self.bytes[index * self.capacity..][..kept];
        let source = canonical(head.name.address()?);
        let local = head.local().map(|local| local.to_canonical());
        Some((Datagram { source, bytes, length: head.length }, local))
    }

    /// Sends replies, each to where the datagram with that index came from and from the address it
    /// was sent to, as many as the kernel takes in one call. If it cannot send the first from there
    /// (a subnet's broadcast address cannot be told from a host's), it chooses another address.
    ///
    /// An error concerns the first reply (`sendmmsg(2)`).
    pub(super) fn reply(
        &self,
        fd: BorrowedFd<'_>,
        replies: &[(usize, &[u8])],
    ) -> io::Result<usize> {
        if let [(index, bytes)] = replies
            && !self.wants_local
        {
            return reply_alone(fd, &self.heads[*index].name, bytes);
        }
        let batch = replies.iter().take(MAX_BATCH);
        let mut vectors: heapless::Vec<iovec, MAX_BATCH> = batch
            .clone()
            .map(|(_, bytes)| iovec {
                iov_base: bytes.as_ptr().cast_mut().cast(),
                iov_len: bytes.len(),
            })
            .collect();
        let mut controls: heapless::Vec<Option<Control>, MAX_BATCH> =
            batch.clone().map(|(index, _)| self.heads[*index].control_for_reply()).collect();
        let vector = vectors.as_mut_ptr();
        let mut headers = Headers::new();
        for (place, ((index, _), control)) in batch.zip(&mut controls).enumerate() {
            let head = &self.heads[*index];
            let name = (&raw const head.name).cast_mut();
            let mut header = header(name, head.name.length(), vector.wrapping_add(place));
            if let Some(control) = control {
                header.msg_hdr.msg_control = ptr::from_mut(control).cast();
                header.msg_hdr.msg_controllen = head.control_length;
            }
            let _ = headers.push(header);
        }
        let (first, count) = (headers.as_mut_ptr(), count(&headers));
        // SAFETY: `first` points to `count` headers. Each has a name, one vector and no control
        // buffer or one, of the stated lengths, all of which outlive the call; the kernel reads them,
        // and writes to nothing but the headers.
        let sent = unsafe { libc::sendmmsg(fd.as_raw_fd(), first, count, libc::MSG_DONTWAIT) };
        match (Errno::result(sent), replies) {
            (
                Err(Errno::ENETUNREACH | Errno::EINVAL | Errno::EADDRNOTAVAIL),
                [(index, bytes), ..],
            ) if self.wants_local => reply_alone(fd, &self.heads[*index].name, bytes),
            (sent, _) => Ok(usize::try_from(sent?).unwrap_or(0)),
        }
    }
}

/// One reply without a control message: `sendto(2)` has no header to copy.
fn reply_alone(fd: BorrowedFd<'_>, name: &Name, bytes: &[u8]) -> io::Result<usize> {
    let (data, length) = (bytes.as_ptr().cast(), bytes.len());
    let (name, name_length) = (ptr::from_ref(name).cast(), name.length());
    let flags = libc::MSG_DONTWAIT;
    // SAFETY: both pointers are borrowed slices of the stated lengths, which the kernel reads.
    let sent = unsafe { libc::sendto(fd.as_raw_fd(), data, length, flags, name, name_length) };
    Errno::result(sent)?;
    Ok(1)
}

/// A header with one vector and no control message.
fn header(name: *mut Name, name_length: socklen_t, vector: *mut iovec) -> mmsghdr {
    // SAFETY: a C structure of integers and pointers, for which zeroes are valid. (It has padding on
    // some targets, so that it cannot be written out.)
    let mut header: mmsghdr = unsafe { core::mem::zeroed() };
    header.msg_hdr.msg_name = name.cast();
    header.msg_hdr.msg_namelen = name_length;
    header.msg_hdr.msg_iov = vector;
    header.msg_hdr.msg_iovlen = 1;
    header
}

fn count(headers: &Headers) -> c_uint {
    c_uint::try_from(headers.len()).unwrap_or(c_uint::MAX)
}

impl Name {
    fn family(&self) -> c_int {
        u16::from_ne_bytes(part(&self.0, 0)).into()
    }

    /// The address, laid out as `ip(7)` and `ipv6(7)` say.
    fn address(&self) -> Option<SocketAddr> {
        let port = u16::from_be_bytes(part(&self.0, 2));
        match self.family() {
            libc::AF_INET => {
                let ip = Ipv4Addr::from(part::<4>(&self.0, 4));
                Some(SocketAddrV4::new(ip, port).into())
            }
            libc::AF_INET6 => {
                let flow = u32::from_ne_bytes(part(&self.0, 4));
                let ip = Ipv6Addr::from(part::<16>(&self.0, 8));
                let scope = u32::from_ne_bytes(part(&self.0, 24));
                Some(SocketAddrV6::new(ip, port, flow, scope).into())
            }
            _ => None,
        }
    }

    fn length(&self) -> socklen_t {
        if self.family() == libc::AF_INET { IN } else { IN6 }
    }
}

/// What the kernel tells of the way that a datagram came (`IP_PKTINFO`, `IPV6_PKTINFO`).
enum PacketInfo {
    V4 { local: Ipv4Addr },
    V6 { local: Ipv6Addr },
}

impl Head {
    fn packet_info(&self) -> Option<PacketInfo> {
        if self.control_length <= DATA {
            return None;
        }
        let bytes = &self.control.0;
        let level = c_int::from_ne_bytes(part(bytes, size_of::<usize>()));
        let kind = c_int::from_ne_bytes(part(bytes, size_of::<usize>() + size_of::<c_int>()));
        match (level, kind) {
            // `ipi_spec_dst`, behind the interface.
            (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                Some(PacketInfo::V4 { local: part::<4>(bytes, DATA + 4).into() })
            }
            (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                Some(PacketInfo::V6 { local: part::<16>(bytes, DATA).into() })
            }
            _ => None,
        }
    }

    fn local(&self) -> Option<IpAddr> {
        self.packet_info().map(|info| match info {
            PacketInfo::V4 { local } => local.into(),
            PacketInfo::V6 { local } => local.into(),
        })
    }

    /// The control message that makes a reply leave from the address asked: the one received, but for
    /// the interface, since the way back may be another. (A link-local address says nothing without
    /// one.) An address of many is no one's source.
    fn control_for_reply(&self) -> Option<Control> {
        let mut control = self.control;
        match self.packet_info()? {
            PacketInfo::V4 { .. } => control.0[DATA..DATA + 4].fill(0),
            PacketInfo::V6 { local } if is_of_many(local) => return None,
            PacketInfo::V6 { local } if local.is_unicast_link_local() => {}
            PacketInfo::V6 { .. } => control.0[DATA + 16..DATA + 20].fill(0),
        }
        Some(control)
    }
}

/// Whether an address is a multicast or the broadcast address, perhaps IPv4-mapped.
fn is_of_many(ip: Ipv6Addr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_multicast() || ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_multicast(),
    }
}

/// `N` bytes of `bytes` from `start`, which must be there.
fn part<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[start..start + N]);
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_follows_what_comes() {
        let mut inbox = Inbox::new(8, MAX_BATCH, false);
        for _ in 0..100 {
            inbox.adapt(1);
        }
        let few = |inbox: &mut Inbox| {
            while inbox.window == 1 {
                inbox.adapt(1);
            }
            inbox.window
        };
        assert_eq!(few(&mut inbox), FEW);
        inbox.adapt(0);
        assert_eq!(inbox.window, 1);
        assert_eq!(few(&mut inbox), FEW);
        inbox.adapt(FEW - 1);
        assert_eq!(inbox.window, FEW);
        inbox.adapt(FEW);
        assert_eq!(inbox.window, MAX_BATCH);
    }

    #[test]
    fn room_for_one_is_a_window_of_one() {
        let mut inbox = Inbox::new(8, 1, false);
        for received in [1, 0].repeat(100) {
            inbox.adapt(received);
            assert_eq!(inbox.window, 1);
        }
    }

    #[test]
    fn an_address_of_many_is_told_from_one_hosts() {
        for many in ["ff02::1", "::ffff:224.0.0.1", "::ffff:255.255.255.255"] {
            assert!(is_of_many(many.parse().unwrap()), "{many}");
        }
        for one in ["2001:db8::1", "fe80::1", "::ffff:192.0.2.255"] {
            assert!(!is_of_many(one.parse().unwrap()), "{one}");
        }
    }

    /// What is read here by its offset must lie where the system's headers say.
    #[test]
    fn the_layouts_are_the_systems() {
        use core::mem::offset_of;
        assert_eq!(IN as usize, size_of::<libc::sockaddr_in>());
        assert_eq!(IN6 as usize, size_of::<libc::sockaddr_in6>());
        assert_eq!(offset_of!(libc::sockaddr_in, sin_port), 2);
        assert_eq!(offset_of!(libc::sockaddr_in, sin_addr), 4);
        assert_eq!(offset_of!(libc::sockaddr_in6, sin6_port), 2);
        assert_eq!(offset_of!(libc::sockaddr_in6, sin6_addr), 8);
        assert_eq!(offset_of!(libc::sockaddr_in6, sin6_scope_id), 24);
        assert_eq!(offset_of!(libc::cmsghdr, cmsg_level), size_of::<usize>());
        assert_eq!(offset_of!(libc::cmsghdr, cmsg_type), size_of::<usize>() + size_of::<c_int>());
        assert_eq!(offset_of!(libc::in_pktinfo, ipi_ifindex), 0);
        assert_eq!(offset_of!(libc::in_pktinfo, ipi_spec_dst), 4);
        assert_eq!(offset_of!(libc::in6_pktinfo, ipi6_addr), 0);
        assert_eq!(offset_of!(libc::in6_pktinfo, ipi6_ifindex), 16);
        let space = |data: usize| data.next_multiple_of(size_of::<usize>()) + DATA;
        assert_eq!(CONTROL, space(size_of::<libc::in6_pktinfo>()));
    }
}
