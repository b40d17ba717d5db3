//! The datagram exchange.

pub mod exchange;
pub mod responder;
