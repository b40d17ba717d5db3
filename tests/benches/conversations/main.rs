//! barewire's servers measured beside the peers they answer to.
//!
//! ```text
//! cargo bench --manifest-path tests/benches/Cargo.toml [-- hello|datagrams|memory|files|chat|keyed …]
//!     [--rounds N] [--short] [--peers-only]
//! ```
//!
//! Every figure is about a *server process*; the load comes from this process, from one and the same
//! generator whoever serves. Each conversation has two peers that do the same work and nothing else:
//!
//! - the **limit**: the shortest loop of system calls that holds the conversation. It has no
//!   deadlines, no checks and no reports, so what separates a server from it is that server's own cost;
//! - **tokio**: the program that a good Rust user would write in an afternoon.
//!
//! Files have a third, nginx, and chat has `ncat --chat`, where they are installed; what needs them is
//! said to be absent where they are not.
//!
//! Machines drift: clocks change with heat, and other processes come and go. So the contenders take
//! turns (A B C, A B C, …), each in a fresh process, after one round that is thrown away. A figure is
//! the median over the rounds, and a ratio is formed *within* each round before its median is taken:
//! what slows a whole round cancels out. The range over the rounds is printed beside each target, and
//! is the resolution of the measurement.
//!
//! This is a benchmark, not a timed test: a slow machine changes the figures, never the exit code. It
//! is 0 if every conversation went as it should, 1 if one did not (a wrong answer, a server that died),
//! 2 for a wrong command line.

#![warn(missing_docs)]
// Counts and times become ratios of four digits; a mantissa of 52 bits is plenty.
#![allow(clippy::cast_precision_loss)]

use std::io;
use std::process::ExitCode;

use contenders::Contenders;
use options::{Options, Request, Section};

mod binaries;
mod chat;
mod contenders;
mod datagrams;
mod exchange;
mod files;
mod hello;
mod key;
mod keyed;
mod load_datagrams;
mod load_hello;
mod machine;
mod memory;
mod options;
mod peers_datagrams;
mod peers_hello;
mod process;
mod round_trips;
mod series;
mod table;
mod voice;

fn main() -> ExitCode {
    let request = match options::parse(std::env::args().skip(1)) {
        Ok(request) => request,
        Err(message) => {
            eprintln!("{message}\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    let outcome = match request {
        Request::Measure(options) => measure(&options),
        Request::Serve(peer, address) => peer.serve(address),
        Request::Usage => {
            println!("{}", options::USAGE);
            Ok(())
        }
        Request::Test => {
            println!("benchmarks are not tests; run them with `cargo bench`");
            Ok(())
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: &Options) -> io::Result<()> {
    let open_files = machine::raise_open_files_limit()?;
    let contenders = Contenders::find(options.peers_only)?;
    for section in &options.sections {
        match section {
            Section::Hello => hello::measure(options, &contenders)?,
            Section::Datagrams => datagrams::measure(options, &contenders)?,
            Section::Memory => memory::measure(options, &contenders, open_files)?,
            Section::Chat => chat::measure(options, &contenders, open_files)?,
            Section::Keyed => keyed::measure(options, &contenders)?,
            Section::Files(table) => files::measure(*table, options, &contenders)?,
        }
    }
    Ok(())
}
