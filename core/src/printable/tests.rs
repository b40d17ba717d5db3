extern crate std;
use super::printable;
use regex_syntax::hir::{Class, HirKind};
use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

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

/// The characters of a class, as `regex-syntax` writes and knows them.
fn class(pattern: &str) -> Vec<char> {
    let hir = regex_syntax::parse(pattern).unwrap();
    let HirKind::Class(Class::Unicode(class)) = hir.kind() else { panic!("{pattern} is no class") };
    class.iter().flat_map(|range| range.start()..=range.end()).collect()
}

fn stays(text: &str) -> bool {
    printable(text.as_bytes()).to_string() == text
}

const ZWNJ: char = '\u{200c}';
const ZWJ: char = '\u{200d}';

#[test]
fn what_is_invisible_is_escaped_where_nothing_needs_it() {
    for c in class(r"\p{Default_Ignorable_Code_Point}") {
        let escape = format!("\\u{{{:x}}}", u32::from(c));
        for around in
            ["", "a", "я", "ω", "א", "ก", "한", "あ", "7", " ", "-", "\u{301}", "\u{20e3}"]
        {
            let text = format!("{around}{c}");
            assert_eq!(printable(text.as_bytes()).to_string(), format!("{around}{escape}"));
            let text = format!("{c}{around}");
            assert_eq!(printable(text.as_bytes()).to_string(), format!("{escape}{around}"));
        }
    }
}

#[test]
fn everything_visible_is_itself() {
    let invisible = r"[\p{Default_Ignorable_Code_Point}\p{Cc}\p{Zl}\p{Zp}\u{fff9}-\u{fffb}]";
    let visible = class(&format!(r"[^{invisible}]"));
    assert!(visible.len() > 1_000_000);
    for c in visible {
        assert!(stays(c.encode_utf8(&mut [0; 4])), "{c:?}");
    }
}

#[test]
fn joiners_stay_between_emoji_and_in_the_scripts_that_use_them() {
    for c in class(r"\p{Extended_Pictographic}") {
        for sequence in ["", "\u{fe0f}", "\u{1f3fd}"] {
            assert!(stays(&format!("{c}{sequence}{ZWJ}{c}{sequence}")), "{c:?}");
        }
        assert!(!stays(&format!("{c}{ZWNJ}{c}")) && !stays(&format!("{c}{ZWJ}a")), "{c:?}");
        assert!(!stays(&format!("{c}{ZWJ}{ZWJ}{c}")) && !stays(&format!("a{ZWJ}{c}")), "{c:?}");
    }
    // Unicode 16, §9 and §12 to §14, as far as they tell what joiners do.
    for script in [
        "Arabic",
        "Syriac",
        "Nko",
        "Mandaic",
        "Devanagari",
        "Bengali",
        "Gurmukhi",
        "Gujarati",
        "Oriya",
        "Tamil",
        "Telugu",
        "Kannada",
        "Malayalam",
        "Sinhala",
        "Myanmar",
        "Khmer",
        "Mongolian",
        "Tai_Tham",
        "Balinese",
        "Sundanese",
        "Batak",
        "Lepcha",
        "Syloti_Nagri",
        "Phags_Pa",
        "Saurashtra",
        "Javanese",
        "Cham",
        "Meetei_Mayek",
        "Kharoshthi",
        "Manichaean",
        "Hanifi_Rohingya",
        "Sogdian",
        "Brahmi",
        "Kaithi",
        "Chakma",
        "Grantha",
        "Newa",
        "Adlam",
    ] {
        // Mathematical letters are symbols, and the invisible ones are looked at elsewhere.
        let pattern = format!(
            r"[[\p{{L}}\p{{M}}]&&\p{{sc={script}}}--[\u{{1ee00}}-\u{{1eeff}}]--\p{{Default_Ignorable_Code_Point}}]"
        );
        for c in class(&pattern) {
            for joiner in [ZWNJ, ZWJ] {
                assert!(stays(&format!("{c}{joiner}{c}")), "{script}: {c:?}");
                assert!(!stays(&format!("{c}{joiner}{joiner}")), "{script}: {c:?}");
                assert!(!stays(&format!("a{joiner}{c}")), "{script}: {c:?}");
            }
        }
    }
    let others = r"[\p{L}&&[\p{sc=Latin}\p{sc=Greek}\p{sc=Cyrillic}\p{sc=Armenian}\p{sc=Georgian}\p{sc=Hebrew}\p{sc=Thai}\p{sc=Lao}\p{sc=Ethiopic}\p{sc=Cherokee}\p{sc=Hangul}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Bopomofo}\p{sc=Han}]--\p{Default_Ignorable_Code_Point}]";
    for c in class(others) {
        for joiner in [ZWNJ, ZWJ] {
            assert!(!stays(&format!("{c}{joiner}{c}")), "{c:?}");
        }
    }
}

