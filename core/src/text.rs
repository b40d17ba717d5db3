//! Text messages, and the quiet rule that ends those without a terminator.
//!
//! A text message is UTF-8 of at most [`MAX_TEXT`] bytes. It ends
//! - at a line feed; a carriage return just before it is dropped;
//! - at the end of the stream;
//! - when no byte has followed for the *quiet period* ([`DEFAULT_QUIET`] by default), **if its sender has
//!   never ended a message by a line feed**. This is for the simplest peers, which send a text and wait,
//!   with no terminator. One that has sent a line feed has shown that it sends terminators: from then on
//!   silence ends none of its messages, so that a pause of the link never cuts one in two. Nor does it ever end
//!   one in the middle of a UTF-8 sequence: there the next byte is certainly still under way.
//!
//! Except for that last rule, in which silence itself is the message, the cutting of the stream
//! into reads never matters.

mod message;
mod reader;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "hello", feature = "file"))]
mod writer;

pub use message::{MAX_TEXT, Text, TextError};
pub use reader::{DEFAULT_QUIET, TextReader, TextReaderError};
#[cfg(feature = "chat")]
pub(crate) use reader::{Ended, Progress};
#[cfg(any(feature = "hello", feature = "file"))]
pub(crate) use writer::TextWriter;
