//! What the measurements of chat have in common: the rows, the lines, and how much of it all.

use std::time::Duration;

use super::peers;
use crate::contenders::{Contender, Contenders, Peer};
use crate::options::Options;
use crate::series::Series;

/// Members that speak; all others only listen.
pub(super) const SENDERS: usize = 10;

/// Bytes of a line as it is sent, its line feed among them.
pub(super) const LINE: usize = 64;

/// How many lines a sender has under way, in full and for a quick look.
const WINDOW: usize = 16;
const SHORT_WINDOW: usize = 2;

/// The names of rows that targets speak of.
pub(super) const GATHERING: &str = "epoll, gathering";
pub(super) const LINE_BY_LINE: &str = "epoll, line by line";
pub(super) const TOKIO: &str = "tokio";
pub(super) const BAREWIRE: &str = "barewire";

/// What is measured of a contender: deliveries a second, the server's microseconds a delivery, and
/// the members' share of a processor; and, if the room is small enough for all of them to keep pace,
/// the median and the 99th percentile of the microseconds that a delivery takes.
pub(super) type Figures = [Series; 5];

/// barewire's server and its peers, those that are there. ncat is for small rooms: it waits by
/// select(2), which knows no more than 1,024 files, and names all members to each whenever one comes.
/// Nor is it for a quick look, since its writes wait for one another (Nagle's algorithm).
pub(super) fn rows(contenders: &Contenders, with_ncat: bool) -> Vec<Contender> {
    let ncat = contenders.peer("ncat --chat", Peer::NcatChat).discarding_output();
    let mut rows = vec![
        contenders.peer(GATHERING, Peer::GatheringChat),
        contenders.peer(LINE_BY_LINE, Peer::EpollChat),
        contenders.peer(TOKIO, Peer::TokioChat),
    ];
    rows.extend(peers::ncat().filter(|_| with_ncat).map(|_| ncat));
    rows.extend(barewire(contenders));
    rows
}

/// barewire's server, unless only the peers are wanted. Here a few say more than a room would let them.
pub(super) fn barewire(contenders: &Contenders) -> Option<Contender> {
    let arguments = [
        ["-q", "--rate", "0"].as_slice(),
        &["--history", "0", "--max-members", "10000", "--max-per-source", "10000"],
    ]
    .concat();
    contenders.barewire(BAREWIRE, "chat-server", &arguments)
}

/// The figures of the row of that name.
pub(super) fn of<'a, T>(rows: &[Contender], figures: &'a [T], name: &str) -> Option<&'a T> {
    rows.iter().zip(figures).find(|(row, _)| row.name == name).map(|(_, figures)| figures)
}

/// Says so if ncat is missing.
pub(super) fn print_absent(options: &Options) {
    if options.short {
        println!("  absent, and so without a row: ncat, which is not for a quick look");
    } else if peers::ncat().is_none() {
        println!("  absent, and so without a row: ncat, which is not installed");
    }
}

/// A quick look takes one round: there are many servers here.
pub(super) fn rounds(options: &Options) -> usize {
    if options.short { 1 } else { options.rounds }
}

/// How long one run loads one server.
pub(super) fn span(options: &Options) -> Duration {
    if options.short { options.run / 10 } else { options.run }
}

pub(super) fn window(options: &Options) -> usize {
    if options.short { SHORT_WINDOW } else { WINDOW }
}

/// The shape of a measurement, for the title of its table.
pub(super) fn shape(options: &Options) -> String {
    let (rounds, span) = (rounds(options), span(options));
    let plural = if rounds == 1 { "" } else { "s" };
    format!("medians of {rounds} round{plural} of {span:?}")
}

/// A line that starts with `start`, and is as long as all are.
pub(super) fn line(start: &str) -> Vec<u8> {
    format!("{start:.<width$}\n", width = LINE - 1).into_bytes()
}
