//! Peer-given text made safe to show.
//!
//! A peer chooses its text, and a terminal obeys what it is sent: an escape sequence can retitle
//! the window, rewrite lines already read, or answer in the user's name; a bidirectional control
//! can make a sentence read backwards. So every route from a peer to a screen, a log or an error
//! message leads through [`printable`].

use core::fmt;

/// Shows `bytes` as text that no terminal takes for a command.
///
/// | what | appears as |
/// |---|---|
/// | what is not UTF-8 | U+FFFD, one for each maximal invalid part (Unicode 16, §3.9) |
/// | TAB | a space |
/// | the other C0 controls and DEL | `\x1b` |
/// | C1 controls, U+2028, U+2029, the bidirectional controls (U+061C, 200E, 200F, 202A–202E, 2066–2069), U+200B, U+FEFF | `\u{202e}` |
/// | all else | itself; the joiners U+200C and U+200D too, which scripts and emoji need |
///
/// ```
/// use barewire_core::printable::printable;
///
/// assert_eq!(printable(b"\x1b[2J caf\xc3\xa9 \xff").to_string(), r"\x1b[2J café �");
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
    for chunk in bytes.utf8_chunks() {
        let mut rest = chunk.valid();
        while let Some((plain, unsafe_char, after)) = split_at_unsafe(rest) {
            if !plain.is_empty() {
                sink(plain)?;
            }
            match unsafe_char {
                '\t' => sink(" ")?,
                '\0'..='\x7f' => write_hex(unsafe_char, "\\x", 2, "", &mut sink)?,
                _ => write_hex(unsafe_char, "\\u{", 1, "}", &mut sink)?,
            }
            rest = after;
        }
        if !rest.is_empty() {
            sink(rest)?;
        }
        if !chunk.invalid().is_empty() {
            sink("\u{fffd}")?;
        }
    }
    Ok(())
}

/// Splits `text` at its first character that must not be shown as it is.
fn split_at_unsafe(text: &str) -> Option<(&str, char, &str)> {
    let (at, found) = text.char_indices().find(|&(_, c)| is_unsafe(c))?;
    let (plain, rest) = text.split_at_checked(at)?;
    let mut chars = rest.chars();
    chars.next();
    Some((plain, found, chars.as_str()))
}

const fn is_unsafe(c: char) -> bool {
    matches!(c,
        '\0'..='\x1f' | '\x7f'..='\u{9f}'
        | '\u{61c}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
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
mod tests {
    extern crate std;
    use super::printable;
    use std::string::{String, ToString};

    #[track_caller]
    fn shows(bytes: &[u8], expected: &str) {
        assert_eq!(printable(bytes).to_string(), expected);
    }

    #[test]
    fn only_nothing_is_empty() {
        assert!(printable(b"").is_empty());
        assert!(!printable(b" ").is_empty());
    }

    #[test]
    fn plain_text_of_any_script_is_itself() {
        shows("你好, nice to meet you – ñ".as_bytes(), "你好, nice to meet you – ñ");
        shows("👩\u{200d}💻 می\u{200c}خواهم".as_bytes(), "👩\u{200d}💻 می\u{200c}خواهم");
        shows(b"C:\\x", "C:\\x");
        shows(b"", "");
    }

    #[test]
    fn controls_appear_as_escapes() {
        shows(b"\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m");
        shows(b"a\tb\rc\nd\0e\x7ff", r"a b\x0dc\x0ad\x00e\x7ff");
        shows("\u{9b}31m \u{85}".as_bytes(), r"\u{9b}31m \u{85}");
        shows(
            "\u{202e}evil\u{2066}\u{200b}\u{feff}".as_bytes(),
            r"\u{202e}evil\u{2066}\u{200b}\u{feff}",
        );
        shows("a\u{2028}b\u{2029}\u{61c}".as_bytes(), r"a\u{2028}b\u{2029}\u{61c}");
    }

    #[test]
    fn invalid_bytes_cost_no_valid_neighbour() {
        shows(b"a\xffb", "a\u{fffd}b");
        shows(b"\xe4\xbd\xa0\xe5\xa5", "你\u{fffd}");
        shows(b"\xc3\x1b", "\u{fffd}\\x1b");
        shows(b"\xff\xfe", "\u{fffd}\u{fffd}");
    }

    /// The oracle is the definition itself, asked of every character there is.
    #[test]
    fn no_control_survives() {
        for c in '\0'..=char::MAX {
            let shown = printable(String::from(c).as_bytes()).to_string();
            assert!(!shown.contains(char::is_control), "{c:?} is shown as {shown:?}");
            let marks =
                ['\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}'];
            assert!(!shown.contains(marks), "{c:?} is shown as {shown:?}");
            assert!(
                !shown.contains(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'))
            );
        }
    }
}
