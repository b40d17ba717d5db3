//! The datagram exchange.

mod conversation;
mod failures;
mod keyed;
mod limits;
mod options;
mod reply_address;
mod reply_loops;
mod summary;
mod truncation;
