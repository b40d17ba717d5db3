//! Addresses in arguments.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;

use barewire_linux::address::{UnixAddress, UnixPathError};
use barewire_linux::files::is_same_file;
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
    fn read_first(arguments: &'a [String]) -> Result<(Self, &'a [String]), Failure> {
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

/// What a Unix socket's address starts with.
pub(crate) const UNIX: &str = "unix:";

/// What the name of passed sockets stands behind.
const PASSED: &str = "fd:";

/// Where a server is, as its user writes it: [`HostPort`], or `unix:PATH`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerAddress<'a> {
    HostPort(HostPort<'a>),
    Unix(UnixAddress),
}

impl<'a> ServerAddress<'a> {
    /// As [`HostPort::read_first`].
    pub(crate) fn read_first(arguments: &'a [String]) -> Result<(Self, &'a [String]), Failure> {
        if let [first, rest @ ..] = arguments
            && let Some(unix) = read_unix("ADDR", first)
        {
            return Ok((Self::Unix(unix?), rest));
        }
        HostPort::read_first(arguments).map(|(address, rest)| (Self::HostPort(address), rest))
    }

    /// Whether one socket cannot be at this address once another is at that one.
    pub(crate) fn is_taken_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::HostPort(one), Self::HostPort(other)) => one == other && one.port != 0,
            (Self::Unix(one), Self::Unix(other)) => {
                let paths = one.path().zip(other.path());
                paths.is_some_and(|(one, other)| is_same_file(one, other).unwrap_or(false))
            }
            _ => false,
        }
    }

    /// Reads the address that an option gives.
    pub(crate) fn read_option(option: &str, argument: &'a str) -> Result<Self, Failure> {
        match read_unix(option, argument) {
            Some(unix) => unix.map(Self::Unix),
            None => HostPort::read_option(option, argument).map(Self::HostPort),
        }
    }
}

/// Reads `unix:PATH`, if it begins so.
fn read_unix(option: &str, argument: &str) -> Option<Result<UnixAddress, Failure>> {
    let path = argument.strip_prefix(UNIX)?;
    if path.starts_with('@') {
        return Some(Err(Failure::usage(format!(
            "{option}: '{argument}' is an abstract name, which has no permissions: anybody could take it, \
             or connect to it (unix:./{path} is a file of that name)"
        ))));
    }
    Some(UnixAddress::new(Path::new(path)).map_err(|why| {
        let advice = match why {
            UnixPathError::TooLong { .. } => {
                " (choose a shorter one, or one from the working folder)"
            }
            _ => " (write unix:PATH)",
        };
        Failure::usage(format!("{option}: '{argument}' {why}{advice}"))
    }))
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ListenAddress<'a> {
    At(Vec<ServerAddress<'a>>),
    /// At the sockets of this name that the service manager has passed.
    Passed(&'a str),
}

impl<'a> ListenAddress<'a> {
    /// Reads addresses from the front of `arguments`, at least one, and gives them with what follows, which
    /// `is_other` than addresses.
    pub(crate) fn read_first(
        arguments: &'a [String],
        is_other: impl Fn(&str) -> bool,
    ) -> Result<(Self, &'a [String]), Failure> {
        if let [first, rest @ ..] = arguments
            && let Some(name) = first.strip_prefix(PASSED)
        {
            return Ok((Self::Passed(name), rest));
        }
        let (first, mut rest) = ServerAddress::read_first(arguments)?;
        let mut all = vec![first];
        while let Some(next) = rest.first().filter(|next| !is_other(next)) {
            if next.starts_with(PASSED) {
                let message = format!("ADDR: '{next}' stands alone, without other addresses");
                return Err(Failure::usage(message));
            }
            let (address, left) = ServerAddress::read_first(rest)?;
            all.push(address);
            rest = left;
        }
        Ok((Self::At(all), rest))
    }

    /// Reads addresses that nothing may follow.
    pub(crate) fn read_only(arguments: &'a [String]) -> Result<Self, Failure> {
        match Self::read_first(arguments, |_| false)? {
            (address, []) => Ok(address),
            (_, [extra, ..]) => Err(Failure::unexpected_argument(extra)),
        }
    }

    /// Whether some of them are of Unix sockets.
    pub(crate) fn has_unix(&self) -> bool {
        let is_unix = |address: &ServerAddress<'_>| matches!(address, ServerAddress::Unix(_));
        matches!(self, Self::At(all) if all.iter().any(is_unix))
    }
}

/// Whether an argument behind an address is another one by its form: not the name of a folder.
pub(crate) fn is_like_an_address(argument: &str) -> bool {
    let is_host_port = || !argument.contains('/') && split(argument, None).is_ok();
    argument.starts_with(UNIX) || argument.starts_with(PASSED) || is_host_port()
}

impl fmt::Display for ServerAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HostPort(address) => address.fmt(f),
            Self::Unix(address) => address.fmt(f),
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
    fn a_unix_socket_is_told_by_its_prefix() {
        let read = |line: &str| {
            let arguments = arguments(line);
            let (address, rest) = ServerAddress::read_first(&arguments)?;
            Ok::<_, Failure>((address.to_string(), rest.join(" ")))
        };
        assert_eq!(read("unix:/run/x hello").unwrap(), ("unix:/run/x".into(), "hello".into()));
        assert_eq!(read("unix:x").unwrap(), ("unix:x".into(), String::new()));
        let host = arguments("unix 80");
        let (host, _) = ServerAddress::read_first(&host).unwrap();
        assert_eq!(host, ServerAddress::HostPort(HostPort { host: "unix", port: 80 }));
        for (line, why) in [
            ("unix:", "ADDR: 'unix:' has no path (write unix:PATH)"),
            ("unix:@x", "ADDR: 'unix:@x' is an abstract name"),
            (
                &format!("unix:/{}", "x".repeat(107)),
                "has a path of 108 bytes, and a socket's has 107",
            ),
        ] {
            let failure = read(line).unwrap_err();
            assert!(failure.message().is_some_and(|message| message.contains(why)), "{failure:?}");
        }
    }

    #[test]
    fn a_server_may_have_several_addresses() {
        let count = |line: &str| {
            let arguments = arguments(line);
            let read = ListenAddress::read_first(&arguments, |next| !is_like_an_address(next));
            match read.map_err(|failure| failure.message().map(str::to_owned)) {
                Ok((ListenAddress::At(all), rest)) => Ok((all.len(), rest.join(" "))),
                Ok((ListenAddress::Passed(_), rest)) => Ok((0, rest.join(" "))),
                Err(message) => Err(message.unwrap_or_default()),
            }
        };
        assert_eq!(count("127.0.0.1:0 unix:/x"), Ok((2, String::new())));
        assert_eq!(count("unix:x [::1]:1 localhost:2 /srv:1"), Ok((3, "/srv:1".into())));
        assert_eq!(count("127.0.0.1 80 files"), Ok((1, "files".into())));
        assert_eq!(count("unix:x ."), Ok((1, ".".into())));
        assert_eq!(count("fd:web files"), Ok((0, "files".into())));
        assert_eq!(
            count("unix:x fd:web"),
            Err("ADDR: 'fd:web' stands alone, without other addresses".into())
        );
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
