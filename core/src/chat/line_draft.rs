//! A line on its way to what has not gone out.

use core::fmt;

use heapless::deque::DequeView;

use crate::text::MAX_TEXT;

/// Why a line cannot be said: each is the caller's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SayError {
    /// Too much has not gone out yet: say it again after the next transmission.
    Full,
    /// With what it takes to say it, the line is longer than [`MAX_TEXT`], or than the client's whole room
    /// for lines: it can never be said.
    TooLong,
    /// It holds a line feed or ends in a carriage return, both of which end a line.
    LineBreak,
    /// A nick was given that nobody can have.
    Nick,
    /// A value that was to be said cannot be displayed.
    Format,
    /// After [`Client::finish`](super::Client::finish), or after the server has ended its stream.
    Finished,
}

impl fmt::Display for SayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full => "too much has not gone out yet",
            Self::TooLong => "the line is too long",
            Self::LineBreak => "the line holds a line break",
            Self::Nick => "nobody can have such a nick",
            Self::Format => "a value of the line cannot be displayed",
            Self::Finished => "the conversation is ending",
        })
    }
}

impl core::error::Error for SayError {}

/// A line that goes into the queue whole or not at all.
#[derive(Debug)]
pub(super) struct LineDraft<'q> {
    queue: &'q mut DequeView<u8>,
    /// How much of the queue was in use.
    before: usize,
    /// How long the line is, also if it does not fit.
    length: usize,
    /// A slash at its beginning is doubled: it is no command.
    escapes: bool,
    has_line_feed: bool,
    ends_in_return: bool,
}

impl<'q> LineDraft<'q> {
    pub(super) fn new(queue: &'q mut DequeView<u8>, escapes: bool) -> Self {
        let before = queue.storage_len();
        Self { queue, before, length: 0, escapes, has_line_feed: false, ends_in_return: false }
    }

    pub(super) fn put(&mut self, part: &[u8]) {
        if self.escapes && self.length == 0 && part.starts_with(b"/") {
            self.push(b'/');
        }
        for &byte in part {
            self.push(byte);
        }
    }

    fn push(&mut self, byte: u8) {
        let _ = self.queue.push_back(byte);
        self.length = self.length.saturating_add(1);
        self.has_line_feed |= byte == b'\n';
        self.ends_in_return = byte == b'\r';
    }

    /// Ends the line. If that is an error, nothing of it is left.
    pub(super) fn finish(self, formatted: fmt::Result) -> Result<(), SayError> {
        let longest = MAX_TEXT.min(self.queue.storage_capacity().saturating_sub(1));
        let whole = self.before.saturating_add(self.length);
        let failed = if formatted.is_err() {
            SayError::Format
        } else if self.has_line_feed || self.ends_in_return {
            SayError::LineBreak
        } else if self.length > longest {
            SayError::TooLong
        } else if self.queue.storage_len() < whole || self.queue.push_back(b'\n').is_err() {
            SayError::Full
        } else {
            return Ok(());
        };
        while self.queue.storage_len() > self.before {
            self.queue.pop_back();
        }
        Err(failed)
    }
}

impl fmt::Write for LineDraft<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        self.put(part.as_bytes());
        Ok(())
    }
}
