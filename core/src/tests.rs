//! Tests of all conversations together, and what those of several share.

#[cfg(all(
    feature = "datagram",
    feature = "hello",
    feature = "file",
    feature = "chat",
    feature = "secure"
))]
mod error_messages;
#[cfg(any(feature = "file", feature = "chat"))]
pub(crate) mod random;
