//! What the clients have in common.

pub(crate) mod dial;
pub(crate) mod exchanges;
pub(crate) mod retry;
pub(crate) mod statistics;
