mod changing_files;
mod crowd;
mod download;
mod header_fields;
mod hostile_names;
mod json_names;
mod killed_downloads;
mod links;
mod listing;
mod lost_end;
mod lying_servers;
mod output;
mod pace;
mod plain;
mod requests;
mod resets;
mod resume_cost;
mod resuming;
mod server;
mod special_files;
mod streams;
mod swapped_links;
mod target_folder;
mod tree_rules;
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
    // A network that breaks is tried again soon: what is tested is what comes then.
    let launch = Launch::new("file-client").args([server, "--retry-pause", "10ms"]);
    launch.args(options).within(target)
}
