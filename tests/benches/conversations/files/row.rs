//! The rows of a table, and what is said of those that are missing.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::form::Form;
use crate::binaries::installed;
use crate::contenders::{Contender, Contenders, Peer};
use crate::process::Server;
use crate::series::{Named, Series};
use crate::table::{self, Goal};

/// A server, and how it is spoken to.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) contender: Contender,
    pub(super) form: Form,
}

impl Named for Row {
    fn name(&self) -> &str {
        self.contender.name
    }
}

/// Where rows come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rows<'a> {
    pub(super) contenders: &'a Contenders,
    pub(super) folder: &'a Path,
}

impl Rows<'_> {
    /// A peer that this executable holds itself.
    pub(super) fn peer(self, name: &'static str, peer: Peer) -> Option<Row> {
        self.row(Form::Plain, Some(self.contenders.peer(name, peer)))
    }

    /// One that cannot say where it listens.
    pub(super) fn unheard(self, name: &'static str, peer: Peer) -> Option<Row> {
        self.row(Form::Plain, Some(self.contenders.peer(name, peer).discarding_output()))
    }

    /// nginx, if it is installed.
    pub(super) fn nginx(self, name: &'static str, peer: Peer, form: Form) -> Option<Row> {
        installed("nginx")?;
        self.row(form, Some(self.contenders.peer(name, peer)))
    }

    /// barewire's server, unless only the peers are wanted.
    pub(super) fn barewire(
        self,
        name: &'static str,
        form: Form,
        arguments: &[&'static str],
    ) -> Option<Row> {
        self.row(form, self.contenders.barewire(name, "file-server", arguments))
    }

    fn row(self, form: Form, contender: Option<Contender>) -> Option<Row> {
        Some(Row { contender: contender?.within(self.folder), form })
    }
}

/// The rows that are there.
pub(super) fn present<T, const N: usize>(rows: [Option<T>; N]) -> Vec<T> {
    rows.into_iter().flatten().collect()
}

/// Says which of `programs` are missing, and their rows with them.
pub(super) fn print_absent(programs: &[&str]) {
    for program in programs.iter().filter(|program| installed(program).is_none()) {
        println!("  absent, and so without rows: {program}, which is not installed");
    }
}

/// The figures of the row of that name.
pub(super) fn of<'a, T: Named, const N: usize>(
    rows: &[T],
    figures: &'a [[Series; N]],
    name: &str,
) -> Option<&'a [Series; N]> {
    rows.iter().zip(figures).find(|(row, _)| row.name() == name).map(|(_, figures)| figures)
}

/// A target: of a row, of another that it is measured by, one figure of both, and the bound.
pub(super) type Target<'a> = (&'a str, [&'a str; 2], usize, Goal);

/// Prints the targets. Those that speak of a row that is absent were not measured.
pub(super) fn print_targets<T: Named, const N: usize>(
    rows: &[T],
    figures: &[[Series; N]],
    targets: &[Target<'_>],
) {
    let goals: Vec<_> = targets
        .iter()
        .map(|&(what, [row, base], figure, goal)| {
            let (row, base) = (of(rows, figures, row), of(rows, figures, base));
            let over = |(row, base): (&[Series; N], &[Series; N])| row[figure].over(&base[figure]);
            (what, row.zip(base).map(over).unwrap_or_default(), goal)
        })
        .collect();
    table::print_goals(&goals);
}

/// What `work` costs the server, beside what it gives.
pub(super) fn costed<T>(
    server: &Server,
    work: impl FnOnce() -> io::Result<T>,
) -> io::Result<(T, Duration)> {
    server.settle()?;
    let before = server.processor_time()?;
    let outcome = work()?;
    server.settle()?;
    Ok((outcome, server.processor_time()?.saturating_sub(before)))
}
