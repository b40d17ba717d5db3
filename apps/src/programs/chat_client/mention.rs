//! Whether somebody is called by name.

use unicode_segmentation::UnicodeSegmentation as _;

use crate::programs::folding::folded;

/// What Korean writes behind a name without a blank, one or several (`민수님은`): titles and particles. None
/// begins another.
const KOREAN: [&str; 41] = [
    "님", "씨", "군", "양", "들", "네", "아", "야", "여", "이", "가", "은", "는", "을", "를", "의",
    "도", "만", "와", "과", "랑", "로", "에", "게", "께", "서", "나", "요", "으로", "한테", "하고",
    "부터", "까지", "처럼", "보다", "라고", "인데", "마저", "조차", "밖에", "더러",
];

/// Whether a text has a nick as a word of its own, in whatever way it is written. Where words stand without blanks
/// between them, as in Chinese, it is one where the boundaries of Unicode are (UAX #29); and in Korean also
/// before what belongs to it.
pub(super) fn mentions(text: &str, nick: &str) -> bool {
    let (text, nick) = (folded(text), folded(nick));
    let boundaries: Vec<_> = text.split_word_bound_indices().map(|(start, _)| start).collect();
    let is_boundary = |at| boundaries.binary_search(&at).is_ok();
    let is_joined = |at, beside: Option<char>| match beside {
        Some('-' | '_') => true,
        Some(beside) => beside.is_alphanumeric() && !is_boundary(at),
        None => false,
    };
    text.match_indices(&nick).any(|(start, found)| {
        let end = start + found.len();
        !is_joined(start, text[..start].chars().next_back())
            && (!is_joined(end, text[end..].chars().next()) || belongs_to_name(&text[end..]))
    })
}

/// Whether what stands right behind a name is, up to the end of the word, what Korean puts there.
fn belongs_to_name(behind: &str) -> bool {
    let end = behind.find(|c: char| !c.is_alphanumeric()).unwrap_or(behind.len());
    let (mut rest, after) = behind.split_at(end);
    while let Some(shorter) = KOREAN.iter().find_map(|it| rest.strip_prefix(it)) {
        rest = shorter;
    }
    end > 0 && rest.is_empty() && !after.starts_with(['-', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mention_needs_no_blanks_in_scripts_without_them() {
        for (nick, text, expected) in [
            ("小明", "小明你好", true),
            ("小明", "你好小明", true),
            ("สมชาย", "สวัสดีสมชายครับ", true),
            ("さくら", "さくらさん", true),
            ("ケン", "ケンさん", true),
            ("ケン", "ケンジさん", false),
            ("Tom", "小明和Tom", true),
            ("小明", "大-小明", false),
            ("Ольга", "Ольгами", false),
        ] {
            assert_eq!(mentions(text, nick), expected, "{nick} in {text}");
        }
    }

    #[test]
    fn a_mention_is_one_however_it_is_written() {
        for (nick, text, expected) in [
            ("José", "hola JOSE\u{301}!", true),
            ("Jose\u{301}", "hola josé", true),
            ("José", "jose?", true),
            ("José", "josefina", false),
            ("민수", "\u{1106}\u{1175}\u{11ab}\u{1109}\u{116e}님", true),
            ("민수", "\u{1106}\u{1175}\u{11ab}\u{1109}\u{116e}\u{11a8}", false),
            ("Tom", "ｔｏｍ, hi", true),
            ("か", "が", false),
        ] {
            assert_eq!(mentions(text, nick), expected, "{nick} in {text}");
        }
    }

    #[test]
    fn a_mention_may_have_what_korean_puts_behind_a_name() {
        for (nick, text, expected) in [
            ("민수", "민수야 안녕", true),
            ("민수", "안녕 민수님!", true),
            ("민수", "민수씨에게서 왔다", true),
            ("민수", "이건 민수와 함께", true),
            ("Eve", "eve님은 어디", true),
            ("민수", "민수", true),
            ("민수", "민수정", false),
            ("민수", "민수님정", false),
            ("민수", "김민수님", false),
            ("민수", "민수님_2", false),
            ("eve", "evening", false),
        ] {
            assert_eq!(mentions(text, nick), expected, "{nick} in {text}");
        }
    }

    #[test]
    fn what_is_put_behind_a_name_can_be_read_in_one_way() {
        for (place, one) in KOREAN.iter().enumerate() {
            let others = KOREAN.iter().enumerate().filter(|(other, _)| *other != place);
            assert!(others.into_iter().all(|(_, other)| !other.starts_with(one)), "{one}");
        }
    }
}
