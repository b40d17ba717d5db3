//! What the servers have in common.

pub(crate) mod context;
pub(crate) mod listen;
pub(crate) mod serve;
