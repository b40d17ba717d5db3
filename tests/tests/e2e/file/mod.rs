mod changing_files;
mod crowd;
mod cut_link;
mod download;
mod hashes;
mod header_fields;
mod hostile_names;
mod independent;
mod json_names;
mod keyed;
mod killed_downloads;
mod links;
mod listing;
mod lost_end;
mod lying_servers;
mod messages;
mod mirrors;
mod output;
mod pace;
mod plain;
mod requests;
mod resets;
mod resume_cost;
mod resuming;
mod server;
mod shares;
mod special_files;
mod streams;
mod swapped_links;
mod target_folder;
mod tree_rules;
mod trees;
mod tutorial;

use std::path::Path;

use barewire_tests::harness::faults::{Call, FaultInjector};
use barewire_tests::harness::{Finished, Folder, Launch, Server};
use nix::errno::Errno;

/// What keeps a server within its folder.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Containment {
    /// The kernel resolves names, and Landlock is a second lock, which does not know of links.
    Landlock,
    Kernel,
    /// The kernel refuses to resolve names: the server walks them itself.
    Walk,
}

impl Containment {
    pub(crate) const EACH: [Self; 3] = [Self::Landlock, Self::Kernel, Self::Walk];

    /// Starts a server of `folder` that is kept so.
    pub(crate) fn share(self, folder: impl AsRef<Path>, options: &[&str]) -> Server {
        let launch = Launch::new("file-server").arg("127.0.0.1:0").arg(folder.as_ref());
        let launch = launch.args(options);
        let refused = FaultInjector::refusing(&[Call::OPEN_BENEATH], "", Errno::ENOSYS);
        Server::start(match self {
            Self::Landlock => launch,
            Self::Kernel => launch.arg("--no-sandbox"),
            Self::Walk => launch.arg("--no-sandbox").with_faults(&refused),
        })
    }
}

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
