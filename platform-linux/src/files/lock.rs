//! A file that one process has at a time.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use nix::libc::{O_NOCTTY, O_NONBLOCK};

/// How often it is tried to lock a file that others make or replace meanwhile.
const TRIES: usize = 10;

/// Opens the file at `path` for reading, and locks it against all others that call this (`flock(2)`) for as long
/// as it is open. It is made if it is not there, and nobody else can read it then. On a file system without
/// locks it is not locked.
///
/// Who [replaces](fs::rename) it locks the new one before, or else another may lock that.
///
/// # Errors
/// Those of `open(2)`; [`ResourceBusy`](io::ErrorKind::ResourceBusy) if another has it.
pub fn open_locked(path: &Path) -> io::Result<File> {
    for _ in 0..TRIES {
        let mut options = File::options();
        // Not to wait for a FIFO's writer; not to be given a terminal.
        let file = match options.read(true).custom_flags(O_NONBLOCK | O_NOCTTY).open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                match File::options().write(true).create_new(true).mode(0o600).open(path) {
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        return Err(error);
                    }
                    _ => continue,
                }
            }
            opened => opened?,
        };
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            break;
        }
        // Who had it may have replaced it, and another have locked that one.
        let (held, named) = (file.metadata()?, fs::metadata(path)?);
        if (held.dev(), held.ino()) == (named.dev(), named.ino()) {
            return Ok(file);
        }
    }
    Err(io::ErrorKind::ResourceBusy.into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn one_has_it_until_it_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let is_busy =
            || open_locked(&path).is_err_and(|error| error.kind() == io::ErrorKind::ResourceBusy);
        let held = open_locked(&path).unwrap();
        assert_eq!(held.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert!(is_busy());
        // What replaces it is locked before it has the name.
        let new = folder.path().join("new");
        let replacing = open_locked(&new).unwrap();
        fs::rename(&new, &path).unwrap();
        drop(held);
        assert!(is_busy());
        drop(replacing);
        open_locked(&path).unwrap();
    }

    #[test]
    fn what_prevents_it_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = open_locked(&folder.path().join("none/file")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
