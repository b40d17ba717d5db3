//! The hello handshake.

pub mod client;
pub mod pair;
pub mod server;
mod side;
