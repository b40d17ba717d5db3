//! What can be told on standard output. The name of an event in JSON is written beside its type.

pub(crate) mod chat;
pub(crate) mod datagram;
pub(crate) mod file_client;
pub(crate) mod file_server;
pub(crate) mod hello;
pub(crate) mod listening;
pub(crate) mod summary;
pub(crate) mod tree;
