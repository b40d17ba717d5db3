//! What every program promises.

pub(crate) mod activation;
mod addresses;
mod binding;
mod broken_utf8;
mod clients_gone;
mod clocks;
mod closed_streams;
mod color;
mod confinement;
mod control_characters;
mod dialing;
mod endless_lines;
mod ends_in_time;
mod extreme_values;
mod failing_sources;
pub(crate) mod frozen;
mod generated;
mod ipv6_sources;
mod job_control;
mod key_files;
mod keys;
pub(crate) mod memory;
mod out_of_descriptors;
mod pipes;
mod real_activation;
mod records;
mod signal_table;
mod signals;
mod slow_and_random_peers;
mod stalled_output;
pub(crate) mod summary;
pub(crate) mod time_enough;
mod unix_socket_files;
mod unix_sockets;
mod usage;
pub(crate) mod words;

use barewire_tests::harness::not_tried::not_tried;
use nix::unistd::geteuid;

/// Whether the tests run as root; if not, it is told that something is not tested.
pub(crate) fn is_root() -> bool {
    let is_root = geteuid().is_root();
    if !is_root {
        not_tried("what a server does that is started as root");
    }
    is_root
}

pub(crate) use barewire_tests::harness::PROGRAMS;

/// Those that serve.
pub(crate) const SERVERS: [&str; 4] = ["udp-server", "tcp-server", "file-server", "chat-server"];

/// Those that serve with as many threads as they are told. A room lives on one.
pub(crate) const THREADED: [&str; 3] = ["udp-server", "tcp-server", "file-server"];

/// Those that ask with a text.
pub(crate) const CLIENTS: [&str; 2] = ["udp-client", "tcp-client"];
