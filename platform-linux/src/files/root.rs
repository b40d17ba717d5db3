//! The folder that a server serves.

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags, fstat, openat, openat2};
use rustix::io::{Errno, retry_on_intr};

use super::{OpenError, Reason, ServedFile, Version};

/// How often a name is resolved anew that was renamed meanwhile, or when a signal came.
const ATTEMPTS: u32 = 32;

/// Names lead beneath the root and nowhere else (`openat2(2)`, Linux 5.6): neither `..` nor a link
/// leaves it, not even while folders and links are swapped; absolute links are refused, also those
/// that lead back in, and so are those of `/proc` that are no paths at all.
const BENEATH: ResolveFlags = ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS);

/// A folder whose files are served, and nothing else is.
///
/// It is the folder itself, not its name: what is renamed or mounted over it later is not served.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
}

impl Root {
    /// The folder at `path`. The path itself may lead through links of any kind.
    ///
    /// # Errors
    /// Those of `open(2)`: [`NotFound`](io::ErrorKind::NotFound), or
    /// [`NotADirectory`](io::ErrorKind::NotADirectory), say.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let path = path.as_ref();
        Ok(Self { fd: retry_on_intr(|| openat(CWD, path, flags, Mode::empty()))? })
    }

    /// Opens the regular file that `name` leads to, from here on down. It takes two system calls,
    /// `openat2(2)` and `fstat(2)`, and for a name under 256 bytes no allocation.
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
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = self.open_beneath(name, flags)?;
        let stat = fstat(&fd)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(OpenError::Refused(Reason::Kind));
        }
        Ok(ServedFile::new(fd, Version::of(&stat)))
    }

    /// Opens whatever `name` leads to. Always close-on-exec.
    pub(super) fn open_beneath(&self, name: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
        let mut left = ATTEMPTS;
        loop {
            match openat2(&self.fd, name, flags | OFlags::CLOEXEC, Mode::empty(), BENEATH) {
                Err(Errno::AGAIN | Errno::INTR) if left > 0 => left -= 1,
                result => return result,
            }
        }
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
