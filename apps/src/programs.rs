//! The programs, one a file, and what the two of the chat share (`folding`, `keepalive`).

pub(crate) mod chat_client;
pub(crate) mod chat_server;
pub(crate) mod file_client;
pub(crate) mod file_server;
mod folding;
mod keepalive;
pub(crate) mod tcp_client;
pub(crate) mod tcp_server;
pub(crate) mod udp_client;
pub(crate) mod udp_server;
