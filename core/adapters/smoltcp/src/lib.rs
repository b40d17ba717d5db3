#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod connection;
mod transport;

pub mod time;

pub use connection::{Connection, FLUSH};
pub use transport::{Broken, TcpTransport};
