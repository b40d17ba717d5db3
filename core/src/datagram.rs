//! The datagram exchange: a client sends one datagram and waits for one reply.
//!
//! - [`Exchange`] is the client: a time-out a try, and retries with twice the time of the one
//!   before.
//! - [`Responder`] is the server: one reply a datagram, guarded against [loops and floods](DropReason)
//!   in a fixed amount of memory.
//!
//! A datagram has no terminator: its text is all of it. Neither machine owns a datagram: what came
//! is borrowed, and what goes is lent. One that was longer than the receive capacity is a
//! [`Datagram`] that says so, and is never passed off as whole.

mod config;
mod exchange;
mod rate_limiter;
mod received;
mod responder;

pub use config::{DEFAULT_TIMEOUT, ExchangeConfig};
pub use exchange::{Exchange, ExchangeError, ExchangeEvent};
pub use rate_limiter::{DEFAULT_REPLY_RATE, MUTE_DURATION, MUTE_THRESHOLD, Rate};
pub use received::{DEFAULT_CAPACITY, Datagram, MAX_PAYLOAD};
pub use responder::{Action, DropReason, REFLECTING_PORTS, Reply, Responder};
