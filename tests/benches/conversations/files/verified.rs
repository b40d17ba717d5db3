//! A download that is proven: the whole way, from the server's file to the client's.
//!
//! `file-client` writes and verifies in one pass. The others download, and then hash what they have
//! by the call that `b3sum` is made of, here in this process: the file mapped into memory, on all
//! processors. Both write to memory.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::folder::{Folder, LARGE};
use super::form::Form;
use super::nginx::installed;
use super::row::{Row, Rows, of, present, print_absent, print_targets};
use super::setup::{MIB, large_size, size_words};
use crate::contenders::{Contenders, Peer};
use crate::options::Options;
use crate::process::Server;
use crate::series::{Named, Rounds, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// The names of rows that targets speak of.
const CURL: &str = "nginx, curl, hash";
const FIRST: &str = "barewire, first download";

/// A way to get a file and its proof.
struct Way {
    row: Row,
    client: Client,
}

enum Client {
    /// curl, and a hash afterwards.
    Curl(PathBuf),
    /// `file-client`, so many times before from the same server, and with these options.
    Barewire(PathBuf, usize, &'static [&'static str]),
}

impl Named for Way {
    fn name(&self) -> &str {
        self.row.name()
    }
}

/// Measures and prints.
pub(super) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let size = large_size(options);
    let folder = Folder::with_room(2 * size)?;
    folder.write_large(size)?;
    let served = folder.served();
    let expected = hash(&served.join(LARGE))?;
    let rows = Rows { contenders, folder: &served };
    let curl = installed("curl").zip(rows.nginx(CURL, Peer::NginxFiles, Form::Http));
    let client = contenders.program("file-client");
    let barewire = |name, before, options| {
        let row = rows.barewire(name, Form::Framed, &["-q"])?;
        Some(Way { row, client: Client::Barewire(client.clone()?, before, options) })
    };
    let ways = present([
        curl.map(|(program, row)| Way { row, client: Client::Curl(program) }),
        barewire(FIRST, 0, &[]),
        barewire("barewire, digests known", 1, &[]),
        barewire("barewire, unverified", 0, &["--no-verify"]),
    ]);
    let title = format!("files: {} verified and written to memory", size_words(size));
    if ways.is_empty() {
        println!("\n{title}");
        print_absent(&["nginx", "curl"]);
        return Ok(());
    }
    let Rounds { figures, others } =
        side_by_side("verified", &ways, options.rounds, |way| download(way, &folder, &expected))?;

    let curl = of(&ways, &figures, CURL);
    let cells = ways.iter().zip(&figures).map(|(way, [speed, fetched, cost])| {
        vec![
            way.row.contender.name.to_owned(),
            count(speed.median()),
            curl.map_or_else(|| "-".to_owned(), |curl| ratio(speed.over(&curl[0]).median())),
            ratio(size as f64 / MIB / speed.median()),
            ratio(fetched.median()),
            ratio(cost.median()),
        ]
    });
    table::print(
        &format!("{title}, medians of {} rounds", options.rounds),
        &["", "MiB/s", "of curl", "seconds", "until fetched", "server's CPU s"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    print_absent(&["nginx", "curl"]);
    let goal = ("MiB/s, of nginx, curl and hash", [FIRST, CURL], 0, Goal::AtLeast(1.5));
    print_targets(&ways, &figures, &[goal]);
    Ok(())
}

/// MiB a second until there is proof, the seconds until all is there, and those of the server's CPU.
fn download(way: &Way, folder: &Folder, expected: &blake3::Hash) -> io::Result<[f64; 3]> {
    let server = way.row.contender.start()?;
    if let Client::Barewire(_, before, _) = way.client {
        for _ in 0..before {
            fetch(way, &server, &folder.empty("downloads")?)?;
        }
    }
    let target = folder.empty("downloads")?;
    let before = server.processor_time()?;
    let started = Instant::now();
    let fetched = fetch(way, &server, &target)?;
    let file = target.join(LARGE);
    let verified = match way.client {
        Client::Curl(_) => {
            check(&file, expected)?;
            started.elapsed()
        }
        Client::Barewire(..) => fetched,
    };
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    if let Client::Barewire(..) = way.client {
        check(&file, expected)?;
    }
    let size = file.metadata()?.len() as f64 / MIB;
    folder.empty("downloads")?;
    server.stop()?;
    Ok([size / verified.as_secs_f64(), fetched.as_secs_f64(), spent.as_secs_f64()])
}

/// Has the client fetch the large file into `target`, and returns how long it took.
fn fetch(way: &Way, server: &Server, target: &Path) -> io::Result<Duration> {
    let address = server.address();
    let mut command = match &way.client {
        Client::Curl(program) => {
            let mut command = Command::new(program);
            command.args(["--fail", "--silent", "--show-error", "--output"]);
            command.arg(target.join(LARGE)).arg(format!("http://{address}/{LARGE}"));
            command
        }
        Client::Barewire(program, _, options) => {
            let mut command = Command::new(program);
            command.arg("-q").args(*options).arg("-d").arg(target);
            command.arg(address.to_string()).arg(LARGE);
            command
        }
    };
    let started = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let elapsed = started.elapsed();
    if !status.success() {
        return Err(io::Error::other(format!("the client has failed, {status}")));
    }
    Ok(elapsed)
}

fn check(file: &Path, expected: &blake3::Hash) -> io::Result<()> {
    if hash(file)? != *expected {
        return Err(io::Error::other("the file has arrived with other contents"));
    }
    Ok(())
}

fn hash(file: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap_rayon(file)?;
    Ok(hasher.finalize())
}
