//! What one side of a handshake receives: one text, in time, and the end of the stream.

use super::config::HandshakeConfig;
use super::error::HandshakeError;
use crate::logging::debug;
use crate::text::{Text, TextReader};
use crate::time::Instant;
use crate::time::deadline::Deadline;

#[derive(Debug)]
pub(super) struct HandshakeReader<const N: usize> {
    reader: TextReader<N>,
    received: bool,
    ended: bool,
    deadline: Deadline,
}

impl<const N: usize> HandshakeReader<N> {
    pub(super) fn new(now: Instant, config: HandshakeConfig) -> Self {
        Self {
            reader: TextReader::new(config.quiet),
            received: false,
            ended: false,
            deadline: Deadline::after(now, config.timeout),
        }
    }

    /// Whether the peer's text is complete.
    pub(super) const fn has_received(&self) -> bool {
        self.received
    }

    /// Whether the peer's text is complete, or has come in part.
    pub(super) const fn has_begun(&self) -> bool {
        self.received || self.reader.has_begun()
    }

    /// Whether the peer has ended its stream.
    pub(super) const fn has_ended(&self) -> bool {
        self.ended
    }

    pub(super) fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Text<'s>, HandshakeError> {
        if self.received {
            *input = &[];
            return Err(nb::Error::WouldBlock);
        }
        let text = self
            .reader
            .handle_input(now, input)
            .map_err(|error| error.map(HandshakeError::from))?;
        self.received = true;
        Ok(text)
    }

    pub(super) fn handle_end(&mut self) -> nb::Result<Text<'_>, HandshakeError> {
        self.ended = true;
        if self.received {
            return Err(nb::Error::WouldBlock);
        }
        let text = self.reader.handle_end().map_err(|error| match error {
            nb::Error::WouldBlock => nb::Error::Other(HandshakeError::Silent),
            nb::Error::Other(error) => nb::Error::Other(error.into()),
        })?;
        self.received = true;
        Ok(text)
    }

    /// The quiet period ends the text if it is over before the handshake's time is. `late` is what it
    /// means that the whole takes too long.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        late: HandshakeError,
    ) -> nb::Result<Text<'_>, HandshakeError> {
        let quiet = self.quiet_deadline();
        if !self.deadline.min(quiet).is_reached(now) {
            return Err(nb::Error::WouldBlock);
        }
        if self.deadline < quiet {
            debug!("the handshake took too long; has heard the peer: {}", self.received);
            return Err(nb::Error::Other(late));
        }
        // Silence ends the text as the end of the stream does.
        let text = self.reader.handle_end().map_err(|error| error.map(HandshakeError::from))?;
        self.received = true;
        Ok(text)
    }

    pub(super) fn poll_deadline(&self) -> Option<Instant> {
        self.deadline.min(self.quiet_deadline()).instant()
    }

    fn quiet_deadline(&self) -> Deadline {
        if self.received { Deadline::NEVER } else { self.reader.deadline() }
    }
}
