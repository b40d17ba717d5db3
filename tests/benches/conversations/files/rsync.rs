//! rsync's daemon as a peer: with a configuration of its own.

use std::io;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::binaries::installed;

/// Serves the files of the current folder as the module `served`, as rsync's daemon, until it is ended.
///
/// # Errors
///
/// rsync cannot be run.
pub(crate) fn become_rsync(address: SocketAddr) -> io::Result<()> {
    let program = installed("rsync").ok_or(io::ErrorKind::NotFound)?;
    let served = std::env::current_dir()?;
    let configuration = served.with_file_name("rsyncd.conf");
    let module = format!("[served]\npath = {}\nuse chroot = no\n", served.display());
    std::fs::write(&configuration, module)?;
    let (host, port) = (address.ip(), address.port());
    let error = Command::new(program)
        .args(["--daemon", "--no-detach"])
        .arg("--config")
        .arg(configuration)
        .args([format!("--address={host}"), format!("--port={port}")])
        .exec();
    Err(error)
}
