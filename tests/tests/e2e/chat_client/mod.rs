//! The chat client: as a filter, and on a terminal.

mod filter;
mod half_typed_line;
mod line;
mod picture;
mod rows;
pub(crate) mod screen;
mod signals;
mod terminal;

/// What a server of this protocol opens with.
pub(crate) const WELCOME: &str = "* welcome to barewire chat, you are guest1 (/help)\n";
