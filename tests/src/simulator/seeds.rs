//! One test body, run over many seeds.

use std::any::type_name_of_val;
use std::collections::BTreeMap;
use std::{env, thread};

// With it, one seed is run instead of all: how a failure is repeated.
use crate::harness::seed::SEED_VARIABLE;

/// Names another count of seeds, for a longer search.
pub const COUNT_VARIABLE: &str = "BAREWIRE_SEEDS";

/// Runs the body of a test with every seed below `count`, then judges what it called
/// [`Sometimes`].
///
/// It must be called, with a closure, in the test itself, whose name it finds in that of the
/// closure, after that of the test's crate.
///
/// The seeds are the same each time, so a test that begins to fail does so because of a change,
/// not by chance. A failure prints its seed, with the command that repeats it.
pub fn for_seeds<F: Fn(u64, &mut Sometimes)>(count: u64, body: F) {
    let (target, test) = test_name(type_name_of_val(&body));
    let mut sometimes = Sometimes::default();
    let mut run = |seed| {
        let _replay = Replay { target, test, seed };
        body(seed, &mut sometimes);
    };
    if let Some(seed) = variable(SEED_VARIABLE) {
        return run(seed);
    }
    let wanted = variable(COUNT_VARIABLE).unwrap_or(count);
    (0..wanted).for_each(run);
    // A shorter search than the test asks for need not meet everything.
    if wanted >= count {
        sometimes.judge(wanted);
    }
}

fn variable(name: &str) -> Option<u64> {
    let value = env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name}={value}: not a number")))
}

/// A test's target and name as `cargo test` takes them, from the name of a closure in it.
fn test_name(closure: &str) -> (&str, &str) {
    assert!(!closure.contains('<'), "{closure} is not in the test itself, so it cannot be named");
    let (target, path) = closure.split_once("::").expect("a closure is in a crate");
    (target, path.trim_end_matches("::{{closure}}"))
}

/// Says how to repeat a run that panics.
struct Replay<'t> {
    target: &'t str,
    test: &'t str,
    seed: u64,
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            let Self { target, test, seed } = self;
            eprintln!(
                "to repeat: {SEED_VARIABLE}={seed} \
                 cargo test -p barewire-tests --test {target} {test} -- --exact"
            );
        }
    }
}

/// What must happen in some run at least. Where it never does, the assertions about it have proven
/// nothing, and that is a failure too.
#[derive(Debug, Default)]
pub struct Sometimes {
    happened: BTreeMap<&'static str, u64>,
}

impl Sometimes {
    /// Takes note whether `what` happened in this run.
    pub fn note(&mut self, what: &'static str, happened: bool) {
        *self.happened.entry(what).or_default() += u64::from(happened);
    }

    fn judge(&self, seeds: u64) {
        let never: Vec<_> = self.happened.iter().filter(|(_, times)| **times == 0).collect();
        assert!(never.is_empty(), "never happened in {seeds} seeds: {never:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_is_named_as_cargo_takes_it() {
        assert_eq!(
            test_name("simulation::hello::faults::they_do::{{closure}}"),
            ("simulation", "hello::faults::they_do")
        );
    }

    #[test]
    #[should_panic(expected = "never happened in 2 seeds: [(\"rain\", 0)]")]
    fn what_never_happens_is_a_failure() {
        let mut sometimes = Sometimes::default();
        for shone in [true, false] {
            sometimes.note("sun", shone);
            sometimes.note("rain", false);
        }
        sometimes.judge(2);
    }
}
