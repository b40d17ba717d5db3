//! The datagram exchange.

mod conversation;
mod failures;
mod options;
mod summary;
