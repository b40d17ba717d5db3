//! Which characters may be shown, and where.

/// Nothing that an invisible character could belong to.
pub(super) const NOTHING: char = '\0';

/// Whether `c` is shown as itself, behind `before`, which is, and ahead of `rest`.
pub(super) fn is_shown(before: char, c: char, rest: &str) -> bool {
    match c {
        ' '..='~' => true,
        '\0'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}' => false,
        // UTS #51, ED-16.
        '\u{200d}' if is_joined(before) => rest.starts_with(is_emoji) || uses_joiners(before),
        '\u{200c}' | '\u{200d}' => uses_joiners(before),
        '\u{fe00}'..='\u{fe0f}' => has_variants(before) || is_keycap(before, rest),
        '\u{e0100}'..='\u{e01ef}' => is_ideograph(before),
        '\u{180b}'..='\u{180f}' => matches!(before, '\u{1820}'..='\u{18aa}'),
        // Of a flag that has begun, all was looked at.
        '\u{e0020}'..='\u{e007f}' => {
            matches!(before, '\u{e0020}'..='\u{e007e}') || before == FLAG && is_region(c, rest)
        }
        _ => !is_invisible(c),
    }
}

/// `Default_Ignorable_Code_Point` (Unicode 16, `DerivedCoreProperties.txt`).
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Whether it is of a script in which joiners make a difference, by blocks: Arabic to Sinhala, Myanmar,
/// Khmer and Mongolian, Tai Tham to Lepcha, Syloti Nagri to Devanagari Extended, Javanese to Meetei Mayek,
/// the presentation forms of Arabic, and those beyond the basic plane.
const fn uses_joiners(c: char) -> bool {
    matches!(c,
        '\u{610}'..='\u{dff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17dd}'
        | '\u{1820}'..='\u{18aa}' | '\u{1a20}'..='\u{1c4f}' | '\u{a800}'..='\u{a8ff}'
        | '\u{a980}'..='\u{aaff}' | '\u{abc0}'..='\u{abff}' | '\u{fb50}'..='\u{fdff}'
        | '\u{fe70}'..='\u{fefc}' | '\u{10a00}'..='\u{10aff}' | '\u{10d00}'..='\u{10d3f}'
        | '\u{10ec0}'..='\u{10fdf}' | '\u{11000}'..='\u{11fff}' | '\u{1e900}'..='\u{1e95f}')
}

/// Whether emoji are among its block (UTS #51: `Extended_Pictographic`).
const fn is_emoji(c: char) -> bool {
    matches!(c,
        '©' | '®' | '‼' | '⁉' | '™' | 'ℹ' | '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}'
        | 'Ⓜ' | '\u{25a0}'..='\u{27bf}' | '\u{2900}'..='\u{297f}' | '\u{2b00}'..='\u{2bff}'
        | '〰' | '〽' | '㊗' | '㊙' | '\u{1f000}'..='\u{1ffff}')
}

/// Whether it is an emoji, or the selector behind one.
const fn is_joined(c: char) -> bool {
    is_emoji(c) || c == '\u{fe0f}'
}

const fn is_ideograph(c: char) -> bool {
    matches!(c,
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}')
}

/// Whether there are standardized variants among its block.
const fn has_variants(c: char) -> bool {
    is_emoji(c)
        || is_ideograph(c)
        || matches!(c, '\u{1000}'..='\u{109f}' | '\u{2200}'..='\u{22ff}' | '\u{2a00}'..='\u{2aff}')
}

/// Whether a selector stands within a keycap, such as 1️⃣.
fn is_keycap(before: char, rest: &str) -> bool {
    matches!(before, '0'..='9' | '#' | '*') && rest.starts_with('\u{20e3}')
}

/// What the flags of regions begin with, such as 🏴󠁧󠁢󠁳󠁣󠁴󠁿 (UTS #51, ED-14a).
const FLAG: char = '\u{1f3f4}';

/// Whether tags spell a region, and end: its country and its own code have up to six characters.
fn is_region(first: char, rest: &str) -> bool {
    let is_code = |c| matches!(c, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}');
    let code = rest.trim_start_matches(is_code);
    // Four bytes each, beside the first.
    let bytes = rest.len().saturating_sub(code.len());
    is_code(first) && (4 * 2..=4 * 5).contains(&bytes) && code.starts_with('\u{e007f}')
}
