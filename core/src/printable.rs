//! Peer-given text made safe to show.
//!
//! A peer chooses its text, and a terminal obeys what it is sent: an escape sequence can retitle
//! the window, rewrite lines already read, or answer in the user's name; a bidirectional control
//! can make a sentence read backwards. So every route from a peer to a screen, a log or an error
//! message leads through [`printable`].

mod in_place;

use core::fmt;

use in_place::{NOTHING, is_shown};

/// Shows `bytes` as text that no terminal takes for a command, and in which nothing is hidden.
///
/// | what | appears as |
/// |---|---|
/// | what is not UTF-8 | U+FFFD, one for each maximal invalid part (Unicode 16, §3.9) |
/// | TAB | a space |
/// | the other C0 controls and DEL | `\x1b` |
/// | C1 controls, U+2028, U+2029 and U+FFF9–FFFB | `\u{85}` |
/// | what is invisible by default (`Default_Ignorable_Code_Point`, Unicode 16, §5.21): the bidirectional controls, joiners, variation selectors, tags, fillers, U+00AD, U+2060 … | `\u{202e}` |
/// | of these, in their place: what scripts and emoji need | itself |
/// | all else | itself |
///
/// In their place are
/// - the joiners U+200C and U+200D behind a character of a script that uses them (Arabic, Devanagari, Khmer,
///   Mongolian and the like), and U+200D between two symbols, as emoji are;
/// - the variation selectors U+FE00–FE0F behind an ideograph, a symbol or a letter of Myanmar, or
///   between a digit and U+20E3; U+E0100–E01EF behind an ideograph; U+180B–180F behind a Mongolian letter;
/// - the tags of a flag, from U+1F3F4 to U+E007F.
///
/// Of each there may be one: behind another it is out of its place.
///
/// ```
/// use barewire_core::printable::printable;
///
/// assert_eq!(printable(b"\x1b[2J caf\xc3\xa9 \xff").to_string(), r"\x1b[2J café �");
/// assert_eq!(printable("an\u{ad}na 👩\u{200d}💻".as_bytes()).to_string(), "an\\u{ad}na 👩\u{200d}💻");
/// ```
pub const fn printable(bytes: &[u8]) -> Printable<'_> {
    Printable { bytes }
}

/// Displays bytes as [`printable`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Printable<'a> {
    bytes: &'a [u8],
}

impl<'a> Printable<'a> {
    /// Whether there is nothing to show.
    pub const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The bytes themselves, which nobody should be shown.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The text itself, if it is UTF-8, which nobody should be shown: it may hold control characters.
    ///
    /// # Errors
    /// The position of the first byte that is not UTF-8.
    pub const fn to_str(&self) -> Result<&'a str, core::str::Utf8Error> {
        core::str::from_utf8(self.bytes)
    }
}

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self.bytes, |part| f.write_str(part))
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Printable<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let _: Result<(), core::convert::Infallible> = write(self.bytes, |part| {
            defmt::write!(f, "{=str}", part);
            Ok(())
        });
    }
}

/// Gives `sink` the safe parts and the escapes, in order.
pub(crate) fn write<E>(bytes: &[u8], mut sink: impl FnMut(&str) -> Result<(), E>) -> Result<(), E> {
    let mut before = NOTHING;
    for chunk in bytes.utf8_chunks() {
        let mut plain = chunk.valid();
        let mut rest = plain.chars();
        while let Some(c) = rest.next() {
            if matches!(c, ' '..='~') || is_shown(before, c, rest.as_str()) {
                before = c;
                continue;
            }
            before = NOTHING;
            let after = rest.as_str();
            let length = plain.len().saturating_sub(after.len()).saturating_sub(c.len_utf8());
            if let Some(plain) = plain.get(..length).filter(|plain| !plain.is_empty()) {
                sink(plain)?;
            }
            match c {
                '\t' => sink(" ")?,
                '\0'..='\x7f' => write_hex(c, "\\x", 2, "", &mut sink)?,
                _ => write_hex(c, "\\u{", 1, "}", &mut sink)?,
            }
            plain = after;
        }
        if !plain.is_empty() {
            sink(plain)?;
        }
        if !chunk.invalid().is_empty() {
            sink("\u{fffd}")?;
            before = NOTHING;
        }
    }
    Ok(())
}

/// Writes a character's number in lower-case hexadecimal, at least `width` digits of it.
fn write_hex<E>(
    c: char,
    before: &str,
    width: u32,
    after: &str,
    sink: &mut impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    const DIGITS: [&str; 16] =
        ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f"];
    let number = u32::from(c);
    sink(before)?;
    for place in (0..8).rev() {
        if place < width || number >> (4 * place) != 0 {
            sink(DIGITS[(number >> (4 * place) & 0xf) as usize])?;
        }
    }
    sink(after)
}

#[cfg(test)]
mod tests;
