//! Chat: how many deliveries a second, how long one takes, and what an idle member costs in memory.
//!
//! Each line of a member goes to every other member, and each of these is a delivery. The peers do
//! that and nothing else, with as long a nick before each line as barewire's: a loop that writes each
//! line to each member; a loop that gathers what a round has brought into one write a member, which
//! is the limit; tokio with its broadcast channel; and `ncat --chat` where it is installed.

mod crowd;
mod deliveries;
mod flood;
mod latency;
pub(crate) mod loops;
mod memory;
pub(crate) mod peers;

use std::io;
use std::time::Duration;

use crate::contenders::{Contender, Contenders, Peer};
use crate::options::Options;

/// Members that speak; all others only listen.
const SENDERS: usize = 10;

/// Bytes of a line as it is sent, its line feed among them.
const LINE: usize = 64;

/// How many lines a sender has under way, in full and for a quick look.
const WINDOW: usize = 16;
const SHORT_WINDOW: usize = 2;

/// How many members there are under load, in full and for a quick look.
const SMALL: usize = 100;
const LARGE: usize = 1_000;
const SHORT_LARGE: usize = 200;

/// How many members say nothing, in full and for a quick look. Each is announced to all others, so
/// the time that they take to come in grows with the square of this.
const IDLE: usize = 10_000;
const FEW_IDLE: usize = 100;

/// The names of rows that targets speak of.
const GATHERING: &str = "epoll, gathering";
const LINE_BY_LINE: &str = "epoll, line by line";
const TOKIO: &str = "tokio";
const BAREWIRE: &str = "barewire";

/// Measures and prints.
///
/// `open_files` is how many files a process may open.
pub(crate) fn measure(
    options: &Options,
    contenders: &Contenders,
    open_files: u64,
) -> io::Result<()> {
    let large = if options.short { SHORT_LARGE } else { LARGE };
    deliveries::measure(SMALL, true, options, contenders)?;
    deliveries::measure(large, false, options, contenders)?;
    memory::measure(options, contenders, open_files)
}

/// barewire's server and its peers, those that are there. ncat is for small rooms: it waits by
/// select(2), which knows no more than 1,024 files, and names all members to each whenever one comes.
/// Nor is it for a quick look, since its writes wait for one another (Nagle's algorithm).
fn rows(contenders: &Contenders, with_ncat: bool) -> Vec<Contender> {
    let ncat = contenders.peer("ncat --chat", Peer::NcatChat).discarding_output();
    let mut rows = vec![
        contenders.peer(GATHERING, Peer::GatheringChat),
        contenders.peer(LINE_BY_LINE, Peer::EpollChat),
        contenders.peer(TOKIO, Peer::TokioChat),
    ];
    rows.extend(peers::ncat().filter(|_| with_ncat).map(|_| ncat));
    // Here a few say more than a room would let them.
    let arguments = ["-q", "--rate", "0", "--history", "0", "--max-members", "10000"];
    rows.extend(contenders.barewire(BAREWIRE, "chat-server", &arguments));
    rows
}

/// The figures of the row of that name.
fn of<'a, T>(rows: &[Contender], figures: &'a [T], name: &str) -> Option<&'a T> {
    rows.iter().zip(figures).find(|(row, _)| row.name == name).map(|(_, figures)| figures)
}

/// Says so if ncat is missing.
fn print_absent(options: &Options) {
    if options.short {
        println!("  absent, and so without a row: ncat, which is not for a quick look");
    } else if peers::ncat().is_none() {
        println!("  absent, and so without a row: ncat, which is not installed");
    }
}

/// A quick look takes one round: there are many servers here.
fn rounds(options: &Options) -> usize {
    if options.short { 1 } else { options.rounds }
}

/// How long one run loads one server.
fn span(options: &Options) -> Duration {
    if options.short { options.run / 10 } else { options.run }
}

fn window(options: &Options) -> usize {
    if options.short { SHORT_WINDOW } else { WINDOW }
}

/// The shape of a measurement, for the title of its table.
fn shape(options: &Options) -> String {
    let (rounds, span) = (rounds(options), span(options));
    let plural = if rounds == 1 { "" } else { "s" };
    format!("medians of {rounds} round{plural} of {span:?}")
}

/// A line that starts with `start`, and is as long as all are.
fn line(start: &str) -> Vec<u8> {
    format!("{start:.<width$}\n", width = LINE - 1).into_bytes()
}
