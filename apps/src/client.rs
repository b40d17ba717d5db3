//! What the clients have in common.

pub(crate) mod channel;
pub(crate) mod destination;
pub(crate) mod exchanges;
pub(crate) mod hints;
pub(crate) mod interruptible;
pub(crate) mod retry_delay;
pub(crate) mod statistics;
