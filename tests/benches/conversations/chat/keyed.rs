//! Deliveries a second in a room that is held under a key.

use std::io;

use super::crowd::Crowd;
use super::flood;
use super::setup::{LINE, SENDERS, barewire, rounds, shape, span, window};
use crate::contenders::{Contender, Contenders};
use crate::key::KeyFile;
use crate::options::Options;
use crate::series::{Rounds, side_by_side};
use crate::table::{self, Goal, count, percent, ratio};

/// Measures and prints, with so many members.
pub(super) fn measure(
    members: usize,
    options: &Options,
    contenders: &Contenders,
    file: &KeyFile,
) -> io::Result<()> {
    let rows: Vec<Contender> =
        barewire(contenders).map(|row| row.keyed(file)).into_iter().collect();
    let Rounds { figures, others } =
        side_by_side("keyed chat", &rows, rounds(options), |contender| {
            load(contender, members, options)
        })?;
    let cells = rows.iter().zip(&figures).map(|(contender, [rate, cost, load])| {
        vec![
            contender.name.to_owned(),
            count(rate.median() * 1e6),
            ratio(cost.median()),
            percent(load.median()),
        ]
    });
    table::print(
        &format!(
            "keyed chat: {} members, {SENDERS} of them with {} lines of {LINE} bytes each under way, {}",
            count(members as f64),
            window(options),
            shape(options),
        ),
        &["", "deliveries/s", "CPU µs", "load"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    if let Some([rate, ..]) = figures.first() {
        table::print_goals(&[("million deliveries/s", rate.clone(), Goal::AtLeast(1.0))]);
    }
    Ok(())
}

/// Millions of deliveries a second, the server's microseconds a delivery, and the members' share of a processor.
fn load(contender: &Contender, members: usize, options: &Options) -> io::Result<[f64; 3]> {
    let server = contender.start()?;
    let mut crowd = Crowd::gather_keyed(&server, members)?;
    crowd.check(&server)?;
    let before = server.processor_time()?;
    let run = flood::run(&server, &mut crowd, window(options), span(options))?;
    let spent = server.processor_time()?.saturating_sub(before);
    let (deliveries, seconds) = (run.deliveries as f64, run.elapsed.as_secs_f64());
    Ok([
        deliveries / seconds / 1e6,
        spent.as_secs_f64() * 1e6 / deliveries,
        run.load.as_secs_f64() / seconds,
    ])
}
