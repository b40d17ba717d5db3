//! File transfer, both sides of it.

mod clerk;
mod fetch;
mod shelf;

pub use clerk::Clerk;
pub use fetch::Fetch;
pub use shelf::{Checksum, File, Shelf};
