//! File transfer: large files and small ones, verified downloads, trees, and the servers' memory.
//!
//! The peers serve the same folder: nginx with `sendfile`, and for a tree rsync's daemon, as the
//! programs to beat; the shortest loop around `sendfile(2)` as the limit; and tokio. What is not
//! installed is said to be absent below its table, and targets that speak of it were not measured.
//!
//! All files lie in memory, and the clients throw what they receive away inside the kernel (see
//! [`download`]), so that it is the server that sets the pace.

mod contents;
mod download;
mod folder;
mod form;
mod keyed;
mod large;
mod load_large;
mod load_pipelined;
mod load_single;
mod memory;
mod mirrors;
pub(crate) mod nginx;
pub(crate) mod peers;
mod row;
pub(crate) mod rsync;
pub(crate) mod sealing;
mod segments;
mod setup;
mod small;
mod small_files;
pub(crate) mod sshd;
mod tree;
mod verified;

use std::io;

use crate::contenders::Contenders;
use crate::options::{FilesTable, Options};

/// Measures and prints one table.
pub(crate) fn measure(
    table: FilesTable,
    options: &Options,
    contenders: &Contenders,
) -> io::Result<()> {
    match table {
        FilesTable::Large => large::measure(options, contenders),
        FilesTable::Verified => verified::measure(options, contenders),
        FilesTable::Keyed => keyed::measure(options, contenders),
        FilesTable::Segments => segments::measure(options, contenders),
        FilesTable::Mirrors => mirrors::measure(options, contenders),
        FilesTable::Small => small::measure(options, contenders),
        FilesTable::Tree => tree::measure(options, contenders),
        FilesTable::Memory => memory::measure(options, contenders),
    }
}
