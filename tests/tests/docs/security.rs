//! What `SECURITY.md` promises, and what holds it.

use crate::asserting::is_test;
use crate::markdown::{Document, top};

/// A promise, or words that follow it, and what holds it.
#[derive(Debug, Default)]
struct Held<T> {
    what: String,
    by: Vec<T>,
}

/// A test, by its file and its name, or a line of a file.
type Holder = (String, String);

/// What holds which words of which promise.
fn held() -> Vec<Held<Held<Holder>>> {
    let text =
        std::fs::read_to_string(top().join("tests/tests/docs/promises.txt")).expect("a table");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut promises = Vec::<Held<Held<Holder>>>::new();
    for line in lines {
        let what = line.trim_start();
        let last = promises.last_mut();
        match (line.len() - what.len(), last) {
            (0, _) => promises.push(Held { what: what.to_owned(), by: Vec::new() }),
            (2, Some(promise)) => promise.by.push(Held { what: what.to_owned(), by: Vec::new() }),
            (4, Some(Held { by, .. })) => {
                let (path, name) = what.split_once(' ').expect("a file, and what is in it");
                by.last_mut().expect("words").by.push((path.to_owned(), name.to_owned()));
            }
            _ => panic!("{line:?}"),
        }
    }
    promises
}

/// What stands between the parts of a promise.
const BETWEEN: [&str; 4] = ["and", "in", "of", "or"];

/// The promises, each with what follows it.
fn promises() -> Vec<(String, String)> {
    let document = Document::read("SECURITY.md").text;
    let part = document.split("\n## What is promised\n").nth(1).expect("it promises something");
    let part = part.split("\n## ").next().unwrap_or_default();
    let rows = part.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let cells = rows.skip(1).map(|row| row.split_once(" | ").expect("two cells"));
    cells.map(|(promise, words)| (promise.to_owned(), words.to_owned())).collect()
}

/// Why a promise is not held word by word, if it is not.
fn unheld(words: &str, parts: &[Held<Holder>]) -> Option<String> {
    let mut rest = words.to_owned();
    for Held { what, by } in parts {
        if by.is_empty() {
            return Some(format!("nothing holds {what:?}"));
        }
        let Some(at) = rest.find(what) else {
            return Some(format!("{what:?} is held, and not promised"));
        };
        rest.replace_range(at..at + what.len(), "");
    }
    let is_said = |word: &&str| !word.is_empty() && !BETWEEN.contains(word);
    let left: Vec<&str> = rest.split(|c: char| !c.is_alphanumeric()).filter(is_said).collect();
    (!left.is_empty()).then(|| format!("nothing holds {left:?}"))
}

#[test]
fn every_promise_is_held_and_whatever_is_held_is_promised() {
    let (promises, held) = (promises(), held());
    let mut wrong = Vec::new();
    for (promise, words) in &promises {
        let why = match held.iter().find(|it| it.what == *promise) {
            Some(Held { by, .. }) => unheld(words, by),
            None => Some("nothing holds it".into()),
        };
        wrong.extend(why.map(|why| format!("{promise}: {why}")));
    }
    let is_promised = |what: &str| promises.iter().any(|(promise, _)| promise == what);
    wrong.extend(
        held.iter()
            .filter(|it| !is_promised(&it.what))
            .map(|it| format!("{it:?}: is not promised")),
    );
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(promises.len(), held.len(), "a promise is made or held twice");
}

#[test]
fn what_holds_a_promise_is_there_and_asserts_something() {
    let holders = held().into_iter().flat_map(|it| it.by).flat_map(|it| it.by);
    let missing: Vec<_> = holders.filter(|(path, name)| !is_there(path, name)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

fn is_there(path: &str, name: &str) -> bool {
    let text = Document::read(path).text;
    is_test(&text, name) || text.lines().any(|line| line == name)
}

#[test]
fn what_holds_nothing_is_found_out() {
    let part = |what: &str, by: &[Holder]| Held { what: what.into(), by: by.to_vec() };
    let holder = [(String::from("file"), String::from("test"))];
    let held = [part("no a", &holder), part("b", &holder)];
    let nothing = |what: &str| Some(format!("nothing holds {what}"));
    assert_eq!(unheld("no a; and b", &held), None);
    assert_eq!(unheld("no a, b and c", &held), nothing("[\"c\"]"));
    assert_eq!(unheld("no a", &held), Some("\"b\" is held, and not promised".into()));
    assert_eq!(unheld("a", &[part("a", &[])]), nothing("\"a\""));
}
