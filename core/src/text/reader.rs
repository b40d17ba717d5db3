//! Cuts text messages out of a stream.

use core::fmt;

use super::message::{MAX_TEXT, Text};
use crate::time::deadline::Deadline;
use crate::time::{Duration, Instant};

/// How long a text without a terminator must have been followed by nothing to be complete, if its
/// sender has never ended one by a line feed.
pub const DEFAULT_QUIET: Duration = Duration::from_millis(200);

/// The most bytes that an unfinished UTF-8 sequence has (RFC 3629 §3).
const SEQUENCE: usize = 3;

/// Why a [`TextReader`] has no text to lend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TextReaderError {
    /// The peer's text is longer than the reader's capacity.
    ///
    /// It is reported once, as soon as it is certain. The reader skips the rest of that text, so
    /// reading may go on with the next.
    TooLong,
}

impl fmt::Display for TextReaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => f.write_str("text too long"),
        }
    }
}

impl core::error::Error for TextReaderError {}

/// Reads text messages from a stream, however it is cut.
///
/// A text that arrives whole is lent from the input itself; only one that arrives in parts is
/// gathered in the reader. `N` is the longest text in bytes, at most [`MAX_TEXT`].
#[derive(Debug)]
pub struct TextReader<const N: usize = MAX_TEXT> {
    buffer: [u8; N],
    progress: Progress,
}

/// Where the reader is; apart from the buffer, so that the logic is compiled once for every `N`.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Without an end for a peer that ends its texts with line feeds.
    quiet: Duration,
    last_byte: Instant,
    /// How much of the buffer is in use: a text, or its beginning.
    length: u16,
    /// A carriage return came last, and is part of the text only if no line feed follows.
    held_return: bool,
    /// The buffer's text has been lent, and goes with the next call.
    lent: bool,
    /// Inside a text that was too long.
    skipping: bool,
    /// The last bytes of the text: they tell whether it stands inside a UTF-8 sequence.
    tail: [u8; SEQUENCE],
}

/// A text that has just ended: where its bytes are.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ended<'i> {
    InInput(&'i [u8]),
    InBuffer,
}

impl<const N: usize> TextReader<N> {
    /// A reader at the start of a text, whose quiet period is `quiet` ([`Duration::MAX`]: never).
    pub const fn new(quiet: Duration) -> Self {
        const { assert!(0 < N && N <= MAX_TEXT, "a text has at most MAX_TEXT bytes") };
        Self { buffer: [0; N], progress: Progress::new(quiet) }
    }

    /// Takes bytes up to and with the end of one text, advancing `input` past them.
    ///
    /// # Errors
    /// `WouldBlock`: all of `input` was taken, and the text goes on. [`TextReaderError`]: see there.
    pub fn handle_input<'s, 'i: 's>(
        &'s mut self,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Text<'s>, TextReaderError> {
        self.progress.handle_input(&mut self.buffer, N, now, input).map(|ended| match ended {
            Ended::InInput(bytes) => Text::received(bytes),
            Ended::InBuffer => Text::received(self.progress.text(&self.buffer)),
        })
    }

    /// The stream has ended, and with it the text.
    ///
    /// # Errors
    /// `WouldBlock`: there was no text to end. [`TextReaderError`]: see there.
    pub fn handle_end(&mut self) -> nb::Result<Text<'_>, TextReaderError> {
        self.progress.release();
        self.progress.finish(&mut self.buffer)?;
        Ok(Text::received(self.progress.text(&self.buffer)))
    }

    /// Ends the text if its quiet period has passed.
    ///
    /// # Errors
    /// `WouldBlock`: it has not, or there is no text. [`TextReaderError`]: see there.
    pub fn handle_timeout(&mut self, now: Instant) -> nb::Result<Text<'_>, TextReaderError> {
        self.progress.release();
        if !self.progress.deadline().is_reached(now) {
            return Err(nb::Error::WouldBlock);
        }
        self.progress.finish(&mut self.buffer)?;
        Ok(Text::received(self.progress.text(&self.buffer)))
    }

    /// Whether a text has come in part.
    #[cfg(feature = "hello")]
    pub(crate) const fn has_begun(&self) -> bool {
        self.progress.needs_buffer()
    }

    #[cfg(any(feature = "hello", feature = "file"))]
    pub(crate) fn deadline(&self) -> Deadline {
        self.progress.deadline()
    }

    /// When the quiet period of an unfinished text is over. `None`: there is no such text, or silence
    /// does not end it.
    pub fn poll_deadline(&self) -> Option<Instant> {
        self.progress.deadline().instant()
    }
}

