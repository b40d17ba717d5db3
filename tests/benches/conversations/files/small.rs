//! Small files: how many a second, and what one costs the server.

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollEvent, EpollTimeout};

use super::contents::{self, SMALL_FILES, SMALL_SIZE};
use super::folder::Folder;
use super::form::Form;
use super::load_pipelined::{self, IN_FLIGHT};
use super::row::{Row, Rows, costed, of, present, print_absent, print_targets};
use super::{load_single, shape, span};
use crate::contenders::{Contenders, Peer};
use crate::options::Options;
use crate::series::{Rounds, Series, side_by_side};
use crate::table::{self, Goal, count, percent, ratio};

/// Connections at the same time.
pub(super) const AT_ONCE: usize = 64;

/// A run in which nothing happens for so long has failed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The names of rows that targets speak of.
const NGINX: &str = "nginx, 2 workers";
const BAREWIRE: &str = "barewire, 2 threads";
const PIPELINED: &str = "barewire, 2 threads, pipelined";
const NGINX_PIPELINED: &str = "nginx, 2 workers, pipelined";

/// What one run came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Files fetched, each checked byte for byte.
    pub(super) files: u64,
    /// From the first connection to the end of the last.
    pub(super) elapsed: Duration,
    /// Processor time that the clients took.
    pub(super) load: Duration,
}

/// The files, and the requests for them.
#[derive(Debug)]
pub(super) struct SmallFiles {
    /// By number.
    pub(super) contents: Vec<Vec<u8>>,
    /// All requests, and the first of them once more behind the last.
    requests: Vec<u8>,
    /// The length of each of them.
    request: usize,
}

impl SmallFiles {
    fn new(form: Form) -> Self {
        let name = |index| contents::small_name(index % SMALL_FILES);
        let requests = (0..SMALL_FILES + IN_FLIGHT).flat_map(|index| form.request(&name(index)));
        let request = form.request(&name(0)).len();
        Self { contents: contents::small(), requests: requests.collect(), request }
    }

    /// The request for a file.
    pub(super) fn request(&self, file: usize) -> &[u8] {
        self.requests(file, 1)
    }

    /// The requests for `count` files, [`IN_FLIGHT`] at most.
    pub(super) fn requests(&self, first: usize, count: usize) -> &[u8] {
        &self.requests[first * self.request..(first + count) * self.request]
    }

    /// Compares every byte of the contents in `answer`.
    pub(super) fn check(&self, form: Form, file: usize, answer: &[u8]) -> io::Result<()> {
        let head = form.head(answer)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        if answer[head.length..] != self.contents[file] {
            let name = contents::small_name(file);
            return Err(io::Error::other(format!("{name} has arrived with other contents")));
        }
        Ok(())
    }
}

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
        rows.barewire("barewire", Form::Plain, &["-q"]),
        rows.barewire(BAREWIRE, Form::Plain, &pair),
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

/// Waits until some clients can go on, and returns how many.
pub(super) fn wait(epoll: &Epoll, events: &mut [EpollEvent]) -> io::Result<usize> {
    let patience = EpollTimeout::try_from(PATIENCE).unwrap_or(EpollTimeout::MAX);
    match epoll.wait(events, patience) {
        Ok(0) => Err(io::Error::new(io::ErrorKind::TimedOut, "nothing comes any more")),
        Ok(ready) => Ok(ready),
        Err(Errno::EINTR) => Ok(0),
        Err(error) => Err(error.into()),
    }
}

/// The client that an event is about.
pub(super) fn slot(event: &EpollEvent) -> usize {
    usize::try_from(event.data()).expect("epoll returns the slots it was given")
}
