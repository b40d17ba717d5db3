//! Finds programs: barewire's, as a release build, and those of others.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs may be besides the folders of `PATH`, which often lacks them for users other than root.
const MORE_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// The folder with barewire's programs: `BAREWIRE_BIN_DIR` if set, or else a release build made now,
/// in the target folder that `bench`, this executable, was built in.
///
/// # Errors
///
/// The build failed; cargo has said why on standard error.
pub(crate) fn directory(bench: &Path) -> io::Result<PathBuf> {
    if let Some(directory) = std::env::var_os("BAREWIRE_BIN_DIR") {
        // Absolute, since some of them are started in other folders.
        return std::path::absolute(directory);
    }
    let target = target(bench)?;
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--package", "barewire-apps", "--bins", "--target-dir"])
        .arg(target)
        // The workspace of the programs.
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status()?;
    if !status.success() {
        return Err(io::Error::other(
            "barewire's programs do not build (--peers-only measures without them)",
        ));
    }
    Ok(target.join("release"))
}

/// The program `name` of somebody else, if it is installed.
pub(crate) fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(MORE_FOLDERS.map(PathBuf::from))
        .chain(tools().map(|tools| tools.join("bin")))
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
}

/// Has cargo install the program `name` for the benchmark alone, unless it is installed. If that fails,
/// cargo has said why, and the program is absent.
pub(crate) fn install(name: &str) {
    if installed(name).is_none()
        && let Ok(tools) = tools()
    {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["install", "--quiet", "--locked", "--root"]).arg(tools).arg(name);
        let _ = cargo.status();
    }
}

/// The folder of what is installed for the benchmark alone.
fn tools() -> io::Result<PathBuf> {
    Ok(target(&std::env::current_exe()?)?.join("tools"))
}

/// The target folder that `bench`, `TARGET/release/deps/conversations-HASH`, was built in.
fn target(bench: &Path) -> io::Result<&Path> {
    bench.ancestors().nth(3).ok_or_else(|| io::Error::other("no target folder"))
}
