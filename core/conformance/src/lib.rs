#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod adapter;
mod behaviour;
mod conversation;
mod examiner;
mod outbox;
mod random;
mod rule;
mod script;
mod stream;

use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

pub use adapter::{Adapter, Driven, Peer, Seen, Stack};
pub use examiner::{Examiner, ExaminerError, ExaminerEvent};
pub use rule::Rule;
pub use stream::{ScriptedStream, WasReset};

use conversation::Conversation;
use random::Random;
use rule::Breach;
use script::{Op, SCRIPTS, draw};

/// How many random conversations [`check`] has.
pub const SEEDS: u64 = 300;

/// How many things happen in a random conversation before it is brought to an end.
const LENGTH: usize = 40;

/// What was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Scripts that were played.
    pub scripts: usize,
    /// Scripts that ask for what cannot be set of the adapter's stack.
    pub skipped: usize,
    /// Random conversations.
    pub random: usize,
    /// Turns that the adapter had.
    pub turns: usize,
}

/// An adapter does not follow the rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The part that it breaks.
    pub rule: Rule,
    /// How.
    pub what: &'static str,
    /// The name of the script; without it, the conversation was random.
    pub script: Option<&'static str>,
    /// What was given to the function that made the adapter: [`check_seeds`] repeats it.
    pub seed: u64,
    /// What had happened, the last thing last.
    pub story: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, what, script, seed, story } = self;
        let number = rule.number();
        writeln!(f, "rule {number} of barewire_core::driver is broken: {what}")?;
        writeln!(f, "  the rule: {}", rule.words())?;
        match script {
            Some(script) => writeln!(f, "  in the script: {script} (seed {seed})")?,
            None => writeln!(f, "  with the seed: {seed}")?,
        }
        write!(f, "  it happened: {story}")
    }
}

impl Error for Violation {}

/// Plays all scripts and [`SEEDS`] random conversations, each with a connection that `connect` makes.
/// It is given a number, by which the connection may vary what the kit leaves open: how bytes are cut,
/// how large its buffers are.
///
/// # Errors
/// The first [`Violation`].
///
/// # Panics
/// If the adapter does. What led to it is printed.
pub fn check<A: Adapter>(mut connect: impl FnMut(u64) -> A) -> Result<Report, Violation> {
    let mut report = Report::default();
    for (seed, &(name, ops)) in (0..).zip(SCRIPTS) {
        // The script is the same, but the stack's whims and the peer's last doing are not.
        for seed in [seed, seed + 1, seed + 2] {
            let turns = converse(connect(seed), Some(name), seed, ops.iter().copied())?;
            report.scripts += usize::from(turns.is_some());
            report.skipped += usize::from(turns.is_none());
            report.turns += turns.unwrap_or(0);
        }
    }
    let random = check_seeds(connect, 0..SEEDS)?;
    report.random = random.random;
    report.turns += random.turns;
    Ok(report)
}

/// Plays a random conversation for each of the seeds: for a longer search, or to repeat one.
///
/// # Errors
/// As [`check`].
///
/// # Panics
/// As [`check`].
pub fn check_seeds<A: Adapter>(
    mut connect: impl FnMut(u64) -> A,
    seeds: impl IntoIterator<Item = u64>,
) -> Result<Report, Violation> {
    let mut report = Report::default();
    for seed in seeds {
        let mut random = Random::new(seed);
        let ops = std::iter::repeat_with(|| draw(&mut random)).take(LENGTH);
        report.turns += converse(connect(seed), None, seed, ops)?.unwrap_or(0);
        report.random += 1;
    }
    Ok(report)
}

/// Gives the number of turns. A script of which the adapter cannot do a part is not played.
fn converse<A: Adapter>(
    adapter: A,
    script: Option<&'static str>,
    seed: u64,
    ops: impl Iterator<Item = Op>,
) -> Result<Option<usize>, Violation> {
    let mut done = Vec::new();
    let played = catch_unwind(AssertUnwindSafe(|| {
        let mut conversation = Conversation::new(adapter);
        let mut ops: Vec<Op> = ops.collect();
        if script.is_none() {
            ops.retain(|op| conversation.can(*op));
        } else if !ops.iter().all(|op| conversation.can(*op)) {
            return None;
        }
        for op in ops {
            done.push(op);
            conversation.apply(op);
        }
        conversation.finish(seed.is_multiple_of(2));
        Some(conversation.turns)
    }));
    played.map_err(|payload| {
        let story = format!("{done:?}");
        match payload.downcast::<Breach>() {
            Ok(breach) => {
                let Breach { rule, what } = *breach;
                Violation { rule, what, script, seed, story }
            }
            Err(payload) => {
                eprintln!("the adapter panics (seed {seed}, {script:?}) when {story}");
                resume_unwind(payload)
            }
        }
    })
}
