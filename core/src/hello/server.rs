//! The side that speaks first.

use super::config::HandshakeConfig;
use super::error::HandshakeError;
use super::reader::HandshakeReader;
use crate::session::{Events, Output, Session};
use crate::text::{MAX_TEXT, Text, TextWriter};
use crate::time::Instant;

/// The server's side of one handshake. Its only event is the client's answer.
///
/// `N` is the longest answer in bytes, at most [`MAX_TEXT`]; the machine takes `N` bytes of memory
/// and at most 96 more (64-bit).
///
/// ```
/// use barewire_core::hello;
/// use barewire_core::nb;
/// use barewire_core::session::{Output, Session};
/// use barewire_core::text::Text;
/// use barewire_core::time::Instant;
///
/// let (now, greeting) = (Instant::ZERO, Text::new("你好")?);
/// let mut server = hello::Server::<64>::new(now, greeting, hello::HandshakeConfig::default());
/// let greeting = Output::Bytes { head: "你好".as_bytes(), tail: b"\n", more: true };
/// assert_eq!(server.poll_transmit(), greeting);
/// server.transmitted(now, 7);
/// assert_eq!(server.poll_transmit(), Output::Shutdown);
/// server.transmitted(now, 0);
///
/// assert_eq!(server.handle_input(now, &mut &b"Hello"[..]), Err(nb::Error::WouldBlock));
/// assert_eq!(server.handle_end(now).unwrap().to_str(), Ok("Hello"));
/// assert_eq!(server.poll_transmit(), Output::Close);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server<'t, const N: usize = MAX_TEXT> {
    greeting: TextWriter<'t>,
    reader: HandshakeReader<N>,
}

impl<'t, const N: usize> Server<'t, N> {
    /// A handshake on a connection that was opened at `now`.
    pub fn new(now: Instant, greeting: Text<'t>, config: HandshakeConfig) -> Self {
        Self {
            greeting: TextWriter::new(greeting, b"\n"),
            reader: HandshakeReader::new(now, config),
        }
    }

    /// Whether both sides have spoken.
    pub const fn is_over(&self) -> bool {
        self.reader.has_received() && self.greeting.is_over()
    }

    /// Whether nothing of the client's answer has come, not even in part: who is short of connections may
    /// give up such a one first.
    pub const fn is_unanswered(&self) -> bool {
        !self.reader.has_begun()
    }
}

impl<'s, const N: usize> Events<'s> for Server<'_, N> {
    type Event = Text<'s>;
}

impl<const N: usize> Session for Server<'_, N> {
    type Error = HandshakeError;

    fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Text<'s>, HandshakeError> {
        self.reader.handle_input(now, input)
    }

    fn handle_end(&mut self, _now: Instant) -> nb::Result<Text<'_>, HandshakeError> {
        self.reader.handle_end()
    }

    fn handle_timeout(&mut self, now: Instant) -> nb::Result<Text<'_>, HandshakeError> {
        if self.is_over() {
            return Err(nb::Error::WouldBlock);
        }
        self.reader.handle_timeout(now, HandshakeError::TimedOut)
    }

    fn poll_transmit(&self) -> Output<'_> {
        if self.is_over() { Output::Close } else { self.greeting.poll_transmit() }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.greeting.transmitted(count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        if self.is_over() { None } else { self.reader.poll_deadline() }
    }
}
