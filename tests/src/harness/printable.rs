//! What a terminal may be sent: the rule of the programs written a second time, as their oracle.
//!
//! It is written independently of `barewire_core::printable` on purpose: an oracle that calls
//! what it judges agrees with every fault of it.

use std::fmt::Write as _;

/// Peer-given bytes as a person must see them.
pub fn printable(bytes: &[u8]) -> String {
    let mut shown = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        let _ = match c {
            '\t' => shown.write_char(' '),
            c if c.is_ascii_control() => write!(shown, "\\x{:02x}", u32::from(c)),
            c if is_harmful(c) => write!(shown, "\\u{{{:x}}}", u32::from(c)),
            c => shown.write_char(c),
        };
    }
    shown
}

/// Whether `text`, as a program wrote it, is nothing but lines: a line feed ends each, and a
/// program's own layout may hold tabs.
pub fn is_harmless(text: &str) -> bool {
    text.chars().all(|c| c == '\n' || c == '\t' || !is_harmful(c))
}

/// What a program wrote, for a failure's message, where it must do no harm either.
pub(super) fn transcript(bytes: &[u8]) -> String {
    let lines = bytes.strip_suffix(b"\n").unwrap_or(bytes).split(|&byte| byte == b'\n');
    lines.fold(String::new(), |shown, line| shown + "\n    " + &printable(line))
}

fn is_harmful(c: char) -> bool {
    c.is_control()
        || ['\u{61c}', '\u{200b}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}', '\u{feff}']
            .contains(&c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c)
}

/// Text that tries to be obeyed: SGR, a window title (OSC), a C1 CSI, carriage return,
/// backspace, bidirectional controls, separators, invisibles, and a byte that is no UTF-8.
/// The joined emoji at its end must survive.
pub const HOSTILE: &[u8] = b"\x1b[31mred\x1b[0m \x1b]0;title\x07 \xc2\x9b31m cr\rover\x08\x7f \
    \xe2\x80\xae rtl \xe2\x81\xa6 iso \xd8\x9c \xe2\x80\xa8 \xe2\x80\x8b\xef\xbb\xbf \x9b tab\tend \
    \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x92\xbb";

#[cfg(test)]
mod tests {
    use super::{HOSTILE, is_harmless, printable};

    #[test]
    fn each_kind_of_control_has_its_form() {
        assert_eq!(printable(b"\x1b[m\ta\r\x7f"), r"\x1b[m a\x0d\x7f");
        assert_eq!(
            printable("\u{9b}1m \u{202e}x\u{feff}".as_bytes()),
            r"\u{9b}1m \u{202e}x\u{feff}"
        );
        assert_eq!(printable(b"a\xffb"), "a\u{fffd}b");
    }

    #[test]
    fn the_hostile_text_becomes_harmless() {
        assert!(!is_harmless(&String::from_utf8_lossy(HOSTILE)));
        assert!(is_harmless(&printable(HOSTILE)));
        assert!(printable(HOSTILE).ends_with("tab end 👩\u{200d}💻"));
    }
}
