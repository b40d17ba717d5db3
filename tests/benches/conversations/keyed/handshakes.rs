//! Keyed handshakes: what one costs the server beside what the curve alone costs it.

use std::hint::black_box;
use std::io;
use std::time::Duration;

use x25519_dalek::{PublicKey, StaticSecret};

use super::load_handshakes;
use crate::contenders::{Contender, Contenders};
use crate::key::{KeyFile, chance};
use crate::load_hello::AT_ONCE;
use crate::options::Options;
use crate::process::own_processor_time;
use crate::series::{Named, Rounds, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// What takes its turn.
enum Row {
    /// A server's two multiplications on the curve, and nothing else.
    Curve,
    Server(Contender),
}

impl Named for Row {
    fn name(&self) -> &str {
        match self {
            Self::Curve => "the curve alone",
            Self::Server(contender) => contender.name(),
        }
    }
}

pub(super) fn measure(
    options: &Options,
    contenders: &Contenders,
    file: &KeyFile,
) -> io::Result<()> {
    let server = contenders.barewire("barewire", "tcp-server", &["-q"]);
    let rows: Vec<Row> = [Some(Row::Curve), server.map(|server| Row::Server(server.keyed(file)))]
        .into_iter()
        .flatten()
        .collect();
    let Rounds { figures, others } =
        side_by_side("keyed handshakes", &rows, options.rounds, |row| match row {
            Row::Curve => curve(options.run),
            Row::Server(contender) => load(contender, options.run),
        })?;
    let cells = rows.iter().zip(&figures).map(|(row, [rate, cost])| {
        vec![
            row.name().to_owned(),
            count(rate.median()),
            ratio(cost.median()),
            ratio(cost.over(&figures[0][1]).median()),
        ]
    });
    table::print(
        &format!("keyed handshakes: {AT_ONCE} at once, {}", options.shape()),
        &["", "handshakes/s", "server CPU µs", "of the curve"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    if let [[_, curve], [_, server]] = &figures[..] {
        table::print_goals(&[(
            "handshakes a core, of the curve alone",
            curve.over(server),
            Goal::AtLeast(0.8),
        )]);
    }
    Ok(())
}

/// Handshakes a second, and microseconds of a processor for each, if a server did nothing else.
fn curve(span: Duration) -> io::Result<[f64; 2]> {
    let peer = PublicKey::from(&StaticSecret::random_from_rng(&mut chance(0)));
    let mut random = chance(1);
    let before = own_processor_time()?;
    let (mut handshakes, mut spent) = (0_u32, Duration::ZERO);
    while spent < span {
        for _ in 0..100 {
            let secret = StaticSecret::random_from_rng(&mut random);
            black_box((PublicKey::from(&secret), secret.diffie_hellman(black_box(&peer))));
        }
        handshakes += 100;
        spent = own_processor_time()?.saturating_sub(before);
    }
    let each = spent.as_secs_f64() / f64::from(handshakes);
    Ok([1.0 / each, each * 1e6])
}

fn load(contender: &Contender, span: Duration) -> io::Result<[f64; 2]> {
    let server = contender.start()?;
    load_handshakes::run(server.address(), span / 20)?;
    server.settle()?;
    let before = server.processor_time()?;
    let (handshakes, elapsed) = load_handshakes::run(server.address(), span)?;
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    server.stop()?;
    let handshakes = handshakes as f64;
    Ok([handshakes / elapsed.as_secs_f64(), spent.as_secs_f64() * 1e6 / handshakes])
}
