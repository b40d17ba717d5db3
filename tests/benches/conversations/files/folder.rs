//! The folder that all servers serve, in memory.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;
use tempfile::TempDir;

use super::contents;

/// Where a file lies in memory and nowhere else.
const MEMORY: &str = "/dev/shm";

/// What the folders' names begin with.
const PREFIX: &str = "barewire-bench-";

/// The name of the large file.
pub(super) const LARGE: &str = "large";

/// A temporary folder with `served`, the files, beside whatever else a measurement needs.
#[derive(Debug)]
pub(super) struct Folder {
    folder: TempDir,
    /// Locked for as long as the folder is in use.
    _lock: File,
}

impl Folder {
    /// A folder in `/dev/shm` if there is room for so many bytes, or else the usual place for
    /// temporary files, from where the page cache serves them once they are written.
    pub(super) fn with_room(bytes: u64) -> io::Result<Self> {
        let usual = std::env::temp_dir();
        let memory = Path::new(MEMORY);
        remove_abandoned(memory);
        remove_abandoned(&usual);
        let place = if room(memory) > bytes + bytes / 4 { memory } else { &usual };
        let folder = tempfile::Builder::new()
            .prefix(PREFIX)
            // nginx's workers run as somebody else if its master runs as root.
            .permissions(Permissions::from_mode(0o755))
            .tempdir_in(place)?;
        let lock = File::open(folder.path())?;
        lock.lock()?;
        fs::create_dir(folder.path().join("served"))?;
        Ok(Self { folder, _lock: lock })
    }

    /// The folder that is served.
    pub(super) fn served(&self) -> PathBuf {
        self.folder.path().join("served")
    }

    /// An empty folder beside it.
    pub(super) fn empty(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.folder.path().join(name);
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir(&path)?;
        Ok(path)
    }

    /// Writes [`LARGE`], a file of `size` bytes.
    pub(super) fn write_large(&self, size: u64) -> io::Result<()> {
        let mut file = File::create(self.served().join(LARGE))?;
        contents::write_large(&mut file, size)?;
        // On a disk, nothing is left to be written during the measurement.
        file.sync_all()
    }

    /// Writes a file, and the folders that lead to it.
    pub(super) fn write(&self, name: &str, contents: &[u8]) -> io::Result<()> {
        let path = self.served().join(name);
        fs::create_dir_all(path.with_file_name(""))?;
        fs::write(path, contents)
    }
}

/// Removes what a run has left that was ended by a signal: nobody holds its lock.
fn remove_abandoned(place: &Path) {
    // Whatever fails here, another run may have done, or another user must do.
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if ours && File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// How many bytes fit in there.
fn room(place: &Path) -> u64 {
    statvfs(place).map_or(0, |of| of.blocks_available() * of.fragment_size())
}
