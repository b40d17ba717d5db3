//! OpenSSH's daemon as a peer: with a configuration and keys of its own, so that it needs no rights.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::folder::LARGE;
use crate::binaries::installed;
use crate::process::succeed;

/// The key that its client has, and that of the daemon.
const CLIENT: &str = "client";
const HOST: &str = "host";

/// Serves the user that runs it, until it is ended. Its files lie in a folder `sshd` beside the current one.
///
/// # Errors
///
/// It, or what makes its keys, cannot be run.
pub(crate) fn become_sshd(address: SocketAddr) -> io::Result<()> {
    let program = installed("sshd").ok_or(io::ErrorKind::NotFound)?;
    let own = own(&std::env::current_dir()?);
    fs::create_dir_all(&own)?;
    fs::set_permissions(&own, Permissions::from_mode(0o700))?;
    for name in [CLIENT, HOST] {
        if !own.join(name).exists() {
            let keygen = installed("ssh-keygen").ok_or(io::ErrorKind::NotFound)?;
            let mut command = Command::new(keygen);
            command.args(["-q", "-t", "ed25519", "-N", "", "-f", name]);
            succeed(command.current_dir(&own))?;
        }
    }
    let (host, port, path) = (address.ip(), address.port(), own.display());
    let configuration = own.join("sshd_config");
    fs::write(
        &configuration,
        format!(
            "ListenAddress {host}:{port}\nHostKey {path}/{HOST}\nAuthorizedKeysFile {path}/{CLIENT}.pub\n\
             PidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n\
             Subsystem sftp internal-sftp\n"
        ),
    )?;
    // What its service would make for it; only root needs it.
    let _ = fs::create_dir_all("/run/sshd");
    // It starts itself anew for each client, and so wants to be called by its path.
    Err(Command::new(program).arg("-D").arg("-f").arg(configuration).exec())
}

/// Copies the large file by `scp`, under the cipher that is the fastest where a processor has instructions for
/// AES.
///
/// # Errors
///
/// It fails.
pub(super) fn copy(scp: &Path, server: SocketAddr, folder: &Path, target: &Path) -> io::Result<()> {
    let own = own(folder);
    let mut command = Command::new(scp);
    command.args(["-q", "-B", "-c", "aes128-gcm@openssh.com", "-F", "none"]);
    for option in ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"] {
        command.args(["-o", option]);
    }
    command.arg("-i").arg(own.join(CLIENT)).args(["-P", &server.port().to_string()]);
    let file = folder.join(LARGE);
    succeed(command.arg(format!("{}:{}", server.ip(), file.display())).arg(target))
}

fn own(folder: &Path) -> PathBuf {
    folder.with_file_name("sshd")
}
