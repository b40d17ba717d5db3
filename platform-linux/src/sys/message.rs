//! What the kernel tells of a datagram besides its bytes, as it lays it out.

use core::ffi::c_int;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use nix::libc::{self, socklen_t};

/// The sizes of a `sockaddr_in` and a `sockaddr_in6`.
const IN: socklen_t = 16;
pub(super) const IN6: socklen_t = 28;

/// The size of [`Control`].
pub(super) const CONTROL: usize = 40;

/// Where the data of a control message begins (`CMSG_DATA`): behind a length, a level and a type.
const DATA: usize = size_of::<usize>() + 2 * size_of::<c_int>();

/// What is known of a received datagram besides its bytes.
#[derive(Clone, Copy, Default)]
pub(crate) struct Message {
    pub(super) name: Name,
    pub(super) control: Control,
    pub(super) control_length: usize,
    /// The true length of the datagram.
    pub(crate) length: usize,
}

/// Room for a `sockaddr_in6`, and so for a `sockaddr_in`.
#[derive(Clone, Copy, Default)]
#[repr(C, align(4))]
pub(super) struct Name([u8; IN6 as usize]);

/// Room for one control message with an `in6_pktinfo`, and so with an `in_pktinfo`
/// (`CMSG_SPACE`, `cmsg(3)`).
#[derive(Clone, Copy)]
#[repr(C, align(8))]
pub(super) struct Control([u8; CONTROL]);

impl Default for Control {
    fn default() -> Self {
        Self([0; CONTROL])
    }
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

    pub(super) fn length(&self) -> socklen_t {
        if self.family() == libc::AF_INET { IN } else { IN6 }
    }
}

/// The way that a datagram came (`IP_PKTINFO`, `IPV6_PKTINFO`).
enum PacketInfo {
    V4 { local: Ipv4Addr },
    V6 { local: Ipv6Addr },
}

impl Message {
    /// Who sent it, perhaps by an IPv4-mapped address. `None` if that is no IP address, which no UDP
    /// datagram on Linux lacks.
    pub(crate) fn source(&self) -> Option<SocketAddr> {
        self.name.address()
    }

    /// The local address it was sent to, where that was asked for.
    pub(crate) fn local(&self) -> Option<IpAddr> {
        self.packet_info().map(|info| match info {
            PacketInfo::V4 { local } => local.into(),
            PacketInfo::V6 { local } => IpAddr::from(local).to_canonical(),
        })
    }

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

    /// The control message that makes a reply leave from the address asked: the one received, but for
    /// the interface, since the way back may be another. (A link-local address says nothing without
    /// one.) An address of many is no one's source.
    pub(super) fn control_for_reply(&self) -> Option<Control> {
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
