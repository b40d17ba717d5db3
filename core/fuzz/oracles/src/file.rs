//! File transfer.

pub mod listing;
pub mod pair;
pub mod plain;
pub mod receiver;
pub mod request;
pub mod sender;
mod wire;
