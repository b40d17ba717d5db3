//! A tree of many small files: fetched whole, and looked through when nothing has changed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use super::contents::{SMALL_SIZE, noise};
use super::folder::Folder;
use super::row::{of, present, print_absent, print_targets};
use crate::binaries::installed;
use crate::contenders::{Contender, Contenders, Peer};
use crate::options::Options;
use crate::process::{Server, succeed};
use crate::series::{Named, Rounds, Series, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// The names of rows that targets speak of.
const RSYNC: &str = "rsync, from its daemon";
const BAREWIRE: &str = "barewire";

/// Files in a folder of the tree.
const IN_A_FOLDER: usize = 100;

/// A server, and the client that fetches from it.
struct Pair {
    contender: Contender,
    client: Client,
}

enum Client {
    Rsync(PathBuf),
    Barewire(PathBuf),
}

impl Named for Pair {
    fn name(&self) -> &str {
        self.contender.name
    }
}

/// Measures and prints.
pub(super) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let folders = if options.short { 5 } else { 100 };
    let files = folders * IN_A_FOLDER;
    // Most of a page is lost to each, on both sides.
    let folder = Folder::with_room((files * 4096 * 2) as u64)?;
    for number in 0..files {
        folder.write(&name(number), &noise(number as u64, SMALL_SIZE))?;
    }
    let served = folder.served();
    // It cannot say when it listens.
    let daemon = contenders.peer(RSYNC, Peer::RsyncFiles).discarding_output();
    let pair = |contender: Contender, client| Pair { contender: contender.within(&served), client };
    let pairs = present([
        installed("rsync").map(|program| pair(daemon, Client::Rsync(program))),
        contenders
            .barewire(BAREWIRE, "file-server", &["-q"])
            .zip(contenders.program("file-client"))
            .map(|(server, program)| pair(server, Client::Barewire(program))),
    ]);
    let Rounds { figures, others } =
        side_by_side("tree", &pairs, options.rounds, |pair| fetch(pair, &folder, files))?;

    let rsync = of(&pairs, &figures, RSYNC);
    let cells = pairs.iter().zip(&figures).map(|(pair, [whole, unchanged])| {
        let of_rsync = |series: &Series, figure: usize| {
            rsync.map_or_else(|| "-".to_owned(), |base| ratio(series.over(&base[figure]).median()))
        };
        vec![
            pair.name().to_owned(),
            count(whole.median()),
            of_rsync(whole, 0),
            count(unchanged.median()),
            of_rsync(unchanged, 1),
        ]
    });
    table::print(
        &format!(
            "files: a tree of {} files of {SMALL_SIZE} bytes into memory, medians of {} rounds",
            count(files as f64),
            options.rounds
        ),
        &["", "whole ms", "of rsync", "unchanged ms", "of rsync"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    print_absent(&["rsync"]);
    let goals = [
        ("whole: time, of rsync", [BAREWIRE, RSYNC], 0, Goal::AtMost(1.0)),
        ("unchanged: time, of rsync", [BAREWIRE, RSYNC], 1, Goal::AtMost(1.0)),
    ];
    print_targets(&pairs, &figures, &goals);
    Ok(())
}

fn name(number: usize) -> String {
    format!("{:02}/{:02}", number / IN_A_FOLDER, number % IN_A_FOLDER)
}

/// The milliseconds of a fetch into an empty folder, and of another one behind it.
fn fetch(pair: &Pair, folder: &Folder, files: usize) -> io::Result<[f64; 2]> {
    let server = pair.contender.start()?;
    let target = folder.empty("downloads")?;
    let whole = run(pair, &server, &target)?;
    let unchanged = run(pair, &server, &target)?;
    for number in 0..files {
        let name = name(number);
        if fs::read(target.join(&name))? != noise(number as u64, SMALL_SIZE) {
            return Err(io::Error::other(format!("{name} has arrived with other contents")));
        }
    }
    folder.empty("downloads")?;
    server.stop()?;
    Ok([whole, unchanged])
}

fn run(pair: &Pair, server: &Server, target: &Path) -> io::Result<f64> {
    let address = server.address();
    let mut command = match &pair.client {
        Client::Rsync(program) => {
            let mut command = Command::new(program);
            command.arg("--archive").arg(format!("rsync://{address}/served/")).arg(target);
            command
        }
        Client::Barewire(program) => {
            let mut command = Command::new(program);
            command.args(["-q", "-r", "-d"]).arg(target).arg(address.to_string()).arg(".");
            command
        }
    };
    let started = Instant::now();
    succeed(&mut command)?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}
