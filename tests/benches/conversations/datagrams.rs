//! Datagram exchanges: how many a second, what one costs the server, and how long one takes.

use std::io;
use std::time::Duration;

use crate::contenders::{Contender, Contenders, Peer};
use crate::load_datagrams::{self, IN_FLIGHT, REQUEST};
use crate::options::Options;
use crate::round_trips;
use crate::series::{Rounds, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// Measures and prints.
pub(crate) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    // The load comes from one source, which the server would rightly slow down.
    let arguments = ["-q", "--rate", "0", "--total-rate", "0"];
    let rows: Vec<Contender> = [
        Some(contenders.peer("mmsg", Peer::MmsgDatagrams)),
        Some(contenders.peer("tokio", Peer::TokioDatagrams)),
        Some(contenders.peer("tokio, in a task", Peer::SpawnedDatagrams)),
        contenders.barewire("barewire", "udp-server", &arguments),
    ]
    .into_iter()
    .flatten()
    .collect();

    let trips = round_trips::side_by_side(&rows, options)?;
    let Rounds { figures, others } =
        side_by_side("datagrams", &rows, options.rounds, |contender| load(contender, options.run))?;

    let [mmsg, tokio] = [&figures[0], &figures[1]];
    let cells = rows.iter().zip(&figures).zip(&trips.figures).map(
        |((contender, figures), [round_trip])| {
            let [rate, cost, lost] = figures;
            vec![
                contender.name.to_owned(),
                count(rate.median()),
                ratio(rate.over(&mmsg[0]).median()),
                ratio(rate.over(&tokio[0]).median()),
                ratio(cost.median()),
                ratio(cost.over(&mmsg[1]).median()),
                ratio(cost.over(&tokio[1]).median()),
                ratio(round_trip.median()),
                ratio(round_trip.over(&trips.figures[0][0]).median()),
                count(lost.median()),
            ]
        },
    );
    table::print(
        &format!("datagrams: {} bytes, {IN_FLIGHT} in flight, {}", REQUEST.len(), options.shape()),
        &[
            "",
            "datagrams/s",
            "of mmsg",
            "of tokio",
            "CPU µs",
            "of mmsg",
            "of tokio",
            "round trip µs",
            "of mmsg",
            "lost",
        ],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others.chain(trips.others));
    if let (Some(barewire), Some([round_trip])) = (figures.get(3), trips.figures.get(3)) {
        table::print_goals(&[
            ("datagrams/s, of mmsg", barewire[0].over(&mmsg[0]), Goal::AtLeast(0.95)),
            ("datagrams/s, of tokio", barewire[0].over(&tokio[0]), Goal::AtLeast(1.8)),
            ("CPU a datagram, of tokio", barewire[1].over(&tokio[1]), Goal::AtMost(0.5)),
            ("round trip, of mmsg", round_trip.over(&trips.figures[0][0]), Goal::AtMost(1.0)),
        ]);
    }
    Ok(())
}

/// Datagrams a second, the server's microseconds a datagram, and losses.
fn load(contender: &Contender, span: Duration) -> io::Result<[f64; 3]> {
    let server = contender.start()?;
    let before = server.processor_time()?;
    let run = load_datagrams::run(server.address(), IN_FLIGHT, span)?;
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    server.stop()?;

    let replies = run.replies as f64;
    Ok([replies / run.elapsed.as_secs_f64(), spent.as_secs_f64() * 1e6 / replies, run.lost as f64])
}
