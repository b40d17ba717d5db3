//! Whom a client connects to.

use std::fmt;
use std::io;
use std::net::SocketAddr;

use barewire_core::time::Duration;

use crate::cli::addresses::HostPort;
use crate::cli::exit::Failure;
use crate::output::system_error::describe;

/// The server, as the user knows it.
#[derive(Debug)]
pub(crate) struct Destination<'a>(HostPort<'a>);

impl<'a> Destination<'a> {
    /// Reads it from the front of `arguments`, and gives it with what follows.
    pub(crate) fn read_first(arguments: &'a [String]) -> Result<(Self, &'a [String]), Failure> {
        let (address, rest) = HostPort::read_first(arguments)?;
        if address.port == 0 {
            return Err(Failure::usage("invalid port 0: a client needs the server's port"));
        }
        Ok((Self(address), rest))
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
        Ok((destination, text.map_err(|why| Failure::usage(format!("the text {why}")))?))
    }

    pub(crate) fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        self.0.resolve()
    }
}

impl fmt::Display for Destination<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why `server` could not be connected to within `timeout`.
pub(crate) fn connect_error(server: &str, timeout: Duration, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => format!(
            "cannot connect to {server}: no answer in {timeout} (check the address, and whether a \
             firewall drops the packets)"
        ),
        io::ErrorKind::ConnectionRefused => format!(
            "cannot connect to {server}: {} (is a server listening there?)",
            describe(error)
        ),
        _ => format!("cannot connect to {server}: {}", describe(error)),
    }
}
