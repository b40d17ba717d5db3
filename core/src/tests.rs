//! Tests of all conversations together.

#[cfg(all(feature = "datagram", feature = "hello", feature = "file", feature = "chat"))]
mod error_messages;
