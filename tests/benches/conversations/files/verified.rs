//! A download that is proven: the whole way, from the server's file to the client's.
//!
//! `file-client` writes and verifies in one pass, and so does the limit: a loop that receives, hashes and
//! writes, here in this process. Who has nothing of the kind downloads by curl, and has `b3sum` hash what
//! has come, on all processors. All write to memory.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::download;
use super::folder::{Folder, LARGE};
use super::form::Form;
use super::row::{Row, Rows, of, present, print_absent, print_targets};
use super::setup::{MIB, large_size, size_words};
use crate::binaries::{install, installed};
use crate::contenders::{Contenders, Peer};
use crate::options::Options;
use crate::process::{Server, succeed};
use crate::series::{Named, Rounds, Series, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// The names of rows that targets speak of.
const CURL: &str = "nginx, curl, b3sum";
const LOOP: &str = "sendfile, receive and hash";
const FIRST: &str = "barewire, first download";
const KNOWN: &str = "barewire, digests known";

/// The programs that a row needs and that are not always there.
const PROGRAMS: [&str; 3] = ["nginx", "curl", "b3sum"];

/// So many bytes are received, hashed and written at once.
const PIECE: usize = 1 << 20;

/// A way to get a file and its proof.
struct Way {
    row: Row,
    client: Client,
}

enum Client {
    /// curl, and `b3sum` afterwards.
    Curl { curl: PathBuf, b3sum: PathBuf },
    /// The loop.
    Loop,
    /// `file-client`, so many times before from the same server, with these options.
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
    if !options.short {
        install("b3sum");
    }
    let curl = installed("curl").zip(installed("b3sum"));
    let curl = curl.zip(rows.nginx(CURL, Peer::NginxFiles, Form::Http));
    let client = contenders.program("file-client");
    let barewire = |name, before, options| {
        let row = rows.barewire(name, Form::Framed, &["-q"])?;
        Some(Way { row, client: Client::Barewire(client.clone()?, before, options) })
    };
    let ways = present([
        curl.map(|((curl, b3sum), row)| Way { row, client: Client::Curl { curl, b3sum } }),
        rows.peer(LOOP, Peer::SendfileFiles).map(|row| Way { row, client: Client::Loop }),
        barewire(FIRST, 0, &[]),
        barewire(KNOWN, 1, &[]),
        barewire("barewire, unverified", 0, &["--no-verify"]),
    ]);
    let title = format!("files: {} verified and written to memory", size_words(size));
    let Rounds { figures, others } = side_by_side("verified", &ways, options.rounds, |way| {
        measure_way(way, &folder, &expected)
    })?;

    let (curl, limit) = (of(&ways, &figures, CURL), of(&ways, &figures, LOOP));
    let cells = ways.iter().zip(&figures).map(|(way, [speed, fetched, cost])| {
        let over = |base: Option<&[Series; 3]>| {
            base.map_or_else(|| "-".to_owned(), |base| ratio(speed.over(&base[0]).median()))
        };
        vec![
            way.row.contender.name.to_owned(),
            count(speed.median()),
            over(curl),
            over(limit),
            ratio(size as f64 / MIB / speed.median()),
            ratio(fetched.median()),
            ratio(cost.median()),
        ]
    });
    table::print(
        &format!("{title}, medians of {} rounds", options.rounds),
        &["", "MiB/s", "of curl", "of the loop", "seconds", "until fetched", "server's CPU s"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    print_absent(&PROGRAMS);
    let goals = [
        ("first: MiB/s, of nginx, curl and b3sum", [FIRST, CURL], 0, Goal::AtLeast(1.5)),
        ("known: MiB/s, of nginx, curl and b3sum", [KNOWN, CURL], 0, Goal::AtLeast(1.7)),
        ("first: MiB/s, of the loop", [FIRST, LOOP], 0, Goal::AtLeast(0.9)),
        ("known: MiB/s, of the loop", [KNOWN, LOOP], 0, Goal::AtLeast(0.9)),
    ];
    print_targets(&ways, &figures, &goals);
    Ok(())
}

/// MiB a second until there is proof, the seconds until all is there, and those of the server's CPU.
fn measure_way(way: &Way, folder: &Folder, expected: &blake3::Hash) -> io::Result<[f64; 3]> {
    let server = way.row.contender.start()?;
    if let Client::Barewire(_, before, _) = way.client {
        for _ in 0..before {
            fetch(way, &server, &folder.empty("downloads")?, expected)?;
        }
    }
    let target = folder.empty("downloads")?;
    let before = server.processor_time()?;
    let [fetched, verified] = fetch(way, &server, &target, expected)?;
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    let file = target.join(LARGE);
    check(hash(&file)?, expected)?;
    let size = file.metadata()?.len() as f64 / MIB;
    folder.empty("downloads")?;
    server.stop()?;
    Ok([size / verified.as_secs_f64(), fetched.as_secs_f64(), spent.as_secs_f64()])
}

/// Has the client fetch the large file into `target`, and returns how long it took until all was there,
/// and until it was proven.
fn fetch(
    way: &Way,
    server: &Server,
    target: &Path,
    expected: &blake3::Hash,
) -> io::Result<[Duration; 2]> {
    let (address, file) = (server.address(), target.join(LARGE));
    let started = Instant::now();
    match &way.client {
        Client::Curl { curl, b3sum } => {
            let mut command = Command::new(curl);
            command.args(["--fail", "--silent", "--show-error", "--output"]);
            succeed(command.arg(&file).arg(format!("http://{address}/{LARGE}")))?;
            let fetched = started.elapsed();
            let sum = Command::new(b3sum).arg("--no-names").arg(&file).output()?;
            check(hex(&sum.stdout)?, expected)?;
            return Ok([fetched, started.elapsed()]);
        }
        Client::Loop => check(receive(address, &file)?, expected)?,
        Client::Barewire(program, _, options) => {
            let mut command = Command::new(program);
            command.arg("-q").args(*options).arg("-d").arg(target);
            succeed(command.arg(address.to_string()).arg(LARGE))?;
        }
    }
    Ok([started.elapsed(); 2])
}

/// The limit: receives the large file, hashes and writes it, and returns its hash.
fn receive(server: SocketAddr, file: &Path) -> io::Result<blake3::Hash> {
    let mut stream = TcpStream::connect(server)?;
    download::ask(&mut stream, Form::Plain, LARGE)?;
    let (mut file, mut hasher) = (File::create(file)?, blake3::Hasher::new());
    let mut piece = vec![0; PIECE];
    loop {
        match stream.read(&mut piece)? {
            0 => return Ok(hasher.finalize()),
            count => {
                hasher.update(&piece[..count]);
                file.write_all(&piece[..count])?;
            }
        }
    }
}

pub(super) fn check(found: blake3::Hash, expected: &blake3::Hash) -> io::Result<()> {
    if found == *expected {
        Ok(())
    } else {
        Err(io::Error::other("the file has arrived with other contents"))
    }
}

/// What `b3sum` prints.
fn hex(sum: &[u8]) -> io::Result<blake3::Hash> {
    blake3::Hash::from_hex(sum.trim_ascii()).map_err(io::Error::other)
}

pub(super) fn hash(file: &Path) -> io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_mmap_rayon(file)?;
    Ok(hasher.finalize())
}
