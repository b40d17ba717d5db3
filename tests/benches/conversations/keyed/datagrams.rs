//! Keyed datagrams: how many a second, and what one costs the server.

use std::io;
use std::time::Duration;

use super::load_datagrams;
use crate::contenders::{Contender, Contenders, Peer};
use crate::key::KeyFile;
use crate::load_datagrams::{IN_FLIGHT, REQUEST};
use crate::options::Options;
use crate::series::{Rounds, side_by_side};
use crate::table::{self, Goal, count, ratio};

pub(super) fn measure(
    options: &Options,
    contenders: &Contenders,
    file: &KeyFile,
) -> io::Result<()> {
    let arguments = ["-q", "--rate", "0", "--total-rate", "0"];
    let server = contenders.barewire("barewire", "udp-server", &arguments);
    let rows: Vec<Contender> = [
        Some(contenders.peer("mmsg, sealing", Peer::SealingDatagrams)),
        server.map(|server| server.keyed(file)),
    ]
    .into_iter()
    .flatten()
    .collect();
    let Rounds { figures, others } =
        side_by_side("keyed datagrams", &rows, options.rounds, |contender| {
            load(contender, options.run)
        })?;
    let cells = rows.iter().zip(&figures).map(|(contender, [rate, cost, lost])| {
        vec![
            contender.name.to_owned(),
            count(rate.median()),
            ratio(rate.over(&figures[0][0]).median()),
            ratio(cost.median()),
            ratio(cost.over(&figures[0][1]).median()),
            count(lost.median()),
        ]
    });
    table::print(
        &format!(
            "keyed datagrams: {} bytes, {IN_FLIGHT} in flight, {}",
            REQUEST.len(),
            options.shape()
        ),
        &["", "datagrams/s", "of mmsg", "CPU µs", "of mmsg", "lost"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    if let [[limit, ..], [server, ..]] = &figures[..] {
        table::print_goals(&[(
            "datagrams/s, of mmsg with sealing",
            server.over(limit),
            Goal::AtLeast(0.7),
        )]);
    }
    Ok(())
}

/// Datagrams a second, the server's microseconds a datagram, and losses.
fn load(contender: &Contender, span: Duration) -> io::Result<[f64; 3]> {
    let server = contender.start()?;
    let before = server.processor_time()?;
    let run = load_datagrams::run(server.address(), span)?;
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    server.stop()?;
    let replies = run.replies as f64;
    Ok([replies / run.elapsed.as_secs_f64(), spent.as_secs_f64() * 1e6 / replies, run.lost as f64])
}
