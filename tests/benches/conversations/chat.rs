//! Chat: how many deliveries a second, how long one takes, and what an idle member costs in memory.
//!
//! Each line of a member goes to every other member, and each of these is a delivery. The peers do
//! that and nothing else, with as long a nick before each line as barewire's: a loop that writes each
//! line to each member; a loop that gathers what a round has brought into one write a member, which
//! is the limit; tokio with its broadcast channel; and `ncat --chat` where it is installed.

mod crowd;
mod deliveries;
mod flood;
mod keyed;
mod latency;
pub(crate) mod loops;
mod memory;
pub(crate) mod peers;
mod setup;

use std::io;

use crate::contenders::Contenders;
use crate::key::KeyFile;
use crate::options::Options;

/// How many members there are under load, in full and for a quick look.
const SMALL: usize = 100;
const LARGE: usize = 1_000;
const SHORT_LARGE: usize = 200;

/// Measures and prints.
///
/// `open_files` is how many files a process may open.
pub(crate) fn measure(
    options: &Options,
    contenders: &Contenders,
    open_files: u64,
) -> io::Result<()> {
    let large = if options.short { SHORT_LARGE } else { LARGE };
    deliveries::measure(SMALL, true, options, contenders)?;
    deliveries::measure(large, false, options, contenders)?;
    memory::measure(options, contenders, open_files)
}

/// The same of a keyed room, as far as a key has a part in it.
pub(crate) fn measure_keyed(
    options: &Options,
    contenders: &Contenders,
    file: &KeyFile,
) -> io::Result<()> {
    keyed::measure(SMALL, options, contenders, file)
}
