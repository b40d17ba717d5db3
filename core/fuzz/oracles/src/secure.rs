//! The keyed channel.

pub mod datagram;
mod dice;
pub mod pair;
pub mod peer;
mod talker;
