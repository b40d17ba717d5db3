//! What is told on standard output.

pub(crate) mod chat;
pub(crate) mod file_client;
pub(crate) mod file_server;
pub(crate) mod summary;
