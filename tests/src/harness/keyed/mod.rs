//! Conversations under a key: a peer that has it, and those on the way who have not.
//!
//! | module | what it gives |
//! |---|---|
//! | [`wire`] | what the keyed form looks like from outside, and that there is nothing else |
//! | [`keyed_stream`] | a peer with a key, which seals whatever a test says |
//! | [`interceptor`], [`datagram_interceptor`] | who reads, changes, leaves out, repeats and cuts what goes by |

pub mod datagram_interceptor;
pub mod interceptor;
pub mod keyed_stream;
pub mod wire;

pub use datagram_interceptor::{Datagram, DatagramInterceptor};
pub use interceptor::{Interceptor, Message, Recording, Verdict};
pub use keyed_stream::KeyedStream;
pub use wire::{Side, assert_hidden, assert_keyed};
