//! Whose a connection is, and what that counts as where each has a share.

use core::fmt;
use std::net::{IpAddr, SocketAddr};

use barewire_core::source::Source;

/// Who has connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerAddress {
    /// Who is at this address and port.
    Ip(SocketAddr),
    /// The user of this number (uid), over a Unix socket: the one that the process had when it connected
    /// (`SO_PEERCRED`, `unix(7)`). All users that this user namespace does not know are one, the overflow user
    /// (`user_namespaces(7)`).
    User(u32),
}

impl PeerAddress {
    /// What it counts as.
    pub fn source(self) -> Source {
        match self {
            Self::Ip(address) => address.ip().into(),
            Self::User(uid) => user_source(uid),
        }
    }
}

/// `127.0.0.1:41388`, `[2001:db8::1]:41388` or `uid:1000`.
impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::User(uid) => write!(f, "{USER_PREFIX}{uid}"),
        }
    }
}

const USER_PREFIX: &str = "uid:";

/// What a user has before the 32 bits of its number. No network of IPv6 begins so, nor an address of IPv4 as
/// a [`Source`]: `::/8` is reserved (RFC 4291 §2.4).
const USER: u64 = 0xfffe << 32;

/// What a user of this host counts as.
pub fn user_source(uid: u32) -> Source {
    Source(USER | u64::from(uid))
}

/// A [`Source`] as a person writes it: an IPv4 address, an IPv6 network of 64 bits, or `uid:` and the number of
/// a user.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub Source);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ok(uid) = u32::try_from(self.0.0 ^ USER) {
            return write!(f, "{USER_PREFIX}{uid}");
        }
        match self.0.first_address() {
            IpAddr::V4(address) => address.fmt(f),
            IpAddr::V6(network) => write!(f, "{network}/64"),
        }
    }
}

/// Reads a source as it is [`Shown`]; of an IPv6 network any address will do.
pub fn read_source(text: &str) -> Option<Source> {
    if let Some(uid) = text.strip_prefix(USER_PREFIX) {
        // `u32::from_str` would take a sign.
        let is_number = uid.bytes().all(|byte| byte.is_ascii_digit());
        return uid.parse().ok().filter(|_| is_number).map(user_source);
    }
    let address = match text.strip_suffix("/64") {
        Some(network) => IpAddr::V6(network.parse().ok()?),
        None => text.parse().ok()?,
    };
    Some(address.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_they_are_shown() {
        for (text, shown) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("2001:db8:0:7:1:2:3:4", "2001:db8:0:7::/64"),
            ("2001:db8:0:7::/64", "2001:db8:0:7::/64"),
            ("::1", "::/64"),
            ("uid:0", "uid:0"),
            ("uid:4294967295", "uid:4294967295"),
        ] {
            let source = read_source(text).unwrap();
            assert_eq!(Shown(source).to_string(), shown);
            assert_eq!(read_source(shown), Some(source));
        }
        for wrong in [
            "",
            "anna",
            "192.0.2.1/64",
            "192.0.2.0/24",
            "2001:db8::/32",
            "[::1]:80",
            "uid:",
            "uid:+1",
            "uid:4294967296",
            "uid:anna",
            "1000",
        ] {
            assert_eq!(read_source(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_peer_is_shown_with_its_port_and_counts_without() {
        let shown = |peer: PeerAddress| (peer.to_string(), Shown(peer.source()).to_string());
        let ip = PeerAddress::Ip("[2001:db8::7]:80".parse().unwrap());
        assert_eq!(shown(ip), ("[2001:db8::7]:80".into(), "2001:db8::/64".into()));
        assert_eq!(shown(PeerAddress::User(1000)), ("uid:1000".into(), "uid:1000".into()));
    }
}
