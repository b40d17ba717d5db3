//! The contract between a stream protocol and whatever drives it.
//!
//! A [`Session`] is one side of a conversation over a connected byte stream. It owns no connection:
//! a *driver* moves the bytes and tells the time, by the rule that [`driver`](crate::driver) states
//! and carries out. The methods come in four kinds:
//!
//! | kind | methods | when |
//! |---|---|---|
//! | getters | each machine's own | at any time |
//! | `handle_*` | [`handle_input`], [`handle_end`], [`handle_timeout`] | the connection brings something, or it is time |
//! | commands | each machine's own (say, rename, …) | when the owner wants something |
//! | `poll_*` | [`poll_transmit`] with [`transmitted`], [`poll_deadline`] | after any of the two above |
//!
//! An event may borrow from the session or from the input: it is to be used before the next call. A
//! session that has failed is called no more, but for what it has yet to send.
//!
//! [`handle_input`]: Session::handle_input
//! [`handle_end`]: Session::handle_end
//! [`handle_timeout`]: Session::handle_timeout
//! [`poll_transmit`]: Session::poll_transmit
//! [`transmitted`]: Session::transmitted
//! [`poll_deadline`]: Session::poll_deadline

mod contract;
mod in_memory;

pub use contract::{Event, Events, Output, Session};
pub use in_memory::InMemory;
