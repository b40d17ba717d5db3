//! File transfer.

pub mod listing;
pub mod pair;
pub mod plain;
pub mod receiver;
pub mod sender;
pub mod server;
pub mod wire;
pub mod witness;
