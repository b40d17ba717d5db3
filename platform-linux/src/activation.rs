//! What a service manager passes to a server, and what it wants to hear (`systemd.socket(5)`,
//! `sd_listen_fds(3)`, `sd_notify(3)`).

mod notifier;
mod sockets;
#[cfg(test)]
mod tests;

pub use notifier::Notifier;
pub use sockets::{PassedSocket, Unusable, listeners, udp_sockets};
