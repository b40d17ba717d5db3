//! A proven download under a key, from the server's file to the client's.
//!
//! `file-client` opens, verifies and writes in one pass, and so does the limit: a loop that receives, opens by
//! the same primitive, hashes and writes, here in this process, from one that reads, seals and sends. OpenSSH's
//! `scp`, and curl from nginx under TLS 1.3, prove nothing about the file. All write to memory.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::folder::{Folder, LARGE};
use super::form::Form;
use super::row::{Row, Rows, of, present, print_absent, print_targets};
use super::setup::{MIB, large_size, size_words};
use super::verified::{check, hash};
use super::{sealing, sshd};
use crate::binaries::installed;
use crate::contenders::{Contenders, Peer};
use crate::options::Options;
use crate::process::{Server, succeed};
use crate::series::{Named, Rounds, Series, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// The names of rows that targets speak of.
const SCP: &str = "scp, aes128-gcm";
const LOOP: &str = "seal, open and hash";
const TLS: &str = "nginx with TLS 1.3, curl";
const KEYED: &str = "barewire with a key";

/// The programs that a row needs and that are not always there.
const PROGRAMS: [&str; 5] = ["sshd", "scp", "nginx", "openssl", "curl"];

/// Where the key is, beside the folder that is served.
const KEY: &str = "../bench.key";

/// A way to get a file.
struct Way {
    row: Row,
    client: Client,
}

enum Client {
    Scp(PathBuf),
    Curl(PathBuf),
    Loop,
    /// `file-client`, with a key or without.
    Barewire(PathBuf, bool),
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
    let client = contenders.program("file-client");
    if let Some(client) = &client {
        succeed(Command::new(client).args(["--new-key", KEY]).current_dir(&served))?;
    }
    let scp = installed("sshd").and(installed("ssh-keygen")).and(installed("scp"));
    let curl = installed("openssl").and(installed("curl"));
    let barewire = |name, options, is_keyed| {
        let row = rows.barewire(name, Form::Framed, options)?;
        Some(Way { row, client: Client::Barewire(client.clone()?, is_keyed) })
    };
    let ways = present([
        scp.and_then(|scp| {
            let row = rows.unheard(SCP, Peer::SshdFiles)?;
            Some(Way { row, client: Client::Scp(scp) })
        }),
        curl.zip(rows.nginx(TLS, Peer::TlsNginxFiles, Form::Http))
            .map(|(curl, row)| Way { row, client: Client::Curl(curl) }),
        rows.peer(LOOP, Peer::SealingFiles).map(|row| Way { row, client: Client::Loop }),
        barewire(KEYED, &["-q", "--key", KEY], true),
        barewire("barewire without", &["-q"], false),
    ]);
    let Rounds { figures, others } =
        side_by_side("keyed", &ways, options.rounds, |way| measure_way(way, &folder, &expected))?;

    let (scp, limit) = (of(&ways, &figures, SCP), of(&ways, &figures, LOOP));
    let cells = ways.iter().zip(&figures).map(|(way, [speed, cost])| {
        let over = |base: Option<&[Series; 2]>| {
            base.map_or_else(|| "-".to_owned(), |base| ratio(speed.over(&base[0]).median()))
        };
        vec![
            way.name().to_owned(),
            count(speed.median()),
            over(scp),
            over(limit),
            ratio(size as f64 / MIB / speed.median()),
            ratio(cost.median()),
        ]
    });
    table::print(
        &format!(
            "files: {} under a key and written to memory, medians of {} rounds",
            size_words(size),
            options.rounds
        ),
        &["", "MiB/s", "of scp", "of the loop", "seconds", "server's CPU s"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    print_absent(&PROGRAMS);
    let goals = [
        ("MiB/s, of scp", [KEYED, SCP], 0, Goal::AtLeast(2.5)),
        ("MiB/s, of the loop", [KEYED, LOOP], 0, Goal::AtLeast(0.8)),
    ];
    print_targets(&ways, &figures, &goals);
    Ok(())
}

/// MiB a second until all is there, and as far as the way proves it, proven; and the seconds of the server's CPU.
fn measure_way(way: &Way, folder: &Folder, expected: &blake3::Hash) -> io::Result<[f64; 2]> {
    let server = way.row.contender.start()?;
    let target = folder.empty("downloads")?;
    let before = server.processor_time()?;
    let fetched = fetch(way, &server, &folder.served(), &target)?;
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    let file = target.join(LARGE);
    check(hash(&file)?, expected)?;
    let size = file.metadata()?.len() as f64 / MIB;
    folder.empty("downloads")?;
    server.stop()?;
    Ok([size / fetched.as_secs_f64(), spent.as_secs_f64()])
}

/// Has the client fetch the large file into `target`, and returns how long it took.
fn fetch(way: &Way, server: &Server, folder: &Path, target: &Path) -> io::Result<Duration> {
    let (address, file) = (server.address(), target.join(LARGE));
    let started = Instant::now();
    match &way.client {
        Client::Scp(scp) => sshd::copy(scp, address, folder, &file)?,
        Client::Curl(curl) => {
            let mut command = Command::new(curl);
            command.args(["--fail", "--silent", "--show-error", "--insecure", "--tlsv1.3"]);
            command.arg("--output").arg(&file).arg(format!("https://{address}/{LARGE}"));
            succeed(&mut command)?;
        }
        Client::Loop => {
            sealing::receive(address, &file)?;
        }
        Client::Barewire(program, is_keyed) => {
            let mut command = Command::new(program);
            command.arg("-q").arg("-d").arg(target);
            if *is_keyed {
                command.arg("--key").arg(KEY);
            }
            command.arg(address.to_string()).arg(LARGE);
            succeed(command.current_dir(folder))?;
        }
    }
    Ok(started.elapsed())
}
