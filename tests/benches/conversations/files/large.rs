//! One large file, unverified: how fast it comes, and what it costs the server.
//!
//! With one client, the server has one processor, and the client the others.

use std::io;

use super::folder::Folder;
use super::form::Form;
use super::load_large;
use super::row::{Row, Rows, Target, costed, of, present, print_absent, print_targets};
use super::setup::{MIB, large_size, shape, size_words, span};
use super::{contents, download};
use crate::contenders::{Contenders, Peer};
use crate::options::Options;
use crate::series::{Rounds, Series, side_by_side};
use crate::table::{self, Goal, count, percent, ratio};

/// The names of rows that targets speak of.
const SENDFILE: &str = "sendfile";
const TOKIO: &str = "tokio, copy";
const NGINX: &str = "nginx";
const PAIRED_NGINX: &str = "nginx, 2 workers";
const BAREWIRE: &str = "barewire";
const PAIRED_BAREWIRE: &str = "barewire, 2 threads";

/// A file whose contents are checked before each run, in bytes.
const CHECKED: usize = 1 << 20;

/// Measures and prints.
pub(super) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let size = large_size(options);
    let folder = Folder::with_room(size)?;
    folder.write_large(size)?;
    folder.write("checked", &contents::noise(1, CHECKED))?;
    let served = folder.served();
    let rows = Rows { contenders, folder: &served };
    let one = [
        rows.peer(SENDFILE, Peer::SendfileFiles),
        rows.nginx(NGINX, Peer::NginxFiles, Form::Http),
        rows.peer(TOKIO, Peer::TokioFiles),
        rows.barewire(BAREWIRE, Form::Plain, &["-q"]),
        rows.barewire("barewire, framed", Form::Framed, &["-q"]),
    ];
    let one_goals = [
        ("MiB/s, of sendfile", [BAREWIRE, SENDFILE], 0, Goal::AtLeast(0.97)),
        ("MiB/s, of nginx", [BAREWIRE, NGINX], 0, Goal::AtLeast(1.1)),
        ("MiB/s, of tokio", [BAREWIRE, TOKIO], 0, Goal::AtLeast(10.0)),
        ("CPU a GiB, of nginx", [BAREWIRE, NGINX], 1, Goal::AtMost(1.0)),
    ];
    table(options, 1, &present(one), NGINX, &one_goals)?;

    let pair = ["-q", "--threads", "2"];
    let four = [
        rows.peer(SENDFILE, Peer::SendfileFiles),
        rows.nginx(NGINX, Peer::NginxFiles, Form::Http),
        rows.nginx(PAIRED_NGINX, Peer::PairedNginxFiles, Form::Http),
        rows.peer(TOKIO, Peer::TokioFiles),
        rows.barewire(BAREWIRE, Form::Plain, &["-q"]),
        rows.barewire(PAIRED_BAREWIRE, Form::Plain, &pair),
    ];
    let four_goals = [
        ("MiB/s, of sendfile", [BAREWIRE, SENDFILE], 0, Goal::AtLeast(0.95)),
        ("2 threads: MiB/s, of nginx", [PAIRED_BAREWIRE, PAIRED_NGINX], 0, Goal::AtLeast(1.0)),
        ("2 threads: MiB/s, of tokio", [PAIRED_BAREWIRE, TOKIO], 0, Goal::AtLeast(10.0)),
        ("2 threads: CPU a GiB, of nginx", [PAIRED_BAREWIRE, PAIRED_NGINX], 1, Goal::AtMost(1.0)),
    ];
    table(options, 4, &present(four), PAIRED_NGINX, &four_goals)
}

fn table(
    options: &Options,
    clients: usize,
    rows: &[Row],
    nginx: &str,
    goals: &[Target<'_>],
) -> io::Result<()> {
    let size = large_size(options);
    let clients_words =
        if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") };
    let title = format!("files, {clients_words}");
    let Rounds { figures, others } =
        side_by_side(&title, rows, options.rounds, |row| load(row, options, clients))?;

    let sendfile = &figures[0];
    let nginx = of(rows, &figures, nginx);
    let cells = rows.iter().zip(&figures).map(|(row, [rate, cost, load])| {
        let of_nginx = |series: &Series, figure: usize| {
            nginx.map_or_else(|| "-".to_owned(), |base| ratio(series.over(&base[figure]).median()))
        };
        vec![
            row.contender.name.to_owned(),
            count(rate.median()),
            ratio(rate.over(&sendfile[0]).median()),
            of_nginx(rate, 0),
            ratio(cost.median()),
            ratio(cost.over(&sendfile[1]).median()),
            of_nginx(cost, 1),
            percent(load.median()),
        ]
    });
    table::print(
        &format!(
            "files: {} from memory, unverified, {clients_words}, {}",
            size_words(size),
            shape(options)
        ),
        &["", "MiB/s", "of sendfile", "of nginx", "CPU s/GiB", "of sendfile", "of nginx", "load"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    print_absent(&["nginx"]);
    print_targets(rows, &figures, goals);
    Ok(())
}

/// MiB a second, the server's seconds a GiB, and the clients' share of a processor.
fn load(row: &Row, options: &Options, clients: usize) -> io::Result<[f64; 3]> {
    let server = row.contender.start()?;
    download::check(server.address(), row.form, "checked", &contents::noise(1, CHECKED))?;
    let run =
        || load_large::run(server.address(), row.form, large_size(options), clients, span(options));
    let (run, spent) = costed(&server, || match clients {
        // Where the scheduler puts two busy threads is chance, and worth a factor of two.
        1 => server.apart(run),
        _ => run(),
    })?;
    server.stop()?;
    Ok([
        run.in_time as f64 / MIB / span(options).as_secs_f64(),
        spent.as_secs_f64() * 1024.0 * MIB / run.received as f64,
        run.load.as_secs_f64() / run.elapsed.as_secs_f64(),
    ])
}
