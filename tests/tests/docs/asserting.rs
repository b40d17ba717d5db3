//! Whether a test, in Rust, asserts something.

use crate::markdown::Document;

/// What has an assertion in it, and tests elsewhere call: a file, and a function there.
const CALLED: [(&str, &str); 10] = [
    ("tests/src/harness/finished.rs", "exits"),
    ("tests/src/harness/finished.rs", "prints"),
    ("tests/src/harness/finished.rs", "omits"),
    ("tests/src/harness/finished.rs", "says"),
    ("tests/src/harness/finished.rs", "is_silent"),
    ("tests/src/harness/folder.rs", "assert_holds"),
    ("tests/src/harness/sockets.rs", "assert_nothing_arrives"),
    ("tests/src/harness/sockets.rs", "assert_unanswered"),
    ("tests/src/harness/keyed/wire.rs", "assert_keyed"),
    ("tests/tests/e2e/chat/mod.rs", "hears"),
];

/// Whether a file has a test of this name that is run, and asserts something, by itself or in a function beside it.
pub(crate) fn is_test(text: &str, name: &str) -> bool {
    let text = &code(text);
    let Some((before, body)) = function(text, name) else { return false };
    let attributes: Vec<&str> =
        before.lines().rev().map(str::trim).take_while(|line| line.starts_with("#[")).collect();
    attributes == ["#[test]"] && asserts(text, body, 2)
}

/// `text` without its comments, and with nothing between quotes.
fn code(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let after = |end: &str, from: usize| {
            rest[from..].find(end).map_or(rest.len(), |at| from + at + end.len())
        };
        let hashes = rest.bytes().skip(1).take_while(|byte| *byte == b'#').count();
        let is_raw = c == 'r' && rest[1 + hashes..].starts_with('"') && !ends_a_name(&code);
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            after("*/", 2)
        } else if is_raw {
            after(&format!("\"{}", "#".repeat(hashes)), 2 + hashes)
        } else if c == '"' {
            quoted(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else {
            code.push(c);
            c.len_utf8()
        };
        rest = &rest[length..];
    }
    code
}

/// How long what is quoted at the beginning is, with its quotes.
fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    let is_end = |(_, byte): &(usize, u8)| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    };
    text.bytes().enumerate().skip(1).find(is_end).map_or(text.len(), |(at, _)| at + 1)
}

fn is_of_names(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// `r` as the last letter of a name begins no text; in `br` it does.
fn ends_a_name(code: &str) -> bool {
    let name = &code[code.trim_end_matches(is_of_names).len()..];
    !name.is_empty() && name != "b"
}

/// What is before the function of this name, and its body.
fn function<'t>(text: &'t str, name: &str) -> Option<(&'t str, &'t str)> {
    let at = [format!("fn {name}("), format!("fn {name}<")].iter().find_map(|it| text.find(it))?;
    let start = text[..at].rfind('\n').map_or(0, |it| it + 1);
    let indent = &text[start..].split(|c: char| c != ' ').next().unwrap_or_default();
    let body = &text[at..];
    let end = body.find(&format!("\n{indent}}}\n")).unwrap_or(body.len());
    Some((&text[..start], &body[..end]))
}

/// Whether `body`, or what it calls in the same file, has an assertion.
fn asserts(text: &str, body: &str, depth: u32) -> bool {
    let calls = body.match_indices('(').map(|(at, _)| &body[..at]);
    let mut names = calls.map(|before| {
        let name = before.strip_suffix('!').unwrap_or(before);
        &before[name.trim_end_matches(is_of_names).len()..]
    });
    names.any(|name| {
        let is_macro = name.starts_with("assert") && name.ends_with('!');
        let beside = || function(text, name).filter(|(_, other)| depth > 0 && *other != body);
        is_macro
            || CALLED.iter().any(|(_, it)| *it == name)
            || !name.is_empty()
                && beside().is_some_and(|(_, other)| asserts(text, other, depth - 1))
    })
}

#[test]
fn what_is_known_to_assert_does() {
    let has_none: Vec<_> = CALLED
        .iter()
        .filter(|(path, name)| {
            let text = code(&Document::read(*path).text);
            !function(&text, name).is_some_and(|(_, body)| asserts(&text, body, 0))
        })
        .collect();
    assert!(has_none.is_empty(), "{has_none:?}");
}

#[test]
fn what_asserts_nothing_is_found_out() {
    let is_held = |body: &str| is_test(&format!("#[test]\nfn test() {{\n    {body}\n}}\n"), "test");
    for asserts in [
        "assert!(true);",
        "assert_eq!(1, 1);",
        "run().exits(0);",
        "assert_unanswered(&socket);",
        "let x = r\"\\\"; assert!(x);",
        "let x = ['\"', '\\'']; assert!(x);",
        "let x = br#\"\"\"#; assert!(x);",
        "let x = \"\\\"//\\\\\"; assert!(x);",
        "/* none */ assert!(true); // none",
    ] {
        assert!(is_held(asserts), "{asserts}");
    }
    for does_not in [
        "go(7);",
        "let file = open().expect(\"assert!(it is there)\");",
        "// assert!(true);\n    go();",
        "/* assert!(true);\n */ go();",
        "go(\"assert!(true)\");",
        "go(r#\"\"; assert!(true);\"#);",
        "let assert = exits; reassert!(true);",
        "unreachable!();",
    ] {
        assert!(!is_held(does_not), "{does_not}");
    }

    let text = "#[test]\n#[ignore]\nfn ignored() {\n    assert!(true);\n}\n\nfn no_test() {\n    assert!(true);\n}\n\n\
                #[test]\nfn by_another() {\n    no_test();\n}\n";
    let are_held = ["ignored", "no_test", "by_another", "nowhere"].map(|name| is_test(text, name));
    assert_eq!(are_held, [false, false, true, false]);
}
