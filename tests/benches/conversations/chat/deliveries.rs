//! Deliveries a second, and what one costs the server.

use std::io;

use super::crowd::Crowd;
use super::setup::{
    BAREWIRE, Figures, GATHERING, LINE, SENDERS, TOKIO, of, print_absent, rounds, rows, shape,
    span, window,
};
use super::{flood, latency};
use crate::contenders::{Contender, Contenders};
use crate::options::Options;
use crate::series::{Rounds, side_by_side};
use crate::table::{self, Goal, count, percent, ratio};

/// Measures and prints, with so many members; in a `small` room also how long a delivery takes.
pub(super) fn measure(
    members: usize,
    small: bool,
    options: &Options,
    contenders: &Contenders,
) -> io::Result<()> {
    let rows = rows(contenders, small && !options.short);
    let title = format!("chat, {members} members");
    let Rounds { figures, others } = side_by_side(&title, &rows, rounds(options), |contender| {
        load(contender, members, small, options)
    })?;

    print(members, options, &rows, &figures);
    if small {
        latency::print(members, options, &rows, &figures);
    }
    table::print_others(&others);
    if small {
        print_absent(options);
    }
    let [gathering, tokio] = [GATHERING, TOKIO].map(|name| of(&rows, &figures, name));
    if let (Some(barewire), Some([gathering, ..]), Some([tokio, ..])) =
        (of(&rows, &figures, BAREWIRE), gathering, tokio)
    {
        let mut goals = vec![
            ("deliveries/s, of gathering", barewire[0].over(gathering), Goal::AtLeast(0.95)),
            ("deliveries/s, of tokio", barewire[0].over(tokio), Goal::AtLeast(6.0)),
        ];
        if small {
            goals.extend(latency::goals(&rows, &figures, barewire));
        }
        table::print_goals(&goals);
    }
    Ok(())
}

fn print(members: usize, options: &Options, rows: &[Contender], figures: &[Figures]) {
    let (Some(gathering), Some(tokio)) = (of(rows, figures, GATHERING), of(rows, figures, TOKIO))
    else {
        return;
    };
    let cells = rows.iter().zip(figures).map(|(contender, [rate, cost, load, ..])| {
        vec![
            contender.name.to_owned(),
            count(rate.median()),
            ratio(rate.over(&gathering[0]).median()),
            ratio(rate.over(&tokio[0]).median()),
            ratio(cost.median()),
            ratio(cost.over(&gathering[1]).median()),
            ratio(cost.over(&tokio[1]).median()),
            percent(load.median()),
        ]
    });
    table::print(
        &format!(
            "chat: {} members, {SENDERS} of them with {} lines of {LINE} bytes each under way, {}",
            count(members as f64),
            window(options),
            shape(options),
        ),
        &[
            "",
            "deliveries/s",
            "of gathering",
            "of tokio",
            "CPU µs",
            "of gathering",
            "of tokio",
            "load",
        ],
        &cells.collect::<Vec<_>>(),
    );
}

fn load(
    contender: &Contender,
    members: usize,
    small: bool,
    options: &Options,
) -> io::Result<[f64; 5]> {
    let server = contender.start()?;
    let mut crowd = Crowd::gather(&server, members)?;
    crowd.check(&server)?;
    let before = server.processor_time()?;
    let run = flood::run(&server, &mut crowd, window(options), span(options))?;
    let spent = server.processor_time()?.saturating_sub(before);
    let [half, most] =
        if small { latency::run(&server, &mut crowd, span(options))? } else { [f64::NAN; 2] };
    drop(crowd);
    drop(server);

    let (deliveries, seconds) = (run.deliveries as f64, run.elapsed.as_secs_f64());
    Ok([
        deliveries / seconds,
        spent.as_secs_f64() * 1e6 / deliveries,
        run.load.as_secs_f64() / seconds,
        half,
        most,
    ])
}
