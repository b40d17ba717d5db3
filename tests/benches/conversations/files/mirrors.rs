//! One file from two servers at once, each segment proven, beside the same file from one.
//!
//! On one machine two servers have no more to give than one, so all that can be seen is what the second
//! costs: it hashes the whole file as well, before anything is taken from it. Where each is held to a rate,
//! what it gives.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::folder::{Folder, LARGE};
use super::row::{of, present, print_targets};
use super::setup::{MIB, large_size, size_words};
use super::verified::{check, hash};
use crate::contenders::{Contender, Contenders};
use crate::options::Options;
use crate::process::{Server, succeed};
use crate::series::{Named, Rounds, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// The names of rows that targets speak of.
const ONE: &str = "barewire, one server";
const TWO: &str = "barewire, two";
const SLOW_ONE: &str = "barewire, one, held to a rate";
const SLOW_TWO: &str = "barewire, two, each held to it";

/// The rates, of bytes a second: the large file takes two seconds, and the one of a quick look a quarter.
const RATE: &str = "512M";
const SHORT_RATE: &str = "64M";

/// So many servers, and the client.
struct Way {
    server: Contender,
    servers: usize,
    client: PathBuf,
}

impl Named for Way {
    fn name(&self) -> &str {
        self.server.name
    }
}

/// Measures and prints.
pub(super) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let size = large_size(options);
    let folder = Folder::with_room(2 * size)?;
    folder.write_large(size)?;
    let files = folder.served();
    let expected = hash(&files.join(LARGE))?;
    let rate = if options.short { SHORT_RATE } else { RATE };
    let way = |name, servers, arguments: &[&'static str]| {
        let server = contenders.barewire(name, "file-server", arguments)?.within(&files);
        Some(Way { server, servers, client: contenders.program("file-client")? })
    };
    let ways = present([
        way(ONE, 1, &["-q"]),
        way(TWO, 2, &["-q"]),
        way(SLOW_ONE, 1, &["-q", "--limit-rate", rate]),
        way(SLOW_TWO, 2, &["-q", "--limit-rate", rate]),
    ]);
    let Rounds { figures, others } =
        side_by_side("mirrors", &ways, options.rounds, |way| download(way, &folder, &expected))?;

    let one = of(&ways, &figures, ONE);
    let cells = ways.iter().zip(&figures).map(|(way, [speed])| {
        vec![
            way.name().to_owned(),
            count(speed.median()),
            one.map_or_else(|| "-".to_owned(), |one| ratio(speed.over(&one[0]).median())),
        ]
    });
    table::print(
        &format!(
            "files: {} verified from mirrors, medians of {} rounds",
            size_words(size),
            options.rounds
        ),
        &["", "MiB/s", "of one"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    let goals = [
        ("two: MiB/s, of one", [TWO, ONE], 0, Goal::AtLeast(0.9)),
        ("two held to a rate: MiB/s, of one", [SLOW_TWO, SLOW_ONE], 0, Goal::AtLeast(1.0)),
    ];
    print_targets(&ways, &figures, &goals);
    Ok(())
}

/// MiB a second.
fn download(way: &Way, folder: &Folder, expected: &blake3::Hash) -> io::Result<[f64; 1]> {
    let start = |_| way.server.start();
    let servers = (0..way.servers).map(start).collect::<io::Result<Vec<_>>>()?;
    let target = folder.empty("downloads")?;
    let started = Instant::now();
    succeed(&mut client(way, &servers, &target))?;
    let elapsed = started.elapsed();
    let file = target.join(LARGE);
    check(hash(&file)?, expected)?;
    let size = file.metadata()?.len() as f64 / MIB;
    folder.empty("downloads")?;
    servers.into_iter().try_for_each(Server::stop)?;
    Ok([size / elapsed.as_secs_f64()])
}

fn client(way: &Way, servers: &[Server], target: &Path) -> Command {
    let mut command = Command::new(&way.client);
    command.args(["-q", "-d"]).arg(target);
    for (number, server) in servers.iter().enumerate() {
        if number > 0 {
            command.arg("--mirror");
        }
        command.arg(server.address().to_string());
        if number == 0 {
            command.arg(LARGE);
        }
    }
    command
}
