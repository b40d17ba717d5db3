//! The hello handshake.

mod conversation;
mod failures;
mod keyed;
mod options;
pub(crate) mod quiet_rule;
mod summary;
