//! Where what comes from the network comes from, as far as it counts for limits.

use core::net::IpAddr;

/// Whoever has one of these has one share of what is limited: a number that means something to the
/// owner of the machine that counts.
///
/// Who can come under many numbers escapes the limits of each. So [of an IP address](Self::from) it is
/// the address of IPv4, whatever the port, and of IPv6 the network of 64 bits, all of which one host can
/// have (RFC 4291 §2.5.4, RFC 6177). For a serial port it is its number, say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Source(pub u64);

/// What the addresses of IPv4 have before their 32 bits. No network of IPv6 begins so: `::/8` is
/// reserved (RFC 4291 §2.4).
const IPV4: u64 = 0xffff << 32;

/// The source that an address belongs to; one of IPv4 that is mapped into IPv6 (RFC 4291 §2.5.5.2) is what
/// it was.
///
/// ```
/// use barewire_core::source::Source;
/// use core::net::IpAddr;
///
/// let source = |address: &str| address.parse().map(<Source as From<IpAddr>>::from);
/// assert_eq!(source("2001:db8::1")?, source("2001:db8::2:0:0:1")?);
/// assert_ne!(source("192.0.2.1")?, source("192.0.2.2")?);
/// # Ok::<(), core::net::AddrParseError>(())
/// ```
impl From<IpAddr> for Source {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self(IPV4 | u64::from(address.to_bits())),
            IpAddr::V6(address) => Self((address.to_bits() >> 64) as u64),
        }
    }
}

impl Source {
    /// The first address of the source that an address belongs to: of IPv4 the address itself.
    pub fn first_address(self) -> IpAddr {
        match u32::try_from(self.0 ^ IPV4) {
            Ok(bits) => IpAddr::V4(bits.into()),
            Err(_) => IpAddr::V6((u128::from(self.0) << 64).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_an_ipv4_address_or_half_an_ipv6_address() {
        let source = |text: &str| Source::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(source("192.0.2.1"), Source(0xffff_c000_0201));
        assert_eq!(source("::ffff:192.0.2.1"), source("192.0.2.1"));
        assert_eq!(source("2001:db8:0:7:1:2:3:4"), Source(0x2001_0db8_0000_0007));
        assert_eq!(source("2001:db8:0:7::9"), source("2001:db8:0:7:ffff::"));
        assert_ne!(source("2001:db8:0:7::1"), source("2001:db8:0:8::1"));
    }

    #[test]
    fn it_tells_its_first_address() {
        let first = |text: &str| Source::from(text.parse::<IpAddr>().unwrap()).first_address();
        for text in ["0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "2001:db8::", "fe80::"] {
            assert_eq!(first(text), text.parse::<IpAddr>().unwrap());
        }
        assert_eq!(first("::1"), first("::"));
        assert_eq!(first("2001:db8::1:2:3"), first("2001:db8::"));
    }
}