impl Progress {
    /// At the start of a text.
    pub(crate) const fn new(quiet: Duration) -> Self {
        Self {
            quiet,
            last_byte: Instant::ZERO,
            length: 0,
            held_return: false,
            lent: false,
            skipping: false,
            tail: [0; SEQUENCE],
        }
    }

    /// The peer has shown that it ends its texts with line feeds: silence ends none of them any more.
    pub(crate) const fn expect_terminators(&mut self) {
        self.quiet = Duration::MAX;
    }

    /// The text in the buffer, or what is there of it.
    pub(crate) fn text<'b>(&self, buffer: &'b [u8]) -> &'b [u8] {
        buffer.get(..self.length.into()).unwrap_or_default()
    }

    /// How many bytes of an unfinished text have come.
    #[cfg(feature = "chat")]
    pub(crate) const fn length(&self) -> u16 {
        self.length.saturating_add(self.held_return as u16)
    }

    /// Whether something in the buffer is still to be used. A text that is skipped needs none.
    pub(crate) const fn needs_buffer(&self) -> bool {
        self.held_return || (!self.lent && self.length > 0)
    }

    /// Goes on skipping, at most to the end of that text.
    pub(crate) fn skip_input(&mut self, now: Instant, input: &mut &[u8]) {
        self.last_byte = now;
        let (part, ends) = self.take_line(input);
        self.note(part);
        if ends {
            self.forget();
        }
    }

    /// The text that was gathered or skipped has ended.
    pub(crate) const fn forget(&mut self) {
        self.skipping = false;
        self.length = 0;
        self.tail = [0; SEQUENCE];
    }

    /// Takes bytes up to and with the end of one text. The buffer is the same in every call, and has
    /// `longest` bytes, at most 64 KiB; none is needed if the text lies whole in the input.
    pub(crate) fn handle_input<'i>(
        &mut self,
        buffer: &mut [u8],
        longest: usize,
        now: Instant,
        input: &mut &'i [u8],
    ) -> nb::Result<Ended<'i>, TextReaderError> {
        self.release();
        while !input.is_empty() {
            if self.skipping {
                self.skip_input(now, input);
                continue;
            }
            self.last_byte = now;
            let (part, ends) = self.take_line(input);
            let (part, returned) = match part {
                [start @ .., b'\r'] => (start, true),
                whole => (whole, false),
            };
            let gathered = self.length > 0 || self.held_return;
            if ends && !gathered {
                if part.len() > longest {
                    return Err(nb::Error::Other(TextReaderError::TooLong));
                }
                return Ok(Ended::InInput(part));
            }
            // A held return was text after all, unless the line feed is the very next byte.
            let was_text = self.held_return && !(ends && part.is_empty() && !returned);
            self.held_return = returned && !ends;
            let fits = (!was_text || self.gather(buffer, b"\r")) && self.gather(buffer, part);
            if was_text {
                self.note(b"\r");
            }
            self.note(part);
            if !fits {
                if returned {
                    self.note(b"\r");
                }
                self.give_up();
                if ends {
                    self.forget();
                }
                return Err(nb::Error::Other(TextReaderError::TooLong));
            }
            if ends {
                self.lent = true;
                return Ok(Ended::InBuffer);
            }
        }
        Err(nb::Error::WouldBlock)
    }

    /// Takes bytes up to and with the first line feed, or all; tells whether there was one.
    fn take_line<'i>(&mut self, input: &mut &'i [u8]) -> (&'i [u8], bool) {
        let all = *input;
        let end = all.iter().position(|&byte| byte == b'\n');
        if let Some((part, [_, rest @ ..])) = end.and_then(|end| all.split_at_checked(end)) {
            *input = rest;
            self.expect_terminators();
            (part, true)
        } else {
            *input = &[];
            (all, false)
        }
    }

    /// Adds `part` to the buffer, and tells whether there was room. Without it the text is given up.
    fn gather(&mut self, buffer: &mut [u8], part: &[u8]) -> bool {
        for &byte in part {
            let Some(free) = buffer.get_mut(usize::from(self.length)) else {
                return false;
            };
            *free = byte;
            self.length = self.length.saturating_add(1);
        }
        true
    }

    /// Gives the unfinished text up: the rest of it is skipped.
    pub(crate) const fn give_up(&mut self) {
        self.held_return = false;
        self.skipping = true;
        self.length = 0;
    }

    /// Keeps the last bytes of the text that goes on with `part`.
    fn note(&mut self, part: &[u8]) {
        for &byte in part.iter().skip(part.len().saturating_sub(SEQUENCE)) {
            let [_, second, third] = self.tail;
            self.tail = [second, third, byte];
        }
    }

    /// Forgets the text lent last.
    pub(crate) const fn release(&mut self) {
        if self.lent {
            self.lent = false;
            self.forget();
        }
    }

    /// Ends a text without a terminator: it is in the buffer, or there is none.
    pub(crate) fn finish(&mut self, buffer: &mut [u8]) -> nb::Result<(), TextReaderError> {
        if self.skipping {
            self.forget();
        }
        if core::mem::take(&mut self.held_return) && !self.gather(buffer, b"\r") {
            self.forget();
            return Err(nb::Error::Other(TextReaderError::TooLong));
        }
        if self.length == 0 {
            return Err(nb::Error::WouldBlock);
        }
        self.lent = true;
        Ok(())
    }

    /// When silence ends the text that has begun.
    pub(crate) fn deadline(&self) -> Deadline {
        let begun = self.skipping || self.needs_buffer();
        if begun && (self.held_return || !ends_inside_sequence(&self.tail)) {
            Deadline::after(self.last_byte, self.quiet)
        } else {
            Deadline::NEVER
        }
    }
}

