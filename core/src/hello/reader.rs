//! What one side of a handshake hears: one text, in time, and the end of the stream.

use super::config::HandshakeConfig;
use super::error::HandshakeError;
use crate::log::debug;
use crate::text::{Text, TextReader};
use crate::time::Instant;

#[derive(Debug)]
pub(super) struct HandshakeReader<const N: usize> {
    reader: TextReader<N>,
    heard: bool,
    ended: bool,
    deadline: Instant,
}

impl<const N: usize> HandshakeReader<N> {
    pub(super) fn new(now: Instant, config: HandshakeConfig) -> Self {
        Self {
            reader: TextReader::new(config.quiet),
            heard: false,
            ended: false,
            deadline: now + config.timeout,
        }
    }

    /// Whether the peer's text is complete.
    pub(super) const fn has_heard(&self) -> bool {
        self.heard
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
        if self.heard {
            *input = &[];
            return Err(nb::Error::WouldBlock);
        }
        let text = self
            .reader
            .handle_input(now, input)
            .map_err(|error| error.map(HandshakeError::from))?;
        self.heard = true;
        Ok(text)
    }

    pub(super) fn handle_end(&mut self) -> nb::Result<Text<'_>, HandshakeError> {
        self.ended = true;
        if self.heard {
            return Err(nb::Error::WouldBlock);
        }
        let text = self.reader.handle_end().map_err(|error| match error {
            nb::Error::WouldBlock => nb::Error::Other(HandshakeError::Silent),
            nb::Error::Other(error) => nb::Error::Other(error.into()),
        })?;
        self.heard = true;
        Ok(text)
    }

    /// The quiet period ends the text if it is over before the handshake's time is.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> nb::Result<Text<'_>, HandshakeError> {
        if now < self.poll_deadline() {
            return Err(nb::Error::WouldBlock);
        }
        if self.quiet_deadline().is_none_or(|quiet| quiet > self.deadline) {
            debug!("the handshake took too long; has heard the peer: {}", self.heard);
            return Err(nb::Error::Other(HandshakeError::TimedOut));
        }
        let text =
            self.reader.handle_timeout(now).map_err(|error| error.map(HandshakeError::from))?;
        self.heard = true;
        Ok(text)
    }

    pub(super) fn poll_deadline(&self) -> Instant {
        self.quiet_deadline().map_or(self.deadline, |quiet| quiet.min(self.deadline))
    }

    fn quiet_deadline(&self) -> Option<Instant> {
        if self.heard { None } else { self.reader.poll_deadline() }
    }
}
