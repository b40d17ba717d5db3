//! What the servers have in common.

pub(crate) mod admission;
pub(crate) mod capacity;
pub(crate) mod context;
pub(crate) mod links;
pub(crate) mod listen;
pub(crate) mod penalties;
pub(crate) mod places;
pub(crate) mod reload;
mod repeats;
pub(crate) mod serve;
pub(crate) mod service;
pub(crate) mod sockets;
pub(crate) mod source_table;
pub(crate) mod user;
