//! A listening stream socket, and the task that accepts from it.

mod acceptor;
mod semaphore;
mod socket;
#[cfg(test)]
mod tests;
mod unix;

pub use acceptor::{Accepted, Acceptor};
pub use semaphore::{Permit, Semaphore};
pub use socket::{BACKLOG, Listener};
