use std::collections::HashMap;

use barewire_core::chat::check_nick;

use super::*;

/// Names of people, each by itself.
const NAMES: [&str; 35] = [
    "server",
    "anna",
    "Tom",
    "José",
    "Müller",
    "Nguyễn",
    "Łukasz",
    "Ægir",
    "x_X-7",
    "Μαρία",
    "Ольга",
    "Дмитрий",
    "Ёлка",
    "小明",
    "小明Tom",
    "陳大文",
    "さくら",
    "ガンモ",
    "山田太郎",
    "ケンTom",
    "김철수",
    "李영희",
    "สมชาย",
    "น้ำฝน",
    "अनिल",
    "कृष्ण",
    "প্রিয়া",
    "தமிழ்",
    "محمد",
    "فاطمة",
    "דוד",
    "Արամ",
    "გიორგი",
    "ኣበበ",
    "မြို့",
];

fn is_like(name: &str, other: &str) -> bool {
    skeleton(name).is_like(skeleton(other))
}

/// Whether a name can be had while somebody has the other.
fn passes(name: &str, other: &str) -> bool {
    check_nick(name).and_then(|()| check(name)).is_ok() && !is_like(name, other)
}

#[test]
fn honest_names_are_taken_and_told_apart() {
    for (number, name) in NAMES.iter().enumerate() {
        assert_eq!(check_nick(name).and_then(|()| check(name)), Ok(()), "{name}");
        let decomposed: String = name.nfd().collect();
        assert_eq!(check(&decomposed), Ok(()), "{name}");
        assert!(is_like(name, &decomposed), "{name}");
        for other in &NAMES[..number] {
            assert!(!is_like(name, other), "{name} {other}");
        }
    }
    // What tells them apart is no ornament in these scripts.
    for (name, other) in [("がんも", "かんも"), ("हिम", "हम"), ("น้า", "นา"), ("小明", "小朋")]
    {
        assert!(!is_like(name, other), "{name} {other}");
    }
}

#[test]
fn names_that_look_alike_are_alike() {
    for (name, other) in [
        ("paypal", "раураӏ"),
        ("Anna", "ANNA"),
        ("José", "jose"),
        ("Ёлка", "елка"),
        ("scope", "ѕсоре"),
        ("bill", "bi1l"),
        ("modern", "rnodern"),
        // Small letters alone look alike, or capitals alone.
        ("αvva", "αννα"),
        ("ΑΝΝΑ", "anna"),
        ("ΑΝΝΑ", "αννα"),
        ("ТОМ", "Tom"),
        ("ТОМ", "том"),
        ("server", "ſerver"),
        ("server", "ṣerver"),
        ("server", "serᵥer"),
        ("server", "ｓｅｒｖｅｒ"),
        ("server", "ser\u{345}ver"),
        ("straße", "STRASSE"),
        ("straße", "STRAẞE"),
        ("İzmir", "ızmir"),
    ] {
        assert!(is_like(name, other), "{name} {other}");
    }
    for (name, other) in [("anna", "hanna"), ("ТОМ", "mot"), ("том", "tom"), ("ΑΝΝΑ", "ahha")]
    {
        assert!(!is_like(name, other), "{name} {other}");
    }
}

/// The tables of Unicode compare letter by letter, as they are in most typefaces. The docs tell of these.
#[test]
fn what_the_tables_do_not_know_is_told_apart() {
    for (name, other) in [("vv", "w"), ("мах", "max"), ("丨", "l")] {
        assert_eq!((check(name), check(other)), (Ok(()), Ok(())), "{name} {other}");
        assert!(!is_like(name, other), "{name} {other}");
    }
    assert_eq!(check("ㄅㄆㄇ"), Err(NickError::Characters));
}

