//! What the clients have in common.

pub(crate) mod repeat;
