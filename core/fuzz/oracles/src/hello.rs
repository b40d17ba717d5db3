//! The hello handshake.

pub mod client;
mod hearing;
pub mod pair;
pub mod server;