#[test]
fn what_is_no_name_is_refused_with_the_reason() {
    let (four, five) = ("a\u{301}\u{302}\u{303}\u{304}", "a\u{301}\u{302}\u{303}\u{304}\u{306}");
    for (name, expected) in [
        (four, Ok(())),
        (five, Err(NickError::Marks)),
        ("anna\u{301}\u{301}", Err(NickError::Marks)),
        ("é\u{301}", Err(NickError::Marks)),
        ("\u{301}anna", Err(NickError::Characters)),
        ("\u{93e}अ", Err(NickError::Characters)),
        ("server\u{5b4}", Err(NickError::Characters)),
        ("аnna", Err(NickError::Scripts)),
        ("Αnna", Err(NickError::Scripts)),
        ("สมชายTom", Err(NickError::Scripts)),
        ("かな김", Err(NickError::Scripts)),
        ("anna\u{345}", Err(NickError::Characters)),
        ("serᵥer", Err(NickError::Characters)),
        ("ｓｅｒｖｅｒ", Err(NickError::Characters)),
        ("a𝐧na", Err(NickError::Characters)),
        ("ᚱᚢᚾ", Err(NickError::Characters)),
        ("🙂", Err(NickError::Characters)),
        ("an\u{ad}na", Err(NickError::Characters)),
        ("an\u{200d}na", Err(NickError::Characters)),
        ("anna\u{3164}", Err(NickError::Characters)),
        ("anna\u{fe0f}", Err(NickError::Characters)),
        ("日\u{3000}本", Err(NickError::Characters)),
        ("ジャン・ポール", Err(NickError::Characters)),
        ("192.0.2.7", Err(NickError::Reserved)),
        ("192.0.2", Ok(())),
        ("192.0.2.256", Ok(())),
    ] {
        assert_eq!(check(name), expected, "{name:?}");
    }
    let crowded = "anna".to_owned() + &"\u{301}".repeat(20);
    assert_eq!(check(&crowded), Err(NickError::Marks));
}

/// Which characters look the same, of those that a nick can have at all.
struct Confusables {
    alike: HashMap<String, Vec<char>>,
}

impl Confusables {
    fn all() -> Self {
        let mut alike: HashMap<String, Vec<char>> = HashMap::new();
        for c in ('\0'..=char::MAX).filter(|&c| is_allowed(c)) {
            alike.entry(Self::prototype(c)).or_default().push(c);
        }
        Self { alike }
    }

    fn prototype(c: char) -> String {
        confusable_detection::skeleton(c.encode_utf8(&mut [0; 4])).collect()
    }

    /// What looks like a character, or like it in other case.
    fn of(&self, c: char) -> impl Iterator<Item = char> {
        let cases = [c].into_iter().chain(c.to_lowercase()).chain(c.to_uppercase());
        cases.filter_map(|c| self.alike.get(&Self::prototype(c))).flatten().copied()
    }
}

/// Nobody passes for another by one letter that looks alike, nor by all of them in another script.
#[test]
fn no_confusable_passes() {
    let confusables = Confusables::all();
    let mut tried = 0;
    for name in NAMES {
        let letters: Vec<char> = name.chars().collect();
        let mut by_script: HashMap<Script, Vec<char>> = HashMap::new();
        for (at, &letter) in letters.iter().enumerate() {
            for c in confusables.of(letter) {
                let mut disguise = letters.clone();
                disguise[at] = c;
                let disguise = String::from_iter(disguise);
                assert!(!passes(&disguise, name), "{disguise} for {name}");
                tried += 1;
                let disguise = by_script.entry(c.script()).or_insert_with(|| letters.clone());
                disguise[at] = c;
            }
        }
        for disguise in by_script.into_values().map(String::from_iter) {
            assert!(!passes(&disguise, name), "{disguise} for {name}");
        }
    }
    assert!(tried > 1_000, "{tried}");
}

/// Nor by a mark that stands on a letter, wherever marks are but ornaments.
#[test]
fn no_mark_passes() {
    let marks: Vec<char> = ('\0'..=char::MAX).filter(|&c| is_combining_mark(c)).collect();
    assert!(marks.len() > 2_000, "{}", marks.len());
    for name in ["server", "anna", "José", "Μαρία", "Ольга", "x_X-7"] {
        for (at, _) in name.char_indices().skip(1).chain([(name.len(), ' ')]) {
            for mark in &marks {
                let disguise = format!("{}{mark}{}", &name[..at], &name[at..]);
                assert!(!passes(&disguise, name), "{disguise} for {name} by {mark:?}");
            }
        }
    }
}