#[test]
fn selectors_stay_behind_what_has_variants() {
    for c in class(r"[\p{Emoji}--[0-9#*]--[\u{1f1e6}-\u{1f1ff}]]") {
        for selector in ['\u{fe0e}', '\u{fe0f}'] {
            assert!(stays(&format!("{c}{selector}")), "{c:?}");
            assert!(!stays(&format!("{c}{selector}{selector}")), "{c:?}");
        }
    }
    for c in class(r"\p{Unified_Ideograph}") {
        assert!(stays(&format!("{c}\u{fe00}")) && stays(&format!("{c}\u{e0100}")), "{c:?}");
        assert!(!stays(&format!("{c}\u{e0100}\u{e0101}")), "{c:?}");
    }
    for text in [
        "1\u{fe0f}\u{20e3}",
        "#\u{fe0f}\u{20e3}",
        "ᠠ\u{180b}",
        "ᠨ\u{180e}ᠠ",
        "∩\u{fe00}",
        "က\u{fe00}",
    ] {
        assert!(stays(text), "{text}");
    }
    for text in [
        "☀\u{fe00}\u{200d}z",
        "葛\u{fe00}\u{200c}",
        "1\u{fe0f}",
        "1\u{fe0f}2",
        "a\u{180b}",
        "ᠠ\u{180b}\u{180b}",
        "a\u{fe00}",
    ] {
        assert!(!stays(text), "{text}");
    }
}

#[test]
fn what_people_write_is_itself() {
    for text in [
        // Persian, Urdu, Kurdish.
        "می\u{200c}خواهم",
        "خانه\u{200c}ها",
        "ه\u{200d}",
        "كورده\u{200c}كان",
        // Hindi, Marathi, Bengali, Sinhala, Malayalam, Kannada, Telugu, Tamil.
        "क्\u{200d}ष",
        "श्\u{200c}री",
        "दर्\u{200d}या",
        "র\u{200d}্যাব",
        "ශ්\u{200d}රී",
        "ക്\u{200d}",
        "ರ\u{200d}್ಯ",
        "క్\u{200c}ష",
        "க்\u{200c}ஷ",
        // Khmer, Mongolian.
        "ប៊\u{200c}ី",
        "ᠬᠠᠲᠤᠨ\u{180e}ᠠ",
        // Emoji: a family, a profession, hearts, flags, keycaps.
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "👩🏽\u{200d}🚀",
        "❤\u{fe0f}\u{200d}🔥",
        "🏳\u{fe0f}\u{200d}🌈",
        "🏴\u{200d}☠\u{fe0f}",
        "👁\u{fe0f}\u{200d}🗨\u{fe0f}",
        "🧑\u{200d}🤝\u{200d}🧑",
        "🏃🏻\u{200d}♀\u{fe0f}\u{200d}➡\u{fe0f}",
        "🇩🇪",
        "7\u{fe0f}\u{20e3}",
        "©\u{fe0f}",
        "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        // A name with a variant of an ideograph.
        "葛\u{e0100}飾",
    ] {
        shows(text.as_bytes(), text);
    }
}

/// Tags and selectors can spell a text that nobody sees.
#[test]
fn nothing_is_said_by_what_nobody_sees() {
    let tags = |text: &str| -> String {
        text.bytes().filter_map(|byte| char::from_u32(0xe0000 + u32::from(byte))).collect()
    };
    let run = |first: u32| -> String { (first..first + 9).filter_map(char::from_u32).collect() };
    for text in [
        tags("hello"),
        format!("🏴{}", tags("hello")),
        format!("🏴{}\u{e007f}", tags("hellothere")),
        format!("🏴{}\u{e007f}", tags("GB")),
        format!("🏴{}a\u{e007f}", tags("gbeng")),
        format!("a{}\u{e007f}", tags("gbeng")),
        format!("😀{}", run(0xe0100)),
        format!("日{}", run(0xfe00)),
    ] {
        let shown = printable(text.as_bytes()).to_string();
        let left =
            shown.chars().filter(|&c| c > '\u{e0000}' || matches!(c, '\u{fe00}'..='\u{fe0f}'));
        assert!(left.count() <= 1, "{shown:?}");
    }
}
