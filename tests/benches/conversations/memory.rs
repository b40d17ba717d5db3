//! Silent connections: what each costs the server in memory, and a new client in time.
//!
//! Memory is the server's own. What the kernel keeps for a connection, several times as much, is the
//! same for every server, and no server's doing.

use std::io;
use std::time::Duration;

use crate::contenders::{Contender, Contenders, Peer};
use crate::load_hello;
use crate::options::Options;
use crate::process::Server;
use crate::series::{Rounds, side_by_side};
use crate::table::{self, Goal, count};

/// Connections held open, if the system lets a process have so many files.
const SILENT: u64 = 10_000;

/// Files that are no connection: programs, pipes, epoll.
const OTHER_FILES: u64 = 100;

/// Handshakes whose median is the time for a new client.
const NEW_CLIENTS: usize = 101;

/// Measures and prints.
///
/// `open_files` is how many files a process may open.
pub(crate) fn measure(
    options: &Options,
    contenders: &Contenders,
    open_files: u64,
) -> io::Result<()> {
    let silent = SILENT.min(open_files.saturating_sub(OTHER_FILES));
    let silent = usize::try_from(silent).expect("at most 10,000");
    let arguments = ["-q", "--timeout", "1h", "--max-clients", "20000"];
    let rows: Vec<Contender> = [
        Some(contenders.peer("tokio", Peer::TokioHello)),
        contenders.barewire("barewire", "tcp-server", &arguments),
    ]
    .into_iter()
    .flatten()
    .collect();

    let Rounds { figures, others } =
        side_by_side("memory", &rows, options.rounds, |contender| hold(contender, silent))?;

    let cells = rows.iter().zip(&figures).map(|(contender, [bytes, time])| {
        vec![contender.name.to_owned(), count(bytes.median()), count(time.median())]
    });
    table::print(
        &format!(
            "memory: {} silent connections, medians of {} rounds",
            count(silent as f64),
            options.rounds
        ),
        &["", "bytes a connection", "µs for a new client"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    if let Some(barewire) = figures.get(1) {
        let below = Goal::AtMost(2048.0);
        table::print_goals(&[("bytes a connection", barewire[0].clone(), below)]);
    }
    Ok(())
}

/// The server's bytes a connection, and the microseconds that a new client takes.
fn hold(contender: &Contender, silent: usize) -> io::Result<[f64; 2]> {
    let server = contender.start()?;
    // What is set up for the first clients, however many follow, is not counted as theirs.
    new_client(&server)?;
    server.settle()?;
    let before = server.private_bytes()?;

    let held = (0..silent)
        .map(|_| load_hello::fall_silent(server.address()))
        .collect::<io::Result<Vec<_>>>()?;
    server.settle()?;
    let grown = server.private_bytes()?.saturating_sub(before);

    let time = new_client(&server)?;
    if server.open_files()? < silent {
        return Err(io::Error::other("it has closed silent connections"));
    }
    drop(held);
    server.stop()?;
    Ok([grown as f64 / silent as f64, time.as_secs_f64() * 1e6])
}

/// The median of [`NEW_CLIENTS`] handshakes, one after another.
fn new_client(server: &Server) -> io::Result<Duration> {
    let mut times = (0..NEW_CLIENTS)
        .map(|_| load_hello::once(server.address()))
        .collect::<io::Result<Vec<_>>>()?;
    times.sort_unstable();
    Ok(times[NEW_CLIENTS / 2])
}
