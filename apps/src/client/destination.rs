//! Whom a client connects to.

use std::fmt;
use std::io;

use barewire_core::time::Duration;
use barewire_linux::address::Family;
use barewire_linux::dialer::{DialError, Dialer, Resolver};
use barewire_linux::sandbox::Keep;
use clap::Args;

use crate::cli::addresses::{HostPort, ServerAddress, UNIX};
use crate::cli::exit::Failure;
use crate::cli::waits::Waits;
use crate::output::system_error::describe;

use super::hints::FULL_HINT;

/// The server, as the user knows it.
#[derive(Debug)]
pub(crate) struct Destination<'a>(ServerAddress<'a>);

/// Which of a server's addresses are tried.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FamilyArguments {
    /// Try the server's IPv4 addresses only
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Try the server's IPv6 addresses only
    #[arg(short = '6', long)]
    ipv6: bool,
}

impl FamilyArguments {
    pub(crate) fn family(self) -> Option<Family> {
        match (self.ipv4, self.ipv6) {
            (true, _) => Some(Family::V4),
            (_, true) => Some(Family::V6),
            _ => None,
        }
    }
}

impl<'a> Destination<'a> {
    /// Reads it from the front of `arguments`, and gives it with what follows.
    pub(crate) fn read_first(arguments: &'a [String]) -> Result<(Self, &'a [String]), Failure> {
        let (address, rest) = ServerAddress::read_first(arguments)?;
        Ok((Self::of("ADDR", address)?, rest))
    }

    /// Reads the server that an option gives.
    pub(crate) fn read_option(option: &str, argument: &'a str) -> Result<Self, Failure> {
        Self::of(option, ServerAddress::read_option(option, argument)?)
    }

    fn of(option: &str, address: ServerAddress<'a>) -> Result<Self, Failure> {
        if let ServerAddress::HostPort(host_port) = &address
            && host_port.port == 0
        {
            let why = "a client needs the server's port";
            return Err(Failure::usage(format!("{option}: '{address}' has port 0: {why}")));
        }
        Ok(Self(address))
    }

    /// Reads arguments that are the server, and perhaps a text that `parse` reads.
    pub(crate) fn read_with_text<T>(
        arguments: &'a [String],
        parse: impl FnOnce(&'a str) -> Result<T, String>,
    ) -> Result<(Self, Option<T>), Failure> {
        let (destination, rest) = Self::read_first(arguments)?;
        if let [_, extra, ..] = rest {
            return Err(Failure::usage(format!(
                "unexpected argument '{extra}' (put a text of several words in quotes)"
            )));
        }
        let text = rest.first().map(|text| parse(text)).transpose();
        Ok((destination, text.map_err(|why| Failure::usage(format!("TEXT: the text {why}")))?))
    }

    /// What finds its addresses of `family`, anew at each attempt. A Unix socket has none.
    pub(crate) fn resolver(
        &self,
        family: Option<Family>,
        waits: &Waits,
    ) -> Result<Resolver, Failure> {
        let ServerAddress::HostPort(HostPort { host, port }) = self.0 else {
            let why =
                "is the address of a Unix socket, where no datagrams are sent (write HOST:PORT)";
            return Err(Failure::usage(format!("ADDR: '{self}' {why}")));
        };
        Ok(Resolver::new(host, port).with_family(family).with_timeout(waits.lookup_timeout))
    }

    /// What connects to it, within `timeout` once its addresses are known.
    pub(crate) fn dialer(
        &self,
        family: FamilyArguments,
        waits: &Waits,
        timeout: Duration,
    ) -> Result<Dialer, Failure> {
        let dialer = match (&self.0, family.family()) {
            (ServerAddress::HostPort(_), family) => Dialer::new(self.resolver(family, waits)?),
            (ServerAddress::Unix(address), None) => Dialer::to_unix(*address),
            (ServerAddress::Unix(_), Some(family)) => {
                let option = if family == Family::V4 { "-4" } else { "-6" };
                return Err(Failure::usage(format!(
                    "{option}: '{self}' is a Unix socket, without an {family} address (leave {option} out)"
                )));
            }
        };
        Ok(dialer.with_timeout(timeout))
    }
}

impl Destination<'_> {
    /// Which of root's rights it takes to reach it: those on files, for a Unix socket of another user's.
    pub(crate) fn needs(&self) -> Keep {
        match self.0 {
            ServerAddress::Unix(_) => Keep::Files,
            ServerAddress::HostPort(_) => Keep::Nothing,
        }
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why `server` could not be connected to within `timeout`.
pub(crate) fn connect_error(server: &str, timeout: Duration, error: &DialError) -> String {
    let DialError::Unreached { tried, last } = error else {
        return no_address(error);
    };
    let which = among(*tried);
    let is_unix = server.starts_with(UNIX);
    match last.kind() {
        io::ErrorKind::TimedOut if is_unix => format!(
            "cannot connect to {server}: no answer in {timeout} (a server listens there and accepts nobody)"
        ),
        io::ErrorKind::PermissionDenied if is_unix => format!(
            "cannot connect to {server}: {} (it takes the right to write to the socket, and to reach it: \
             ls -l tells; the server's --socket-mode gives it)",
            describe(last)
        ),
        io::ErrorKind::NotFound => {
            format!("cannot connect to {server}: {} (is a server listening there?)", describe(last))
        }
        io::ErrorKind::TimedOut => format!(
            "cannot connect to {server}: {which}no answer in {timeout} (check the address, and whether a \
             firewall drops the packets)"
        ),
        io::ErrorKind::ConnectionRefused => format!(
            "cannot connect to {server}: {which}{} (is a server listening there?)",
            describe(last)
        ),
        io::ErrorKind::ConnectionReset => format!(
            "cannot connect to {server}: {which}{} ({FULL_HINT}: try later)",
            describe(last)
        ),
        _ => format!("cannot connect to {server}: {which}{}", describe(last)),
    }
}

/// Why a server has no address to try.
pub(crate) fn no_address(error: &DialError) -> String {
    match error {
        DialError::UnknownHost(unknown) => format!("{unknown}: {}", describe(&unknown.error)),
        DialError::LookupTimedOut { .. } => {
            format!("{error} (do the name servers answer? /etc/resolv.conf lists them)")
        }
        _ => error.to_string(),
    }
}

/// What stands before the reason why the last of several addresses failed.
pub(crate) fn among(tried: usize) -> String {
    if tried > 1 { format!("tried {tried} addresses, the last: ") } else { String::new() }
}
