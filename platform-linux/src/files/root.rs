//! The folder that a server serves.

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;

use super::storage::FileKind;
use super::{OpenError, Reason, ServedFile, Version};
use crate::sys::beneath::Resolution;
use crate::sys::{retry, statx};

/// A folder whose files are served, and nothing else is.
///
/// Names lead beneath it and nowhere else, whoever [resolves](Resolution) them: neither `..` nor a link
/// leaves it, not even while folders and links are swapped; absolute links are refused, also those that
/// lead back in, and so are those of `/proc` that are no paths at all.
///
/// It is the folder itself, not its name: what is renamed or mounted over it later is not served.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
    resolution: Resolution,
}

impl Root {
    /// The folder at `path`. The path itself may lead through links of any kind.
    ///
    /// # Errors
    /// Those of `open(2)`: [`NotFound`](io::ErrorKind::NotFound), or
    /// [`NotADirectory`](io::ErrorKind::NotADirectory), say.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let path = path.as_ref();
        let fd = retry(|| open(path, flags, Mode::empty()))?;
        let resolution = Resolution::of_system(&fd);
        Ok(Self { fd, resolution })
    }

    /// Who resolves names.
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Opens the regular file that `name` leads to, from here on down. Where the kernel resolves names, it
    /// takes two system calls, `openat2(2)` and `statx(2)`, and for a name under 1 KiB no allocation.
    ///
    /// What else the name may lead to is opened too, for a moment, and without waiting for anything:
    /// to look at it first would cost twice as much for every file, for the sake of devices and
    /// FIFOs, which only its owner can have put beneath the root. Whoever has them there should know
    /// that a FIFO's waiting writer then meets a reader, and that to open a device can be to use it.
    ///
    /// # Errors
    /// [`OpenError::NotFound`] if nothing is there; [`OpenError::Refused`] for what leads out, may not be
    /// read, or is no regular file, and for an empty name or one with a NUL; [`OpenError::Busy`] when
    /// descriptors or memory have run out; [`OpenError::Failed`] for the other errors of `openat2(2)`.
    pub fn open_file(&self, name: &[u8]) -> Result<ServedFile, OpenError> {
        check(name)?;
        // Not to wait for a FIFO's writer; not to be given a terminal.
        let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        let fd = self.open_beneath(name, flags)?;
        let statx = statx(&fd)?;
        if FileKind::of(statx.mode) != FileKind::File {
            return Err(OpenError::Refused(Reason::Kind));
        }
        Ok(ServedFile::new(fd, Version::of(&statx)))
    }

    /// Opens whatever `name` leads to. Always close-on-exec.
    pub(super) fn open_beneath(&self, name: &[u8], flags: OFlag) -> io::Result<OwnedFd> {
        self.resolution.open(&self.fd, name, flags)
    }

    #[cfg(test)]
    pub(super) fn with_resolution(self, resolution: Resolution) -> Self {
        Self { resolution, ..self }
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Refuses what the system could not even be asked for.
pub(super) fn check(name: &[u8]) -> Result<(), OpenError> {
    if name.is_empty() || name.contains(&0) {
        return Err(OpenError::Refused(Reason::Name));
    }
    Ok(())
}
