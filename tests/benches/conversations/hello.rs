//! Hello handshakes: how many a second, and what one costs the server.

use std::io;
use std::time::Duration;

use crate::contenders::{Contender, Contenders, Peer};
use crate::load_hello::{self, AT_ONCE};
use crate::options::Options;
use crate::series::{Rounds, side_by_side};
use crate::table::{self, Goal, count, percent, ratio};

/// Measures and prints.
pub(crate) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let barewire = |name, arguments: &[_]| contenders.barewire(name, "tcp-server", arguments);
    let rows: Vec<Contender> = [
        Some(contenders.peer("epoll", Peer::EpollHello)),
        Some(contenders.peer("tokio", Peer::TokioHello)),
        Some(contenders.peer("tokio, in a task", Peer::SpawnedHello)),
        barewire("barewire", &["-q"]),
        barewire("barewire, 2 threads", &["-q", "--threads", "2"]),
        barewire("barewire, reporting", &[]).map(Contender::discarding_output),
    ]
    .into_iter()
    .flatten()
    .collect();

    let Rounds { figures, others } =
        side_by_side("hello", &rows, options.rounds, |contender| load(contender, options.run))?;

    let [epoll, tokio] = [&figures[0], &figures[1]];
    let cells = rows.iter().zip(&figures).map(|(contender, [rate, cost, load])| {
        vec![
            contender.name.to_owned(),
            count(rate.median()),
            ratio(rate.over(&epoll[0]).median()),
            ratio(rate.over(&tokio[0]).median()),
            ratio(cost.median()),
            ratio(cost.over(&epoll[1]).median()),
            ratio(cost.over(&tokio[1]).median()),
            percent(load.median()),
        ]
    });
    table::print(
        &format!("hello: {AT_ONCE} handshakes at once, {}", options.shape()),
        &["", "handshakes/s", "of epoll", "of tokio", "CPU µs", "of epoll", "of tokio", "load"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    if let Some(barewire) = figures.get(3) {
        table::print_goals(&[
            ("handshakes/s, of epoll", barewire[0].over(&epoll[0]), Goal::AtLeast(0.97)),
            ("handshakes/s, of tokio", barewire[0].over(&tokio[0]), Goal::AtLeast(1.3)),
            ("CPU a handshake, of epoll", barewire[1].over(&epoll[1]), Goal::AtMost(1.1)),
        ]);
    }
    Ok(())
}

/// Handshakes a second, the server's microseconds a handshake, and the clients' share of a processor.
fn load(contender: &Contender, span: Duration) -> io::Result<[f64; 3]> {
    let server = contender.start()?;
    load_hello::once(server.address())?;
    let before = server.processor_time()?;
    let run = load_hello::run(server.address(), span)?;
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    server.stop()?;

    let (handshakes, seconds) = (run.handshakes as f64, run.elapsed.as_secs_f64());
    Ok([
        handshakes / seconds,
        spent.as_secs_f64() * 1e6 / handshakes,
        run.load.as_secs_f64() / seconds,
    ])
}
