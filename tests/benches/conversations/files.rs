//! File transfer: large files and small ones, verified downloads, and the servers' memory.
//!
//! The peers serve the same folder: nginx with `sendfile`, where it is installed, as the program to
//! beat; the shortest loop around `sendfile(2)` as the limit; and tokio. What is not installed is said
//! to be absent below its table.
//!
//! All files lie in memory, and the clients throw what they receive away inside the kernel (see
//! [`download`]), so that it is the server that sets the pace.

mod contents;
mod download;
mod folder;
mod form;
mod large;
mod load_large;
mod load_pipelined;
mod load_single;
mod memory;
pub(crate) mod nginx;
pub(crate) mod peers;
mod row;
mod small;
mod verified;

use std::io;
use std::time::Duration;

use crate::contenders::Contenders;
use crate::options::Options;

/// One of the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// One large file, as fast as it goes.
    Large,
    /// The whole way of a download that is proven.
    Verified,
    /// Many small files.
    Small,
    /// What a transfer costs the server in memory.
    Memory,
}

impl Table {
    /// All of them, in order.
    pub(crate) const ALL: [Self; 4] = [Self::Large, Self::Verified, Self::Small, Self::Memory];

    /// The table of that name on the command line.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "files-large" => Some(Self::Large),
            "files-verified" => Some(Self::Verified),
            "files-small" => Some(Self::Small),
            "files-memory" => Some(Self::Memory),
            _ => None,
        }
    }
}

/// Measures and prints one table.
pub(crate) fn measure(table: Table, options: &Options, contenders: &Contenders) -> io::Result<()> {
    match table {
        Table::Large => large::measure(options, contenders),
        Table::Verified => verified::measure(options, contenders),
        Table::Small => small::measure(options, contenders),
        Table::Memory => memory::measure(options, contenders),
    }
}

/// The large file's size in bytes.
fn large_size(options: &Options) -> u64 {
    if options.short { 16 << 20 } else { 1 << 30 }
}

/// How long one run loads one server; there are many servers here.
fn span(options: &Options) -> Duration {
    if options.short { options.run / 10 } else { options.run }
}

/// The shape of a measurement, for the title of its table.
fn shape(options: &Options) -> String {
    format!("medians of {} rounds of {:?}", options.rounds, span(options))
}

/// A size as a title has it.
fn size_words(bytes: u64) -> String {
    match bytes >> 20 {
        1024 => "1 GiB".to_owned(),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

/// Bytes in a mebibyte.
const MIB: f64 = (1 << 20) as f64;
