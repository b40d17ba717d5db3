//! Each way to break the rule that the kit knows is found, and called by its number.

mod breakage;
mod driver;

use barewire_conformance::{Rule, ScriptedStream, Violation, check, check_seeds};
use breakage::{BREAKAGES, Breakage};
use driver::Broken;

fn violation(breakage: Option<Breakage>) -> Option<Violation> {
    check(|seed| Broken::new(ScriptedStream::new(seed), breakage)).err()
}

#[test]
fn a_driver_of_another_shape_passes() {
    if let Some(violation) = violation(None) {
        panic!("{violation}");
    }
}

#[test]
fn every_breakage_is_found_and_called_by_its_number() {
    let mut wrong = Vec::new();
    for &(breakage, rule) in BREAKAGES {
        match violation(Some(breakage)) {
            Some(violation) if violation.rule == rule => {}
            Some(violation) => {
                wrong.push(format!("{breakage:?}, which breaks {rule:?}: {violation}"));
            }
            None => wrong.push(format!("{breakage:?} passes")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_broken_by_something() {
    for rule in Rule::ALL {
        assert!(BREAKAGES.iter().any(|(_, broken)| *broken == rule), "{rule:?}");
    }
}

#[test]
fn a_violation_tells_how_to_repeat_it() {
    let connect = |seed| Broken::new(ScriptedStream::new(seed), Some(Breakage::TimesOutFirst));
    let found = check_seeds(connect, 0..1_000).unwrap_err();
    assert_eq!(check_seeds(connect, [found.seed]), Err(found.clone()));
    let text = found.to_string();
    let seed = format!("with the seed: {}", found.seed);
    for said in ["rule 4", "The deadline, if it is reached", &seed, "Turn"] {
        assert!(text.contains(said), "{text}");
    }
    let found = check(connect).unwrap_err();
    assert!(found.to_string().contains(found.script.unwrap()), "{found}");
}

/// The words are those of the core's documentation.
#[test]
fn a_rule_has_the_words_of_its_documentation() {
    let docs: Vec<&str> = include_str!("../../../src/driver.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .flat_map(str::split_whitespace)
        .collect();
    let docs = docs.join(" ").replace("**", "");
    // Of a link only the text is said.
    let links = docs.split(['[', ']']).map(|part| match part.strip_prefix('(') {
        Some(rest) => rest.split_once(')').map_or("", |(_, rest)| rest),
        None => part,
    });
    let docs: String = links.collect();
    for rule in Rule::ALL {
        let said = format!("{}. {}", rule.number(), rule.words());
        assert!(docs.contains(&said), "{said}");
    }
}
