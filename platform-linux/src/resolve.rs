//! From what a person writes to socket addresses.

use core::error::Error;
use core::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// Why there is no address.
#[derive(Debug)]
pub enum ResolveError {
    /// What was written has not the form of an address: wrong usage.
    Malformed {
        /// What was written.
        text: String,
        /// What is wrong with it.
        why: Malformed,
    },
    /// The host has no address, or could not be asked for.
    UnknownHost {
        /// The host's name.
        host: String,
        /// What `getaddrinfo(3)` said.
        error: io::Error,
    },
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It has no host.
    NoHost,
    /// It has no port.
    NoPort,
    /// What stands for its port is no number from 0 to 65535.
    BadPort,
}

/// The addresses of `HOST:PORT`, or of `HOST` and `PORT` apart, IPv4 and IPv6 in the order in which
/// `getaddrinfo(3)` gives them: the best first (RFC 6724). It waits for the name service.
///
/// The host is a name or an address. An IPv6 address stands in brackets before a colon and a port
/// (RFC 3986 §3.2.2); apart from its port it may do without.
///
/// # Errors
/// See [`ResolveError`].
pub fn resolve(address: &str, port: Option<&str>) -> Result<Vec<SocketAddr>, ResolveError> {
    let malformed = |why| ResolveError::Malformed { text: address.to_owned(), why };
    let (host, port) = split(address, port).map_err(malformed)?;
    lookup(host, port)
}

/// Takes an address apart into host (without brackets) and port, without asking for anything.
///
/// # Errors
/// What is wrong with it.
pub fn split<'a>(address: &'a str, port: Option<&'a str>) -> Result<(&'a str, u16), Malformed> {
    let brackets = |host: &'a str| host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let (host, port) = if let Some(port) = port {
        (brackets(address).unwrap_or(address), port)
    } else {
        let (host, port) = address.rsplit_once(':').ok_or(Malformed::NoPort)?;
        match brackets(host) {
            Some(host) => (host, port),
            // `::1` is an address whose last group is not a port.
            None if host.contains(':') => return Err(Malformed::NoPort),
            None => (host, port),
        }
    };
    if host.is_empty() {
        return Err(Malformed::NoHost);
    }
    // `u16::from_str` would take a sign.
    if !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Malformed::BadPort);
    }
    Ok((host, port.parse().map_err(|_| Malformed::BadPort)?))
}

/// The addresses of a host; as [`resolve`].
///
/// # Errors
/// [`ResolveError::UnknownHost`].
pub fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    let unknown = |error| ResolveError::UnknownHost { host: host.to_owned(), error };
    let found: Vec<_> = (host, port).to_socket_addrs().map_err(unknown)?.collect();
    if found.is_empty() {
        return Err(unknown(io::ErrorKind::NotFound.into()));
    }
    Ok(found)
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { text, why } => write!(f, "'{text}' is not an address: {why}"),
            Self::UnknownHost { host, .. } => write!(f, "unknown host '{host}'"),
        }
    }
}

impl Error for ResolveError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Malformed { why, .. } => Some(why),
            Self::UnknownHost { error, .. } => Some(error),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => "it has no host",
            Self::NoPort => "it has no port",
            Self::BadPort => "its port is not a number from 0 to 65535",
        })
    }
}

impl Error for Malformed {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_one_word_or_two() {
        for (address, port, expected) in [
            ("127.0.0.1:8080", None, ("127.0.0.1", 8080)),
            ("localhost:0", None, ("localhost", 0)),
            ("[::1]:80", None, ("::1", 80)),
            ("[fe80::1%eth0]:80", None, ("fe80::1%eth0", 80)),
            ("localhost", Some("65535"), ("localhost", 65535)),
            ("::1", Some("80"), ("::1", 80)),
            ("::1", Some("1"), ("::1", 1)),
            ("[::1]", Some("80"), ("::1", 80)),
        ] {
            assert_eq!(split(address, port), Ok(expected), "{address} {port:?}");
        }
    }

    #[test]
    fn what_is_no_address_is_told_apart_from_an_unknown_host() {
        for (address, port, why) in [
            ("localhost", None, Malformed::NoPort),
            ("::1", None, Malformed::NoPort),
            ("[::1]", None, Malformed::NoPort),
            (":80", None, Malformed::NoHost),
            ("[]:80", None, Malformed::NoHost),
            ("localhost:65536", None, Malformed::BadPort),
            ("localhost:+1", None, Malformed::BadPort),
            ("localhost:", None, Malformed::BadPort),
            ("localhost", Some("http"), Malformed::BadPort),
        ] {
            assert_eq!(split(address, port), Err(why), "{address} {port:?}");
        }
        // RFC 6761 §6.4: this name never exists.
        let error = resolve("no.such.host.invalid:1", None).unwrap_err();
        assert!(matches!(error, ResolveError::UnknownHost { .. }), "{error}");
    }

    #[test]
    fn addresses_need_no_name_service() {
        let found = resolve("127.0.0.1:7", None).unwrap();
        assert_eq!(found, ["127.0.0.1:7".parse().unwrap()]);
        assert_eq!(resolve("::1", Some("7")).unwrap(), ["[::1]:7".parse().unwrap()]);
    }
}
