//! From the bytes that a terminal sends to keys.

/// A key, or what a pasted text has of the same effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    /// The end of a line.
    Enter,
    Backspace,
    Delete,
    Left,
    Right,
    WordLeft,
    WordRight,
    Home,
    End,
    Up,
    Down,
    /// To the end of the line, to its start, the word before, the word after.
    KillToEnd,
    KillToStart,
    KillWordBefore,
    KillWordAfter,
    Yank,
    Transpose,
    /// The screen is to be drawn anew.
    Clear,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-Z.
    Suspend,
    Tab,
    BackTab,
    PageUp,
    PageDown,
    /// Ctrl-R.
    Search,
    /// Esc, or Ctrl-G.
    Cancel,
    /// The terminal's answer to where its cursor is: in which column, from 1 on.
    CursorAt(usize),
    /// Around what is pasted, which has characters and ends of lines only.
    PasteStart,
    PasteEnd,
}

/// The longest sequence that is worth keeping: what a key sends has a few bytes.
const LONGEST: usize = 32;

/// What a terminal sends around a pasted text, after `ESC [`, if asked to (`?2004`).
const PASTE: &[u8] = b"200~";
const PASTE_END: &[u8] = b"201~";

/// Reads keys from bytes, however they are cut.
#[derive(Debug, Default)]
pub(crate) struct KeyReader {
    /// A sequence that is not complete: UTF-8, or after an escape.
    part: Vec<u8>,
    /// Inside a pasted text, in which there are no keys but characters and ends of lines.
    pasting: bool,
    /// The last byte was a carriage return: a line feed after it ends no further line.
    returned: bool,
}

impl KeyReader {
    /// Whether the last byte may have been Esc itself, or the beginning of what another key sends.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.part == [0x1b] && !self.pasting
    }

    /// Nothing has followed: it was Esc.
    pub(crate) fn resolve(&mut self) -> Option<Key> {
        self.is_ambiguous().then(|| {
            self.part.clear();
            Key::Cancel
        })
    }

    /// Takes a byte; gives a key if it completes one.
    pub(crate) fn take(&mut self, byte: u8) -> Option<Key> {
        let returned = std::mem::replace(&mut self.returned, byte == b'\r' && self.pasting);
        match (self.part.first(), byte) {
            (Some(0x1b), _) => self.escaped(byte),
            (_, 0x1b) => {
                self.part = vec![byte];
                None
            }
            (None, 0..0x80) if self.pasting => match byte {
                b'\n' if returned => None,
                b'\r' | b'\n' => Some(Key::Enter),
                b'\t' => Some(Key::Char(' ')),
                0..0x20 | 0x7f => None,
                _ => Some(Key::Char(char::from(byte))),
            },
            (None, 0..0x80) => control(byte),
            _ => self.character(byte),
        }
    }

    /// A byte of a character beyond ASCII. What is not UTF-8 is left out.
    fn character(&mut self, byte: u8) -> Option<Key> {
        if byte < 0x80 {
            // The one before is cut short.
            self.part.clear();
            return self.take(byte);
        }
        self.part.push(byte);
        match std::str::from_utf8(&self.part) {
            Ok(text) => {
                let key = text.chars().next().map(Key::Char);
                self.part.clear();
                key
            }
            Err(error) if error.error_len().is_none() => None,
            Err(_) => {
                // The byte may begin the next one.
                let begins = byte >= 0xc0 && self.part.len() > 1;
                self.part.clear();
                if begins {
                    self.part.push(byte);
                }
                None
            }
        }
    }

    /// A byte after an escape.
    fn escaped(&mut self, byte: u8) -> Option<Key> {
        self.part.push(byte);
        let ends = match self.part.as_slice() {
            [_, b'[' | b'O'] => false,
            // The escape key, and then a key that sends a sequence.
            [_, 0x1b] => {
                self.part.pop();
                false
            }
            [_, b'[', ..] => (0x40..0x7f).contains(&byte),
            _ => true,
        };
        if !ends && self.part.len() < LONGEST {
            return None;
        }
        let part = std::mem::take(&mut self.part);
        match part.get(1..).unwrap_or_default() {
            [b'[', rest @ ..] if rest == PASTE || rest == PASTE_END => {
                let was_pasting = std::mem::replace(&mut self.pasting, rest == PASTE);
                let key = if self.pasting { Key::PasteStart } else { Key::PasteEnd };
                (was_pasting != self.pasting).then_some(key)
            }
            _ if self.pasting => None,
            [b'[' | b'O', rest @ ..] => sequence(rest),
            rest => meta(rest),
        }
    }
}

/// A key by itself, or with Ctrl.
fn control(byte: u8) -> Option<Key> {
    Some(match byte {
        0x01 => Key::Home,
        0x02 => Key::Left,
        0x04 => Key::EndOfInput,
        0x05 => Key::End,
        0x06 => Key::Right,
        0x07 => Key::Cancel,
        0x08 | 0x7f => Key::Backspace,
        b'\t' => Key::Tab,
        b'\r' | b'\n' => Key::Enter,
        0x0b => Key::KillToEnd,
        0x0c => Key::Clear,
        0x0e => Key::Down,
        0x10 => Key::Up,
        0x12 => Key::Search,
        0x14 => Key::Transpose,
        0x15 => Key::KillToStart,
        0x17 => Key::KillWordBefore,
        0x19 => Key::Yank,
        0x1a => Key::Suspend,
        0x20..0x7f => Key::Char(char::from(byte)),
        _ => return None,
    })
}

