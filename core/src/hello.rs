//! The hello handshake: the server speaks first, the client answers, both close.
//!
//! ```text
//! server                          client
//!   greeting LF, then FIN  ──────▶
//!                          ◀──────  answer, then FIN
//! close                             close
//! ```
//!
//! Both texts are [text messages](crate::text). The greeting ends in a line feed. The answer has
//! no terminator but the client's half-close, as the simplest server expects it; only an empty
//! answer is sent as a line feed, since it could not be told from none. Each side half-closes
//! once it has spoken, and what the peer says after its one text is ignored. A peer that says
//! nothing, too much, or too little for too long costs a bounded buffer and [`HandshakeConfig::timeout`].

mod client;
mod config;
mod error;
mod reader;
mod server;
#[cfg(test)]
mod tests;

pub use client::Client;
pub use config::{DEFAULT_TIMEOUT, HandshakeConfig};
pub use error::HandshakeError;
pub use server::Server;
