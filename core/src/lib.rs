#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![doc = include_str!("../README.md")]

pub mod chat;
pub mod datagram;
pub mod driver;
#[cfg(test)]
mod error_messages;
pub mod file;
pub mod hello;
pub mod io;
mod log;
pub mod printable;
pub mod session;
#[cfg(any(test, barewire_sizes))]
mod sizes;
pub mod text;
pub mod time;

pub use embedded_io;
#[cfg(feature = "embedded-io-async")]
pub use embedded_io_async;
pub use nb;
