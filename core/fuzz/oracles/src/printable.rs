//! What a peer said, made safe to show.

use arbitrary::Arbitrary;
use barewire_core::printable::printable;

/// Whatever a peer sent.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    bytes: &'a [u8],
}

/// Whether a terminal could take it for more than a character.
pub fn is_safe(c: char) -> bool {
    const INVISIBLE: [u32; 5] = [0x61c, 0x200b, 0x200e, 0x200f, 0xfeff];
    let number = u32::from(c);
    !(c.is_control()
        || INVISIBLE.contains(&number)
        || (0x2028..=0x202e).contains(&number)
        || (0x2066..=0x2069).contains(&number))
}

fn shown(c: char) -> String {
    match c {
        '\t' => " ".into(),
        c if is_safe(c) => c.into(),
        c if c.is_ascii() => format!("\\x{:02x}", u32::from(c)),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

/// Nothing unsafe is left, nothing safe is lost, and what is shown may be shown again.
pub fn check(input: &Input<'_>) {
    let text = printable(input.bytes).to_string();
    assert!(text.chars().all(is_safe), "unsafe: {text:?}");
    let expected: String = String::from_utf8_lossy(input.bytes).chars().map(shown).collect();
    assert_eq!(text, expected);
    assert_eq!(printable(text.as_bytes()).to_string(), text, "it is not its own picture");
    assert_eq!(printable(input.bytes).is_empty(), text.is_empty());
}