/// What a member of a room needs besides, whose buffer is there only while a line comes in.
#[cfg(feature = "chat")]
impl Progress {
    /// There is no text that has begun, nor one that is skipped.
    pub(crate) const fn discard(&mut self) {
        *self = Self::new(self.quiet);
    }

    /// Whether it is inside a text that was too long, or given up.
    pub(crate) const fn is_skipping(&self) -> bool {
        self.skipping
    }

    /// The quiet period counts from now on: until now, input was kept waiting.
    pub(crate) const fn restart_quiet(&mut self, now: Instant) {
        self.last_byte = now;
    }
}

/// Whether `bytes` stop in the middle of a UTF-8 sequence that more bytes could complete.
pub(super) fn ends_inside_sequence(bytes: &[u8]) -> bool {
    // Unicode 16, table 3-7: which second byte may follow which first one.
    let fits = |first: u8, second: u8| match first {
        0xe0 => (0xa0..=0xbf).contains(&second),
        0xed => (0x80..=0x9f).contains(&second),
        0xf0 => (0x90..=0xbf).contains(&second),
        0xf4 => (0x80..=0x8f).contains(&second),
        _ => (0x80..=0xbf).contains(&second),
    };
    match *bytes {
        [.., 0xc2..=0xf4] => true,
        [.., first @ 0xe0..=0xf4, second] | [.., first @ 0xf0..=0xf4, second, 0x80..=0xbf] => {
            fits(first, second)
        }
        _ => false,
    }
}
