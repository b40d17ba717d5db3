//! The hello handshake.

mod conversation;
mod failures;
mod options;
mod quiet_rule;
mod summary;
