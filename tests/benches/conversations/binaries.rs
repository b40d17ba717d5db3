//! Finds barewire's programs, as a release build.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    // TARGET/release/deps/conversations-HASH
    let target = bench.ancestors().nth(3).ok_or_else(|| io::Error::other("no target folder"))?;
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
