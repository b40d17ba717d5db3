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
//! nothing, too much, or too little for too long costs a bounded buffer and [`Config::timeout`].

mod client;
mod reader;
mod server;

use core::fmt;

pub use client::Client;
pub use server::Server;

use crate::text::QUIET;
use crate::time::Duration;

/// How long one handshake may take, from the opened connection to its end.
pub const TIMEOUT: Duration = Duration::from_secs(10);

/// The limits of one handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Config {
    /// The quiet period that ends a text without a terminator; [`QUIET`] by default.
    pub quiet: Duration,
    /// How long the whole handshake may take; [`TIMEOUT`] by default.
    pub timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { quiet: QUIET, timeout: TIMEOUT }
    }
}

/// How a handshake fails: each is the peer's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Error {
    /// The peer ended its stream without a word.
    Silent,
    /// The peer's text is longer than the machine's capacity.
    TooLong,
    /// The peer did not say its text, or did not take ours, within [`Config::timeout`].
    TimedOut,
    /// Both have spoken, but the server did not end its stream within [`Config::timeout`], so
    /// there is no sign that it took the answer.
    Unclosed,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Silent => "the peer closed without a word",
            Self::TooLong => "the peer's text is too long",
            Self::TimedOut => "timed out",
            Self::Unclosed => "timed out waiting for the peer to close",
        })
    }
}

impl core::error::Error for Error {}

impl From<crate::text::TooLong> for Error {
    fn from(_: crate::text::TooLong) -> Self {
        Self::TooLong
    }
}

#[cfg(test)]
mod tests;
