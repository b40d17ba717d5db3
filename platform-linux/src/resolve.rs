//! From what a person writes to socket addresses.

use core::error::Error;
use core::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// The host has no address, or could not be asked for.
#[derive(Debug)]
pub struct UnknownHost {
    /// The host's name.
    pub host: String,
    /// What `getaddrinfo(3)` said.
    pub error: io::Error,
}

/// What is wrong with an address. In words, it follows the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It has no host.
    NoHost,
    /// It has no port.
    NoPort,
    /// What stands for its port is no number from 0 to 65535.
    BadPort,
}

/// Takes an address apart into host and port, without asking for anything: `HOST:PORT`, or `HOST`
/// and `PORT` apart.
///
/// The host is a name or an address. An IPv6 address stands in brackets, which are taken off, before
/// a colon and a port (RFC 3986 §3.2.2); apart from its port it may do without.
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

/// The addresses of a host, IPv4 and IPv6 in the order in which `getaddrinfo(3)` gives them: the best
/// first (RFC 6724). There is at least one. It waits for the name service.
///
/// # Errors
/// [`UnknownHost`].
pub fn lookup(host: &str, port: u16) -> Result<Vec<SocketAddr>, UnknownHost> {
    let unknown = |error| UnknownHost { host: host.to_owned(), error };
    let found = (host, port).to_socket_addrs();
    let found: Vec<_> = found.map_err(|error| unknown(words(error)))?.collect();
    if found.is_empty() {
        return Err(unknown(io::ErrorKind::NotFound.into()));
    }
    Ok(found)
}

/// What `gai_strerror(3)` has said, without what the standard library puts before it.
fn words(error: io::Error) -> io::Error {
    let said = error.to_string();
    let Some(said) = said.strip_prefix("failed to lookup address information: ") else {
        return error;
    };
    let first = said.chars().next().into_iter().flat_map(char::to_lowercase);
    let rest = said.chars().skip(1);
    io::Error::new(error.kind(), first.chain(rest).collect::<String>())
}

impl fmt::Display for UnknownHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot look up '{}'", self.host)
    }
}

impl Error for UnknownHost {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.error)
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHost => "has no host",
            Self::NoPort => "has no port",
            Self::BadPort => "has a port that is not a number from 0 to 65535",
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
        let error = lookup("no.such.host.invalid", 1).unwrap_err();
        assert_eq!(error.to_string(), "cannot look up 'no.such.host.invalid'");
        let reason = error.error.to_string();
        assert!(reason.starts_with(char::is_lowercase) && !reason.contains(':'), "{reason}");
    }

    #[test]
    fn addresses_need_no_name_service() {
        let found = lookup("127.0.0.1", 7).unwrap();
        assert_eq!(found, ["127.0.0.1:7".parse().unwrap()]);
        assert_eq!(lookup("::1", 7).unwrap(), ["[::1]:7".parse().unwrap()]);
    }
}
