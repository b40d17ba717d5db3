//! The channel as a whole, and against others' implementations of Noise.

mod channel;
mod contents;
mod datagrams;
pub(super) mod harness;
mod others;
mod replay;
mod vectors;
mod within;
