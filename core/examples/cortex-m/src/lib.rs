//! Barewire's conversations over smoltcp: what is the same on every board.
//!
//! | module | what is there |
//! |---|---|
//! | [`net`] | the interface, its device and its sockets, and what they do in one turn |
//! | [`server`] | sockets that listen, serve, close and listen again |
//! | [`call`] | one connection to a server, from its opening to its end |
//! | [`security`] | the key, for all of them |
//! | [`hello`], [`files`], [`chat`], [`datagrams`] | the conversations |
//!
//! The driver is the core's, over a socket of smoltcp as [`barewire_smoltcp`] has it.
//!
//! Nothing here knows the board, allocates, waits, or reads a clock.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod call;
pub mod chat;
pub mod datagrams;
pub mod files;
pub mod hello;
mod log;
pub mod net;
pub mod security;
pub mod server;
#[cfg(test)]
mod tests;