/// What follows `ESC [` or `ESC O`.
fn sequence(rest: &[u8]) -> Option<Key> {
    let (last, numbers) = rest.split_last()?;
    // With Ctrl or Alt: `1;5C`, or in older terminals `5C`.
    let is_word = matches!(numbers, b"1;5" | b"1;3" | b"5" | b"3");
    Some(match (last, numbers) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if is_word => Key::WordRight,
        (b'D', _) if is_word => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'R', _) => Key::CursorAt(column(numbers)?),
        (b'Z', _) => Key::BackTab,
        (b'~', b"3") => Key::Delete,
        (b'~', b"5") => Key::PageUp,
        (b'~', b"6") => Key::PageDown,
        (b'~', b"3;5" | b"3;3") => Key::KillWordAfter,
        // The digits' block, where it sends keys of its own.
        (b'M', b"") => Key::Enter,
        _ => return None,
    })
}

/// The second of two numbers, `row;column`.
fn column(numbers: &[u8]) -> Option<usize> {
    str::from_utf8(numbers).ok()?.split_once(';')?.1.parse().ok()
}

/// A key with Alt.
fn meta(rest: &[u8]) -> Option<Key> {
    Some(match rest {
        [b'b' | b'B'] => Key::WordLeft,
        [b'f' | b'F'] => Key::WordRight,
        [b'd' | b'D'] => Key::KillWordAfter,
        [0x08 | 0x7f] => Key::KillWordBefore,
        [b'\r' | b'\n'] => Key::Enter,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(bytes: &[u8], expected: &[Key]) {
        let mut keys = KeyReader::default();
        let read: Vec<Key> = bytes.iter().filter_map(|&byte| keys.take(byte)).collect();
        assert_eq!(read, expected, "{:?}", bytes.escape_ascii().to_string());
    }

    #[test]
    fn characters_are_keys_also_beyond_ascii() {
        reads("aé日🙂".as_bytes(), &['a', 'é', '日', '🙂'].map(Key::Char));
    }

    #[test]
    fn what_is_not_utf_8_is_left_out_and_spoils_nothing() {
        reads(b"\xffa\xe6\x97b\xe6\xc3\xa9\x80c", &['a', 'b', 'é', 'c'].map(Key::Char));
        reads(b"\xe6\x1b[A", &[Key::Up]);
    }

    #[test]
    fn keys_that_send_sequences_are_known_in_their_variants() {
        reads(b"\x1b[A\x1bOA\x10", &[Key::Up; 3]);
        reads(b"\x1b[H\x1bOH\x1b[1~\x1b[7~\x01", &[Key::Home; 5]);
        reads(b"\x1b[F\x1bOF\x1b[4~\x1b[8~\x05", &[Key::End; 5]);
        reads(b"\x1b[1;5D\x1b[1;3D\x1b[5D\x1bb", &[Key::WordLeft; 4]);
        reads(b"\x7f\x08", &[Key::Backspace; 2]);
        reads(b"\x1b[3~", &[Key::Delete]);
        reads(b"\r\n", &[Key::Enter; 2]);
        reads(b"\x1b[3;21R\x1b[R", &[Key::CursorAt(21)]);
        reads(b"\t\x1b[Z", &[Key::Tab, Key::BackTab]);
        reads(b"\x1b[5~\x1b[6~", &[Key::PageUp, Key::PageDown]);
    }

    #[test]
    fn esc_is_a_key_once_nothing_has_followed() {
        let mut keys = KeyReader::default();
        assert_eq!((keys.is_ambiguous(), keys.resolve()), (false, None));
        assert_eq!((keys.take(0x1b), keys.is_ambiguous()), (None, true));
        assert_eq!((keys.resolve(), keys.is_ambiguous()), (Some(Key::Cancel), false));
        assert_eq!((keys.take(0x1b), keys.take(b'[')), (None, None));
        assert_eq!((keys.resolve(), keys.take(b'A')), (None, Some(Key::Up)));
    }

    #[test]
    fn an_unknown_sequence_is_left_out_whole() {
        reads(b"\x1b[15;2~a\x1b[<0;1;1Mb\x1bxc", &['a', 'b', 'c'].map(Key::Char));
        reads(b"\x1b\x1b[Ca", &[Key::Right, Key::Char('a')]);
        let endless = [&b"\x1b["[..], &[b'0'; LONGEST], b"a"].concat();
        assert!(endless.len() > LONGEST);
        let mut keys = KeyReader::default();
        assert!(endless.iter().filter_map(|&byte| keys.take(byte)).count() > 0, "it ends");
    }

    #[test]
    fn a_pasted_text_is_text_whatever_it_holds() {
        reads(
            b"\x1b[200~a\x04\x1b[A\tb\r\nc\n\rd\x1b[201~\x04",
            &[
                Key::PasteStart,
                Key::Char('a'),
                Key::Char(' '),
                Key::Char('b'),
                Key::Enter,
                Key::Char('c'),
                Key::Enter,
                Key::Enter,
                Key::Char('d'),
                Key::PasteEnd,
                Key::EndOfInput,
            ],
        );
    }
}
