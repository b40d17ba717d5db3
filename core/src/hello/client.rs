//! The side that answers.

use super::config::HandshakeConfig;
use super::error::HandshakeError;
use super::reader::HandshakeReader;
use crate::session::{Events, Output, Session};
use crate::text::{MAX_TEXT, Text, TextWriter};
use crate::time::Instant;

/// The client's side of one handshake. Its only event is the server's greeting.
///
/// It is over, and closes, when it has answered and the server has ended its stream. A server that
/// ends its stream only after the answer confirms by that that it has heard it. One that ends it with
/// its greeting, as [`Server`](super::Server) does, confirms nothing: there, that the answer arrived
/// is between TCP and the server.
///
/// `N` is the longest greeting in bytes, at most [`MAX_TEXT`]; the machine takes `N` bytes of
/// memory and at most 96 more (64-bit).
///
/// ```
/// use barewire_core::hello;
/// use barewire_core::nb;
/// use barewire_core::session::{Output, Session};
/// use barewire_core::text::Text;
/// use barewire_core::time::Instant;
///
/// let (now, answer) = (Instant::ZERO, Text::new("Hello")?);
/// let mut client = hello::Client::<64>::new(now, answer, hello::HandshakeConfig::default());
/// assert_eq!(client.poll_transmit(), Output::Nothing);
///
/// let mut input = "你好\n".as_bytes();
/// assert_eq!(client.handle_input(now, &mut input).unwrap().to_str(), Ok("你好"));
/// assert_eq!(client.poll_transmit(), Output::Bytes { head: b"Hello", tail: b"", more: true });
/// client.transmitted(now, 5);
/// assert_eq!(client.poll_transmit(), Output::Shutdown);
/// client.transmitted(now, 0);
///
/// assert_eq!(client.handle_end(now), Err(nb::Error::WouldBlock));
/// assert_eq!(client.poll_transmit(), Output::Close);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client<'t, const N: usize = MAX_TEXT> {
    answer: TextWriter<'t>,
    reader: HandshakeReader<N>,
}

impl<'t, const N: usize> Client<'t, N> {
    /// A handshake on a connection that was opened at `now`.
    pub fn new(now: Instant, answer: Text<'t>, config: HandshakeConfig) -> Self {
        let terminator: &[u8] = if answer.as_bytes().is_empty() { b"\n" } else { b"" };
        Self {
            answer: TextWriter::new(answer, terminator),
            reader: HandshakeReader::new(now, config),
        }
    }

    /// Whether both sides have spoken and the server has ended its stream.
    pub const fn is_over(&self) -> bool {
        self.has_answered() && self.reader.has_ended()
    }

    const fn has_answered(&self) -> bool {
        self.reader.has_received() && self.answer.is_over()
    }
}

impl<'s, const N: usize> Events<'s> for Client<'_, N> {
    type Event = Text<'s>;
}

impl<const N: usize> Session for Client<'_, N> {
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
        let has_answered = self.has_answered();
        let late = if has_answered { HandshakeError::Unclosed } else { HandshakeError::TimedOut };
        self.reader.handle_timeout(now, late)
    }

    fn poll_transmit(&self) -> Output<'_> {
        if self.is_over() {
            Output::Close
        } else if self.reader.has_received() {
            self.answer.poll_transmit()
        } else {
            Output::Nothing
        }
    }

    fn transmitted(&mut self, _now: Instant, count: usize) {
        self.answer.transmitted(count);
    }

    fn poll_deadline(&self) -> Option<Instant> {
        if self.is_over() { None } else { self.reader.poll_deadline() }
    }
}
