//! Drivers for streams that speak `embedded-io`.
//!
//! - [`StreamDriver`] never blocks, for a super-loop: it moves what can be moved now. It needs a stream
//!   that knows what is ready.
//! - `AsyncStreamDriver` (feature `embedded-io-async`) waits in futures.
//!
//! Both are a [`Driver`](crate::driver::Driver) over a [`Transport`](crate::driver::Transport) with a
//! buffer of `N` bytes for what was read and not taken yet. A stack with ring buffers of its own, such
//! as smoltcp, needs none: there a session reads from them and lends to them directly.
//!
//! Sessions that send contents are driven as [`InMemory`](crate::session::InMemory): a stream knows
//! bytes only.

#[cfg(feature = "embedded-io-async")]
mod asynchronous;
mod input;
mod shutdown;
mod stream_driver;
#[cfg(all(test, feature = "hello"))]
mod tests;

#[cfg(feature = "embedded-io-async")]
pub use asynchronous::{AsyncStreamDriver, Split, Timer};
pub use shutdown::Shutdown;
pub use stream_driver::StreamDriver;
