//! Small files: how many a second, and what one costs the server.

use std::io;
use std::time::Duration;

use super::contents::{self, SMALL_FILES, SMALL_SIZE};
use super::folder::Folder;
use super::form::Form;
use super::row::{Row, Rows, costed, of, present, print_absent, print_targets};
use super::setup::{shape, span};
use super::small_files::{AT_ONCE, IN_FLIGHT, SmallFiles};
use super::{load_pipelined, load_single};
use crate::contenders::{Contenders, Peer};
use crate::options::Options;
use crate::series::{Rounds, Series, side_by_side};
use crate::table::{self, Goal, count, percent, ratio};

/// The names of rows that targets speak of.
const NGINX: &str = "nginx, 2 workers";
const BAREWIRE: &str = "barewire";
const PAIRED_BAREWIRE: &str = "barewire, 2 threads";
const PIPELINED: &str = "barewire, 2 threads, pipelined";
const NGINX_PIPELINED: &str = "nginx, 2 workers, pipelined";

/// Measures and prints.
pub(super) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let folder = Folder::with_room((SMALL_FILES * SMALL_SIZE * 4) as u64)?;
    for (index, contents) in contents::small().iter().enumerate() {
        folder.write(&contents::small_name(index), contents)?;
    }
    let served = folder.served();
    let rows = Rows { contenders, folder: &served };
    let pair = ["-q", "--threads", "2"];
    let rows = present([
        rows.peer("sendfile", Peer::SendfileFiles),
        rows.nginx(NGINX, Peer::PairedNginxFiles, Form::Http),
        rows.peer("tokio, copy", Peer::TokioFiles),
        rows.barewire(BAREWIRE, Form::Plain, &["-q"]),
        rows.barewire(PAIRED_BAREWIRE, Form::Plain, &pair),
        rows.nginx(NGINX_PIPELINED, Peer::PairedNginxFiles, Form::HttpKept),
        rows.barewire(PIPELINED, Form::Framed, &pair),
    ]);
    let Rounds { figures, others } =
        side_by_side("small files", &rows, options.rounds, |row| load(row, span(options)))?;

    let nginx = of(&rows, &figures, NGINX);
    let cells = rows.iter().zip(&figures).map(|(row, [rate, cost, load])| {
        let of_nginx = |series: &Series, figure: usize| {
            nginx.map_or_else(|| "-".to_owned(), |base| ratio(series.over(&base[figure]).median()))
        };
        vec![
            row.contender.name.to_owned(),
            count(rate.median()),
            of_nginx(rate, 0),
            ratio(cost.median()),
            of_nginx(cost, 1),
            percent(load.median()),
        ]
    });
    table::print(
        &format!(
            "files: {} of {SMALL_SIZE} bytes, one a connection, {AT_ONCE} at once; pipelined, \
             {IN_FLIGHT} in flight on each of {AT_ONCE}; {}",
            count(SMALL_FILES as f64),
            shape(options),
        ),
        &["", "files/s", "of nginx", "CPU µs", "of nginx", "load"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    print_absent(&["nginx"]);
    let goals = [
        ("files/s, of nginx", [BAREWIRE, NGINX], 0, Goal::AtLeast(1.0)),
        ("2 threads: files/s, of nginx", [PAIRED_BAREWIRE, NGINX], 0, Goal::AtLeast(1.0)),
        ("pipelined files/s, of nginx", [PIPELINED, NGINX], 0, Goal::AtLeast(5.0)),
        ("of nginx pipelined", [PIPELINED, NGINX_PIPELINED], 0, Goal::AtLeast(1.0)),
    ];
    print_targets(&rows, &figures, &goals);
    Ok(())
}

/// Files a second, the server's microseconds a file, and the clients' share of a processor.
fn load(row: &Row, span: Duration) -> io::Result<[f64; 3]> {
    let files = SmallFiles::new(row.form);
    let server = row.contender.start()?;
    super::download::check(
        server.address(),
        row.form,
        &contents::small_name(0),
        &files.contents[0],
    )?;
    let (run, spent) = costed(&server, || match row.form {
        Form::Plain | Form::Http => load_single::run(server.address(), row.form, &files, span),
        Form::Framed | Form::HttpKept => {
            load_pipelined::run(server.address(), row.form, &files, span)
        }
    })?;
    server.stop()?;
    let (files, seconds) = (run.files as f64, run.elapsed.as_secs_f64());
    Ok([files / seconds, spent.as_secs_f64() * 1e6 / files, run.load.as_secs_f64() / seconds])
}
