//! Addresses in arguments.

use std::fmt;
use std::net::SocketAddr;

use barewire_linux::resolve::{Malformed, lookup, split};

use crate::output::system_error::describe;

use super::exit::Failure;

/// `HOST:PORT`, or `HOST` and `PORT` as two arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HostPort<'a> {
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

impl<'a> HostPort<'a> {
    /// Reads an address from the front of `arguments`, and gives it with what follows. The second is
    /// the port if it is a number and the first has no port.
    pub(crate) fn read_first(arguments: &'a [String]) -> Result<(Self, &'a [String]), Failure> {
        let (first, rest) =
            arguments.split_first().ok_or_else(|| Failure::usage("no address given"))?;
        let is_number = |argument: &String| argument.bytes().all(|byte| byte.is_ascii_digit());
        let (read, rest) = match (split(first, None), rest.split_first()) {
            (Err(Malformed::NoPort), Some((port, rest))) if is_number(port) => {
                (split(first, Some(port)), rest)
            }
            (read, _) => (read, rest),
        };
        let (host, port) = read.map_err(|why| invalid("ADDR", first, why))?;
        Ok((Self { host, port }, rest))
    }

    /// Reads the address that an option gives.
    pub(crate) fn read_option(option: &str, argument: &'a str) -> Result<Self, Failure> {
        let (host, port) = split(argument, None).map_err(|why| invalid(option, argument, why))?;
        Ok(Self { host, port })
    }

    /// The addresses that the host has, the best first.
    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        lookup(self.host, self.port)
            .map_err(|error| Failure::Conversation(format!("{error}: {}", describe(&error.error))))
    }
}

fn invalid(option: &str, address: &str, why: Malformed) -> Failure {
    Failure::usage(format!("{option}: '{address}' {why} (write HOST:PORT)"))
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenAddress<'a> {
    HostPort(HostPort<'a>),
    /// At the sockets of this name that the service manager has passed.
    Passed(&'a str),
}

impl<'a> ListenAddress<'a> {
    /// As [`HostPort::read_first`].
    pub(crate) fn read_first(arguments: &'a [String]) -> Result<(Self, &'a [String]), Failure> {
        if let [first, rest @ ..] = arguments
            && let Some(name) = first.strip_prefix("fd:")
        {
            return Ok((Self::Passed(name), rest));
        }
        HostPort::read_first(arguments).map(|(address, rest)| (Self::HostPort(address), rest))
    }

    /// Reads an address that nothing may follow.
    pub(crate) fn read_only(arguments: &'a [String]) -> Result<Self, Failure> {
        match Self::read_first(arguments)? {
            (address, []) => Ok(address),
            (_, [extra, ..]) => Err(Failure::unexpected_argument(extra)),
        }
    }
}

impl fmt::Display for HostPort<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[track_caller]
    fn reads(line: &str, shown: &str, rest: &str) {
        let arguments = arguments(line);
        let (address, follows) = HostPort::read_first(&arguments).unwrap();
        assert_eq!((address.to_string().as_str(), follows.join(" ").as_str()), (shown, rest));
    }

    #[track_caller]
    fn refuses(line: &str, why: &str) {
        let failure = HostPort::read_first(&arguments(line)).unwrap_err();
        assert!(failure.message().is_some_and(|message| message.contains(why)), "{failure:?}");
    }

    #[test]
    fn an_address_is_one_argument_or_two() {
        reads("127.0.0.1:8080", "127.0.0.1:8080", "");
        reads("127.0.0.1 8080", "127.0.0.1:8080", "");
        reads("localhost:0 hello there", "localhost:0", "hello there");
        reads("localhost 80 hello", "localhost:80", "hello");
        reads("localhost:80 81", "localhost:80", "81");
        reads("[::1]:80 81", "[::1]:80", "81");
        reads("::1 80", "[::1]:80", "");
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        refuses("localhost", "ADDR: 'localhost' has no port (write HOST:PORT)");
        refuses("localhost http", "no port");
        refuses("localhost:http", "not a number");
        refuses("localhost 99999999999999999999", "0 to 65535");
        refuses(":80", "no host");
        assert!(HostPort::read_first(&[]).is_err());
        let refused = HostPort::read_option("--bind", "nowhere").unwrap_err();
        assert_eq!(refused.message(), Some("--bind: 'nowhere' has no port (write HOST:PORT)"));
    }
}
