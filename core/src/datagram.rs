//! The datagram exchange: a client sends one datagram and waits for one reply.
//!
//! - [`Exchange`] is the client: a time-out a try, and retries with twice the time of the one
//!   before.
//! - [`Responder`] is the server: one reply a datagram, guarded against [loops and floods](DropReason)
//!   in a fixed amount of memory.
//!
//! Addresses are easily forged, so an answer may go to who never asked. A responder's answers are limited
//! for each [`Source`](crate::source::Source) (an address of IPv4, a network of 64 bits of IPv6), whatever its
//! ports, and in all ([`ResponderConfig`]). Who forges the address of another can use up its rate as long as
//! it goes on, but silences it for longer only if it knows the port. One whose address nobody forges has its
//! rate, however many others are forged, until the total is reached. A text that is longer than what is asked
//! has the responder send more to a forged address than came under it: where that matters, keep it short.
//!
//! A datagram has no terminator: its text is all of it. Neither machine owns a datagram: what came
//! is borrowed, and what goes is lent. One that was longer than the receive capacity is a
//! [`Datagram`] that says so, and is never passed off as whole.

mod config;
mod exchange;
mod keyed_hash;
mod mutes;
mod rate_limiter;
mod received;
mod responder;
mod source_counts;

pub use config::{
    DEFAULT_REPLY_RATE, DEFAULT_TIMEOUT, DEFAULT_TOTAL_REPLY_RATE, ExchangeConfig, MUTE_THRESHOLD,
    Rate, ResponderConfig,
};
pub use exchange::{Exchange, ExchangeError, ExchangeEvent};
pub use keyed_hash::HashKey;
pub use mutes::MUTE_DURATION;
pub use received::{DEFAULT_CAPACITY, Datagram, MAX_PAYLOAD};
pub use responder::{Action, DropReason, REFLECTING_PORTS, Reply, Responder};
