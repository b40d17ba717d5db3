//! Round trips: one datagram at a time.
//!
//! Servers differ in them by less than one measurement of the same server does from the next. So all of
//! a round's servers run at once, and take turns that are short against what changes on a machine.

use std::io;

use crate::contenders::Contender;
use crate::load_datagrams::round_trip;
use crate::machine::Spent;
use crate::options::Options;
use crate::process::Server;
use crate::series::{Rounds, Series, with_culprit};

const TITLE: &str = "round trips";

/// How many turns each server gets in a round.
const TURNS: u32 = 10;

/// The microseconds of a round trip with each of `contenders`, round by round: medians of the turns,
/// each of which gives a median itself.
///
/// # Errors
///
/// A server that does not start, or does not answer.
pub(crate) fn side_by_side(contenders: &[Contender], options: &Options) -> io::Result<Rounds<1>> {
    let mut others = Vec::new();
    let mut table = vec![Vec::new(); contenders.len()];
    for round in 1..=options.rounds {
        eprintln!("{TITLE}: round {round} of {}", options.rounds);
        let before = Spent::now()?;
        for (figures, turns) in table.iter_mut().zip(in_turns(contenders, options)?) {
            figures.push(turns.median());
        }
        others.push(Spent::now()?.others_since(&before));
    }
    let figures = table.into_iter().map(|figures| [Series::from_iter(figures)]).collect();
    Ok(Rounds { figures, others: Series::from_iter(others) })
}

fn in_turns(contenders: &[Contender], options: &Options) -> io::Result<Vec<Series>> {
    let start = |contender: &Contender| {
        contender.start().map_err(|error| with_culprit(TITLE, contender, &error))
    };
    let servers: Vec<Server> = contenders.iter().map(start).collect::<io::Result<_>>()?;
    let span = options.run / 4 / TURNS;
    let mut turns = vec![Vec::new(); servers.len()];
    // The first turn does not count.
    for turn in 0..=TURNS {
        for ((contender, server), times) in contenders.iter().zip(&servers).zip(&mut turns) {
            // On two processors, a round trip is mostly the wait for an idle one to wake, and whether
            // there are two is the scheduler's choice of the moment: the same server shows 15 µs in
            // one run and 60 µs in the next.
            let time = server.on_one_processor(|| round_trip(server.address(), span));
            let time = time.map_err(|error| with_culprit(TITLE, contender, &error))?;
            if turn > 0 {
                times.push(time.as_secs_f64() * 1e6);
            }
        }
    }
    servers.into_iter().try_for_each(Server::stop)?;
    Ok(turns.into_iter().map(Series::from_iter).collect())
}
