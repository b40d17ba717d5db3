//! What every program promises.

pub(crate) mod activation;
mod addresses;
mod color;
pub(crate) mod frozen;
mod generated;
mod pipes;
mod signals;
pub(crate) mod summary;
mod usage;
pub(crate) mod words;

/// The programs that these tests know.
pub(crate) const PROGRAMS: [&str; 4] = ["udp-server", "udp-client", "tcp-server", "tcp-client"];

/// Those that serve.
pub(crate) const SERVERS: [&str; 2] = ["udp-server", "tcp-server"];

/// Those that ask.
pub(crate) const CLIENTS: [&str; 2] = ["udp-client", "tcp-client"];
