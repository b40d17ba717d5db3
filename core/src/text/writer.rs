//! Sends one text, its terminator, and the half-close after it.

use super::message::Text;
use crate::session::Output;

#[derive(Debug)]
pub(crate) struct TextWriter<'t> {
    /// What is still to be sent of each.
    text: &'t [u8],
    terminator: &'static [u8],
    has_shut_down: bool,
}

impl<'t> TextWriter<'t> {
    pub(crate) const fn new(text: Text<'t>, terminator: &'static [u8]) -> Self {
        Self { text: text.as_bytes(), terminator, has_shut_down: false }
    }

    /// Whether all is sent and the sending direction ended.
    pub(crate) const fn is_over(&self) -> bool {
        self.has_shut_down
    }

    pub(crate) const fn poll_transmit(&self) -> Output<'_> {
        match (self.text, self.terminator) {
            _ if self.is_over() => Output::Nothing,
            ([], []) => Output::Shutdown,
            ([], head) => Output::Bytes { head, tail: &[], more: true },
            (head, tail) => Output::Bytes { head, tail, more: true },
        }
    }

    pub(crate) fn transmitted(&mut self, count: usize) {
        self.has_shut_down = self.text.is_empty() && self.terminator.is_empty();
        if let Some(rest) = self.text.get(count..) {
            self.text = rest;
        } else {
            let beyond = count.saturating_sub(self.text.len());
            self.text = &[];
            self.terminator = self.terminator.get(beyond..).unwrap_or_default();
        }
    }
}
