//! What a peer said, made safe to show.

use arbitrary::Arbitrary;
use barewire_core::printable::printable;

/// Whatever a peer sent.
#[derive(Debug, Arbitrary)]
pub struct Input<'a> {
    bytes: &'a [u8],
}

/// Spans of characters that are shown nowhere.
const NEVER: [(u32, u32); 20] = [
    (0x00, 0x1f),
    (0x7f, 0x9f),
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x200b, 0x200b),
    (0x200e, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0x1_bca0, 0x1_bca3),
    (0x1_d173, 0x1_d17a),
    (0xe_0000, 0xe_001f),
    (0xe_0080, 0xe_00ff),
    (0xe_01f0, 0xe_0fff),
];

/// Spans of invisible characters that are shown in their place.
const INVISIBLE: [(u32, u32); 5] = [
    (0x180b, 0x180f),
    (0x200c, 0x200d),
    (0xfe00, 0xfe0f),
    (0xe_0020, 0xe_007f),
    (0xe_0100, 0xe_01ef),
];

fn is_in(c: char, spans: &[(u32, u32)]) -> bool {
    spans.iter().any(|&(first, last)| (first..=last).contains(&u32::from(c)))
}

/// Whether it may be shown at all: no terminal takes it for more than a character.
pub fn is_safe(c: char) -> bool {
    !is_in(c, &NEVER)
}

/// Of a text with some invisible characters, what must not be shown although it is: one that is behind
/// nothing, behind another but for what emoji and flags need, or behind a letter of Europe.
fn is_out_of_place(before: Option<char>, c: char) -> bool {
    let is_flag = |c| is_in(c, &[(0xe_0020, 0xe_007f)]);
    is_in(c, &INVISIBLE)
        && before.is_none_or(|before| {
            let follows = match before {
                '\u{fe0f}' => c == '\u{200d}',
                '\u{1f3f4}' => true,
                _ => is_flag(before) && is_flag(c) || !is_in(before, &INVISIBLE),
            };
            !follows || is_in(before, &[(0x20, 0x22), (0x24, 0x29), (0x3a, 0xa8), (0xaf, 0x5ff)])
        })
}

fn escape(c: char) -> String {
    match c {
        '\t' => " ".into(),
        c if c.is_ascii() => format!("\\x{:02x}", u32::from(c)),
        c => format!("\\u{{{:x}}}", u32::from(c)),
    }
}

/// Nothing unsafe is left, nothing safe is lost, and what is shown may be shown again.
pub fn check(input: &Input<'_>) {
    let text = printable(input.bytes).to_string();
    let (mut rest, mut before) = (&*text, None);
    for c in String::from_utf8_lossy(input.bytes).chars() {
        let escape = escape(c);
        // What has an escape and could be shown is either.
        if let Some(after) = rest.strip_prefix(c).filter(|_| is_safe(c)) {
            assert!(!is_out_of_place(before, c), "{c:?} behind {before:?}: {text:?}");
            (rest, before) = (after, Some(c));
        } else {
            assert!(!is_safe(c) || is_in(c, &INVISIBLE), "{c:?} is lost: {text:?}");
            rest = rest.strip_prefix(&*escape).expect("the character or its escape");
            before = None;
        }
    }
    assert_eq!(rest, "", "more is shown than was said");
    assert!(text.chars().all(is_safe), "unsafe: {text:?}");
    assert_eq!(printable(text.as_bytes()).to_string(), text, "it is not its own picture");
    assert_eq!(printable(input.bytes).is_empty(), text.is_empty());
}
