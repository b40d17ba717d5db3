mod crowd;
mod download;
mod liars;
mod listing;
mod output;
mod plain;
mod requests;
mod resuming;
mod server;
mod trees;
mod tutorial;

use barewire_tests::harness::{Finished, Folder, Launch};

/// Runs `file-client` with `options` to its end; what it downloads goes into `target`.
#[track_caller]
pub(crate) fn fetch(server: &str, target: &Folder, options: &[&str]) -> Finished {
    begin(server, target, options).run()
}

/// As [`fetch`], not started yet.
pub(crate) fn begin(server: &str, target: &Folder, options: &[&str]) -> Launch {
    Launch::new("file-client").arg(server).args(options).within(target)
}
