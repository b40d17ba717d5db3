//! What small segments cost a proven download: a client with little memory asks for them.
//!
//! The client receives and hashes, here in this process. Each server is a fresh one, which has hashed
//! nothing yet, as it hashes small segments for each who asks.

use std::io::{self, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Instant;

use blake3::hazmat::HasherExt;

use super::folder::{Folder, LARGE};
use super::form::Form;
use super::row::{of, present, print_targets};
use super::setup::{MIB, large_size, size_words};
use crate::contenders::{Contender, Contenders};
use crate::options::Options;
use crate::series::{Named, Rounds, side_by_side};
use crate::table::{self, Goal, count, ratio};

/// The names of rows that targets speak of.
const LARGEST: &str = "barewire, 1 MiB";
const SMALL: &str = "barewire, 4 KiB";

/// Where a request says that it wants digests, and of which segments.
const VERIFY: usize = 5;
const SEGMENT: usize = 32;

/// The length of a response's head, and of a digest.
const HEAD: usize = 64;
const DIGEST: usize = 32;

/// So many bytes are received at once.
const AT_ONCE: usize = 1 << 20;

/// A server, and the segments that it is asked for, of `1 << exponent` KiB.
struct Segments {
    server: Contender,
    exponent: u8,
}

impl Named for Segments {
    fn name(&self) -> &str {
        self.server.name
    }
}

/// Measures and prints.
pub(super) fn measure(options: &Options, contenders: &Contenders) -> io::Result<()> {
    let size = large_size(options);
    let folder = Folder::with_room(size)?;
    folder.write_large(size)?;
    let files = folder.served();
    let row = |name, exponent| {
        let server = contenders.barewire(name, "file-server", &["-q"])?.within(&files);
        Some(Segments { server, exponent })
    };
    let rows = present([
        row(LARGEST, 10),
        row("barewire, 64 KiB", 6),
        row(SMALL, 2),
        row("barewire, 1 KiB", 0),
    ]);
    let Rounds { figures, others } =
        side_by_side("segments", &rows, options.rounds, |row| load(row, size))?;

    let largest = of(&rows, &figures, LARGEST);
    let cells = rows.iter().zip(&figures).map(|(row, [rate, cost])| {
        vec![
            row.name().to_owned(),
            count(rate.median()),
            largest.map_or_else(|| "-".to_owned(), |base| ratio(rate.over(&base[0]).median())),
            ratio(cost.median()),
        ]
    });
    table::print(
        &format!(
            "files: {} verified by the size of its segments, medians of {} rounds",
            size_words(size),
            options.rounds
        ),
        &["", "MiB/s", "of 1 MiB", "server's CPU s"],
        &cells.collect::<Vec<_>>(),
    );
    table::print_others(&others);
    let goal = ("4 KiB: MiB/s, of 1 MiB", [SMALL, LARGEST], 0, Goal::AtLeast(1.0 / 3.0));
    print_targets(&rows, &figures, &[goal]);
    Ok(())
}

/// MiB a second, and the seconds of the server's CPU.
fn load(row: &Segments, size: u64) -> io::Result<[f64; 2]> {
    let server = row.server.start()?;
    let before = server.processor_time()?;
    let started = Instant::now();
    receive(TcpStream::connect(server.address())?, row.exponent, size)?;
    let elapsed = started.elapsed();
    server.settle()?;
    let spent = server.processor_time()?.saturating_sub(before);
    server.stop()?;
    Ok([size as f64 / MIB / elapsed.as_secs_f64(), spent.as_secs_f64()])
}

/// Asks for the file, and holds each segment against its digest.
fn receive(mut stream: TcpStream, exponent: u8, size: u64) -> io::Result<()> {
    let mut request = Form::Framed.request(LARGE);
    (request[VERIFY], request[SEGMENT]) = (1, exponent);
    stream.write_all(&request)?;
    stream.shutdown(Shutdown::Write)?;
    let mut stream = BufReader::with_capacity(AT_ONCE, stream);
    let mut head = [0; HEAD];
    stream.read_exact(&mut head)?;
    if Form::Framed.head(&head)?.and_then(|head| head.contents) != Some(size) {
        return Err(io::Error::other("the answer is not of the whole file"));
    }
    let segment = 1024_usize << exponent;
    let mut bytes = vec![0; segment + DIGEST];
    let mut at = 0;
    while at < size {
        let length = usize::try_from(size - at).unwrap_or(segment).min(segment);
        stream.read_exact(&mut bytes[..length + DIGEST])?;
        let (contents, digest) = bytes[..length + DIGEST].split_at(length);
        let mut hasher = blake3::Hasher::new();
        hasher.set_input_offset(at).update(contents);
        if hasher.finalize_non_root() != *digest {
            return Err(io::Error::other(format!("the segment at {at} does not match its digest")));
        }
        at += length as u64;
    }
    Ok(())
}
