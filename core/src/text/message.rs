//! One text message.

use core::fmt;

use crate::printable::{Printable, printable};

/// The longest text message, in bytes, without its terminator.
pub const MAX_TEXT: usize = 1024;

/// One text message, without its terminator.
///
/// It holds no line feed. What a peer sent need not be UTF-8; `Display` shows any text as
/// [`printable`] does, so it is safe on a terminal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Text<'a> {
    bytes: &'a [u8],
}

impl<'a> Text<'a> {
    /// A text to send.
    ///
    /// # Errors
    /// [`TextError`], if the receiver would not get it as one text.
    pub const fn new(text: &'a str) -> Result<Self, TextError> {
        let bytes = text.as_bytes();
        if bytes.len() > MAX_TEXT {
            return Err(TextError::TooLong);
        }
        let mut rest = bytes;
        while let [first, after @ ..] = rest {
            if *first == b'\n' || (*first == b'\r' && after.is_empty()) {
                return Err(TextError::LineBreak);
            }
            rest = after;
        }
        Ok(Self { bytes })
    }

    /// What a peer sent.
    pub(super) const fn received(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The text as it is on the wire.
    pub const fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The text as a string, if it is UTF-8. It may hold control characters.
    ///
    /// # Errors
    /// The position of the first byte that is not UTF-8.
    pub const fn to_str(self) -> Result<&'a str, core::str::Utf8Error> {
        core::str::from_utf8(self.bytes)
    }

    /// The text made safe to show.
    pub const fn printable(self) -> Printable<'a> {
        printable(self.bytes)
    }
}

impl<'a> TryFrom<&'a str> for Text<'a> {
    type Error = TextError;

    fn try_from(text: &'a str) -> Result<Self, TextError> {
        Self::new(text)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.printable().fmt(f)
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Text(\"{self}\")")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Text<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        self.printable().format(f);
    }
}

/// Why a string cannot be sent as one text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum TextError {
    /// It is longer than [`MAX_TEXT`] bytes.
    TooLong,
    /// It holds a line feed or ends in a carriage return, both of which end a text on the wire.
    LineBreak,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "longer than {MAX_TEXT} bytes"),
            Self::LineBreak => f.write_str("holds a line break"),
        }
    }
}

impl core::error::Error for TextError {}
