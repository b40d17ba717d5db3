//! Connections: any number of links, each between two ends, with at most one fault each.
//!
//! A link behaves like TCP as far as a program can tell. Bytes arrive in order, cut anew; a writer
//! is stopped by a full window; each direction ends on its own, behind its bytes; and who closes
//! with bytes unread, or is sent bytes afterwards, resets the peer (RFC 9293 §3.10.4, RFC 1122
//! §4.2.2.13).
//!
//! ```
//! use barewire_core::hello;
//! use barewire_core::text::Text;
//! use barewire_tests::simulator::random::Random;
//! use barewire_tests::simulator::stream::{Direction, Outcome, Streams};
//!
//! let mut streams = Streams::new(Random::new(7));
//! let [here, there] = streams.connect([Direction::SMOOTH, Direction::SMOOTH], None);
//! let (now, config) = (streams.now(), hello::HandshakeConfig::default());
//! let mut server = hello::Server::<64>::new(now, Text::new("你好")?, config);
//! let mut client = hello::Client::<64>::new(now, Text::new("Hello")?, config);
//! let (mut heard, mut outcomes) = (Vec::new(), Vec::new());
//! while let Some(end) = streams.advance() {
//!     let hear = |text: Text<'_>| heard.push(text.to_string());
//!     outcomes.extend(if end == here {
//!         streams.drive(end, &mut server, hear)
//!     } else {
//!         streams.drive(end, &mut client, hear)
//!     });
//! }
//! assert_eq!(heard, ["你好", "Hello"]);
//! assert_eq!(outcomes, [Outcome::Closed, Outcome::Closed]);
//! # Ok::<(), barewire_core::text::TextError>(())
//! ```

#[cfg(test)]
mod conformance;
mod driver;
mod link;
mod pipe;
mod socket;
mod streams;
#[cfg(test)]
mod tests;

pub use driver::Outcome;
pub use link::{Calamity, Direction, Fault, Moment};
pub use streams::{End, Streams};
