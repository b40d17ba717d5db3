//! A ban, and where it is on.

use std::fmt;
use std::net::IpAddr;

use barewire_linux::address;
use jiff::Timestamp;

/// A ban on a [source](address::source) of connections.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ban {
    /// `None`: until it is lifted.
    pub(super) until: Option<Timestamp>,
    /// Whom the operator meant by it.
    pub(super) nick: Option<String>,
}

impl Ban {
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// How long it holds: ` until 2026-11-29T21:00:00Z`, or nothing.
impl fmt::Display for Ban {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.until.map_or(Ok(()), |until| write!(f, " until {until:.0}"))
    }
}

/// Reads a source; of an IPv6 network any address will do.
pub(super) fn read_source(text: &str) -> Option<IpAddr> {
    let address: IpAddr = match text.strip_suffix("/64") {
        Some(network) => IpAddr::V6(network.parse().ok()?),
        None => text.parse().ok()?,
    };
    Some(address::source(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_as_they_are_shown() {
        for (text, shown) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:7:1:2:3:4", "2001:db8:0:7::/64"),
            ("2001:db8:0:7::/64", "2001:db8:0:7::/64"),
        ] {
            let source = read_source(text).unwrap();
            assert_eq!(address::Shown(source).to_string(), shown);
            assert_eq!(read_source(shown), Some(source));
        }
        for wrong in ["", "anna", "192.0.2.1/64", "192.0.2.0/24", "2001:db8::/32", "[::1]:80"] {
            assert_eq!(read_source(wrong), None, "{wrong}");
        }
    }
}
