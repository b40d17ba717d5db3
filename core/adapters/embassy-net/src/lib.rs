#![doc = include_str!("../README.md")]
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod socket;

pub mod time;

pub use socket::{Socket, close};
pub use time::Clock;
