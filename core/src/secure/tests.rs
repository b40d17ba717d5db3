//! The channel as a whole, and against others' implementations of Noise.

mod channel;
mod datagrams;
mod harness;
mod others;
mod replay;
mod vectors;
