//! Sends one text, its terminator, and the half-close after it.

use super::message::Text;
use crate::session::Output;

#[derive(Debug)]
pub(crate) struct TextWriter<'t> {
    text: &'t [u8],
    terminator: &'static [u8],
    /// Bytes released so far; one more than there are bytes, once the half-close is done as well.
    progress: usize,
}

impl<'t> TextWriter<'t> {
    pub(crate) const fn new(text: Text<'t>, terminator: &'static [u8]) -> Self {
        Self { text: text.as_bytes(), terminator, progress: 0 }
    }

    const fn length(&self) -> usize {
        self.text.len().saturating_add(self.terminator.len())
    }

    /// Whether all is sent and the sending direction ended.
    pub(crate) const fn is_over(&self) -> bool {
        self.progress > self.length()
    }

    pub(crate) fn poll_transmit(&self) -> Output<'_> {
        if self.is_over() {
            return Output::Nothing;
        }
        let in_terminator = self.progress.saturating_sub(self.text.len());
        let text = self.text.get(self.progress..).unwrap_or_default();
        let terminator = self.terminator.get(in_terminator..).unwrap_or_default();
        match (text, terminator) {
            ([], []) => Output::Shutdown,
            ([], head) => Output::Bytes { head, tail: &[], more: true },
            (head, tail) => Output::Bytes { head, tail, more: true },
        }
    }

    pub(crate) fn transmitted(&mut self, count: usize) {
        self.progress = if self.progress == self.length() {
            self.length().saturating_add(1)
        } else {
            self.progress.saturating_add(count).min(self.length())
        };
    }
}
