//! Text messages, and the quiet rule that ends those without a terminator.
//!
//! A text message is UTF-8 of at most [`MAX_TEXT`] bytes. It ends
//! - at a line feed; a carriage return just before it is dropped;
//! - at the end of the stream;
//! - when no byte has followed for the *quiet period* ([`DEFAULT_QUIET`] by default). This is for the
//!   simplest peers, which send a text and wait, with no terminator. A text never ends so in the
//!   middle of a UTF-8 sequence: there the next byte is certainly still under way.
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
