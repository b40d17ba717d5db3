//! Idle members: what each costs the server in memory of its own.

use std::io;

use super::crowd::Crowd;
use super::setup::{BAREWIRE, LINE_BY_LINE, SENDERS, of, rows};
use crate::contenders::{Contender, Contenders};
use crate::options::Options;
use crate::series::{Rounds, side_by_side};
use crate::table::{self, Goal, count};

/// How many members say nothing, in full and for a quick look. Each is announced to all others, so
/// the time that they take to come in grows with the square of this.
const IDLE: usize = 10_000;
const FEW_IDLE: usize = 100;

/// Files that are no member: programs, pipes, epoll.
const OTHER_FILES: u64 = 100;

/// Memory is the same in every round, and so many members take their time to come in, each of them
/// announced to all others.
const ROUNDS: usize = 1;

/// Measures and prints.
///
/// `open_files` is how many files a process may open.
pub(super) fn measure(
    options: &Options,
    contenders: &Contenders,
    open_files: u64,
) -> io::Result<()> {
    let idle = if options.short { FEW_IDLE } else { IDLE };
    let most = usize::try_from(open_files.saturating_sub(OTHER_FILES)).unwrap_or(usize::MAX);
    let idle = idle.min(most);
    let mut rows = rows(contenders, false);
    // It keeps what the other loop keeps.
    rows.retain(|row| row.name != LINE_BY_LINE);
    let Rounds { figures, others } =
        side_by_side("chat, memory", &rows, ROUNDS, |contender| hold(contender, idle))?;

    let cells = rows.iter().zip(&figures).map(|(contender, [grown, all])| {
        vec![contender.name.to_owned(), count(grown.median()), count(all.median())]
    });
    table::print(
        &format!("chat, memory: {} idle members, one round", count(idle as f64)),
        &["", "bytes a member", "with the empty room's"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    if let Some([grown, _]) = of(&rows, &figures, BAREWIRE) {
        table::print_goals(&[("bytes a member", grown.clone(), Goal::AtMost(512.0))]);
    }
    Ok(())
}

/// The bytes that the server takes for a member when it comes, and those of the whole server by the
/// number of members: what is set aside for all of them before the first has come is not hidden.
fn hold(contender: &Contender, idle: usize) -> io::Result<[f64; 2]> {
    let server = contender.start()?;
    // What is set up for the first members, however many follow, is not counted as theirs.
    drop(Crowd::gather(&server, SENDERS)?);
    server.settle()?;
    let before = server.private_bytes()?;
    let mut crowd = Crowd::gather(&server, idle)?;
    let after = server.private_bytes()?;
    crowd.check(&server)?;
    drop(crowd);
    drop(server);
    Ok([after.saturating_sub(before), after].map(|bytes| bytes as f64 / idle as f64))
}
