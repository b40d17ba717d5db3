#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![doc = include_str!("../README.md")]

#[cfg(feature = "chat")]
pub mod chat;
#[cfg(feature = "datagram")]
pub mod datagram;
pub mod driver;
#[cfg(feature = "file")]
pub mod file;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(feature = "hello")]
pub mod hello;
pub mod io;
#[cfg(any(feature = "datagram", feature = "hello", feature = "file", feature = "secure"))]
mod logging;
pub mod printable;
#[cfg(feature = "secure")]
pub mod secure;
pub mod session;
#[cfg(any(test, barewire_sizes))]
mod size_checks;
#[cfg(any(feature = "chat", feature = "datagram"))]
pub mod source;
#[cfg(test)]
mod tests;
pub mod text;
pub mod time;

pub use embedded_io;
#[cfg(feature = "embedded-io-async")]
pub use embedded_io_async;
pub use nb;
