//! Which characters may be shown, and where. The tables are by blocks of Unicode 16 rather than by
//! characters, where that lets nothing be hidden: they are to be small.

/// Nothing that an invisible character could belong to.
pub(super) const NOTHING: char = '\0';

/// The first and the last of characters of the basic plane.
type Span = (u16, u16);

/// `Default_Ignorable_Code_Point` (`DerivedCoreProperties.txt`), the separators of lines and paragraphs,
/// and the controls of annotations.
const INVISIBLE: [Span; 14] = [
    (0xad, 0xad),
    (0x34f, 0x34f),
    (0x61c, 0x61c),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x3164, 0x3164),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
];

/// The scripts in which joiners make a difference: Arabic to Sinhala, Myanmar, Khmer, Mongolian, Tai Tham
/// to Lepcha, Syloti Nagri to Devanagari Extended, Javanese to Meetei Mayek, and presentation forms.
const JOINING: [Span; 10] = [
    (0x610, 0xdff),
    (0x1000, 0x109f),
    (0x1780, 0x17dd),
    (0x1820, 0x18aa),
    (0x1a20, 0x1c4f),
    (0xa800, 0xa8ff),
    (0xa980, 0xaaff),
    (0xabc0, 0xabff),
    (0xfb50, 0xfdff),
    (0xfe70, 0xfefc),
];

/// The symbols among which emoji are (UTS #51: `Extended_Pictographic`).
const SYMBOLS: [Span; 11] = [
    (0xa9, 0xa9),
    (0xae, 0xae),
    (0x203c, 0x203c),
    (0x2049, 0x2049),
    (0x2122, 0x2122),
    (0x2139, 0x2139),
    (0x2190, 0x2bff),
    (0x3030, 0x3030),
    (0x303d, 0x303d),
    (0x3297, 0x3297),
    (0x3299, 0x3299),
];

const IDEOGRAPHS: [Span; 3] = [(0x3400, 0x4dbf), (0x4e00, 0x9fff), (0xf900, 0xfaff)];

const MYANMAR: [Span; 1] = [(0x1000, 0x109f)];

fn is_in(c: char, spans: &[Span]) -> bool {
    u16::try_from(u32::from(c))
        .is_ok_and(|c| spans.iter().any(|&(first, last)| (first..=last).contains(&c)))
}

fn is_invisible(c: char) -> bool {
    is_in(c, &INVISIBLE)
        || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

fn uses_joiners(c: char) -> bool {
    is_in(c, &JOINING) || matches!(c, '\u{10a00}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
}

fn is_symbol(c: char) -> bool {
    is_in(c, &SYMBOLS) || matches!(c, '\u{1f000}'..='\u{1ffff}')
}

fn is_ideograph(c: char) -> bool {
    is_in(c, &IDEOGRAPHS) || matches!(c, '\u{20000}'..='\u{3ffff}')
}

/// Whether `c`, which is no picture of ASCII, is shown as itself, behind `before`, which is, and ahead of
/// `rest`.
// A function of its own, lest the stack of every line have room for it.
#[inline(never)]
pub(super) fn is_shown(before: char, c: char, rest: &str) -> bool {
    let next = || rest.chars().next().unwrap_or(NOTHING);
    match c {
        '\0'..='\u{9f}' => false,
        // UTS #51, ED-16.
        '\u{200d}' if is_symbol(before) || before == '\u{fe0f}' => is_symbol(next()),
        '\u{200c}' | '\u{200d}' => uses_joiners(before),
        '\u{fe00}'..='\u{fe0f}' => {
            is_symbol(before)
                || is_ideograph(before)
                || is_in(before, &MYANMAR)
                // Such as 1️⃣.
                || matches!(before, '0'..='9' | '#' | '*') && next() == '\u{20e3}'
        }
        '\u{e0100}'..='\u{e01ef}' => is_ideograph(before),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        // Of a flag that has begun, all was looked at.
        '\u{e0020}'..='\u{e007f}' => {
            matches!(before, '\u{e0020}'..='\u{e007e}') || before == FLAG && is_region(c, rest)
        }
        _ => !is_invisible(c),
    }
}

/// What the flags of regions begin with, such as 🏴󠁧󠁢󠁳󠁣󠁴󠁿 (UTS #51, ED-14a).
const FLAG: char = '\u{1f3f4}';

/// Whether tags spell a region, and end: its country and its own code have up to six characters.
fn is_region(first: char, rest: &str) -> bool {
    let is_code = |c| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    if !is_code(first) {
        return false;
    }
    let mut length = 1_u8;
    for c in rest.chars() {
        if !is_code(c) || length == 6 {
            return c == '\u{e007f}' && length >= 3;
        }
        length = length.saturating_add(1);
    }
    false
}
