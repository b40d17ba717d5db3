//! The datagram exchange.

pub mod exchange;
pub mod limits;
pub mod responder;
