//! File transfer, both sides of it.

mod clerk;
mod fetch;
mod shelf;

pub use clerk::Clerk;
pub use fetch::Fetch;
pub use shelf::{Checksum, File, Shelf};

/// The longest name that is asked for or served, in bytes.
const LONGEST: usize = 64;
