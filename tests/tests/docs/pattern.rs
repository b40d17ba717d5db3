//! Whether a line is the one of a document, but for what is another each time.

/// Whether a program that says `line` has said what the document has as `expected`. `…` stands for anything
/// there; and numbers with a fraction, dates, hashes, and ports that the system has chosen are another each time.
pub(crate) fn matches(expected: &str, line: &str) -> bool {
    let (expected, line) = (steady(expected), steady(line));
    let mut parts = expected.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, between)) = parts.split_last() else { return rest.is_empty() };
    for part in between {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// `line` without what is another each time; with one space where there are several.
fn steady(line: &str) -> String {
    let words: Vec<String> = line.split_whitespace().map(steady_word).collect();
    without_chosen_ports(&words.join(" "))
}

fn steady_word(word: &str) -> String {
    let (before, word) = word.split_at(word.len() - word.trim_start_matches('(').len());
    let (word, after) = word.split_at(word.trim_end_matches([',', ':', ')', ';']).len());
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
    let is_fraction = word.split_once('.').is_some_and(|(a, b)| is_number(a) && is_number(b));
    let is_date = word.len() == 20 && word.ends_with('Z') && word.as_bytes()[10] == b'T';
    let is_hash = word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let steady = match word {
        _ if is_fraction => "NUMBER",
        _ if is_date => "DATE",
        _ if is_hash => "HASH",
        word => word,
    };
    format!("{before}{steady}{after}")
}

/// Ports from 16384 on are those that a system chooses.
fn without_chosen_ports(line: &str) -> String {
    let mut parts = line.split(':');
    let mut steady = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        let is_chosen = part[..end].parse().is_ok_and(|port: u16| port >= 16384);
        let (port, rest) = if is_chosen { ("PORT", &part[end..]) } else { ("", part) };
        steady.extend([":", port, rest]);
    }
    steady
}

#[test]
fn what_is_another_each_time_is_no_difference() {
    for (expected, line) in [
        ("listening on 127.0.0.1:9000", "listening on 127.0.0.1:9000"),
        (r#"{"from":"127.0.0.1:41388"}"#, r#"{"from":"127.0.0.1:57702"}"#),
        ("127.0.0.1:41388: are you there?", "127.0.0.1:57702: are you there?"),
        ("round trip: min 0.092 ms, mean 0.150 ms", "round trip: min 1.2 ms, mean 13.0 ms"),
        (
            "disk.img: 700.00 MiB in 1.4 s (verified, resumed from 224.00 MiB)",
            "disk.img: 20.00 MiB in 0.0 s (verified, resumed from 8.00 MiB)",
        ),
        ("    6  2026-11-22T18:30:53Z  notes.txt", " 6 2025-01-01T00:00:00Z notes.txt"),
        ("a … c … e", "a b c d e"),
        ("…", "anything"),
    ] {
        assert!(matches(expected, line), "{expected:?} and {line:?}");
    }
    for (expected, line) in [
        ("listening on 127.0.0.1:9000", "listening on 127.0.0.1:9001"),
        ("3 sent, 3 received, 0 lost", "3 sent, 2 received, 1 lost"),
        ("1 file, 5.72 MiB", "2 files, 5.72 MiB"),
        ("a … c", "a b d"),
        ("a …", "b"),
        ("address 10.0.0.1", "address 10.0.0.2"),
    ] {
        assert!(!matches(expected, line), "{expected:?} and {line:?}");
    }
}
