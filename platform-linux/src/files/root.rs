//! The folder that a server serves.

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::sys::stat::Mode;

use super::file_system::FileSystem;
use super::part_names::is_like_a_part;
use super::storage::FileKind;
use super::{OpenError, Reason, ServedFile, Version};
use crate::sys::beneath::Resolution;
use crate::sys::{retry, statx};

/// Not to wait for a FIFO's writer; not to be given a terminal.
const FILE: OFlag = OFlag::O_RDONLY.union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY);

/// A folder whose files are served, and nothing else is.
///
/// Names lead beneath it and nowhere else, whoever [resolves](Resolution) them: neither `..` nor a link
/// leaves it, not even while folders and links are swapped; absolute links are refused, also those that
/// lead back in, and so are those of `/proc` that are no paths at all.
///
/// It is the folder itself, not its name: what is renamed or mounted over it later is not served. Nor is
/// what is hidden, unless [that is wanted](Self::with_hidden): names that begin with a dot, what is
/// beneath such folders, and parts of downloads (`NAME.part`, `NAME.part.journal`). A link that has
/// another name leads there all the same: who made it meant to show what is behind it.
#[derive(Debug)]
pub struct Root {
    fd: OwnedFd,
    resolution: Resolution,
    shows_hidden: bool,
    /// What the files on the folder's own device can be expected to be.
    file_system: FileSystem,
    device: (u32, u32),
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
        let (file_system, device) = (FileSystem::of(&fd)?, statx(&fd)?.device);
        Ok(Self { fd, resolution, shows_hidden: false, file_system, device })
    }

    /// Whether it can be listed, by whoever the process is now.
    ///
    /// # Errors
    /// Those of `open(2)`: [`PermissionDenied`](io::ErrorKind::PermissionDenied) if not even names in it lead
    /// anywhere, say.
    pub fn is_listable(&self) -> io::Result<bool> {
        let flags = OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        match retry(|| openat(&self.fd, ".", flags, Mode::empty())) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                // For which it takes the right to go through it alone.
                retry(|| openat(&self.fd, ".", flags | OFlag::O_PATH, Mode::empty()))?;
                Ok(false)
            }
            opened => opened.map(|_| true),
        }
    }

    /// Who resolves names.
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Serves what is hidden as well, or does not.
    #[must_use]
    pub fn with_hidden(self, shows_hidden: bool) -> Self {
        Self { shows_hidden, ..self }
    }

    /// Opens the regular file that `name` leads to, from here on down. Where the kernel resolves names, it
    /// takes two system calls, `openat2(2)` and `statx(2)`; `fstatfs(2)` besides on another device than the
    /// root's, and one read of an empty file.
    ///
    /// A file whose size says nothing of what it contains is refused: those that the kernel makes when
    /// they are read (in `/proc` and `/sys`, say), and any that is empty and yields bytes all the same.
    ///
    /// What else the name may lead to is opened too, for a moment, and without waiting for anything:
    /// to look at it first would cost twice as much for every file, for the sake of devices and
    /// FIFOs, which only its owner can have put beneath the root. Whoever has them there should know
    /// that a FIFO's waiting writer then meets a reader, and that to open a device can be to use it.
    ///
    /// # Errors
    /// [`OpenError::NotFound`] if nothing is there; [`OpenError::Hidden`] for what is hidden;
    /// [`OpenError::Refused`] for what leads out, may not be read, or is no regular file, and for an
    /// empty name or one with a NUL; [`OpenError::Busy`] when descriptors or memory have run out;
    /// [`OpenError::Failed`] for the other errors of `openat2(2)`.
    pub fn open_file(&self, name: &[u8]) -> Result<ServedFile, OpenError> {
        self.check_file(name)?;
        self.served(self.open_beneath(name, FILE)?)
    }

    /// As [`open_file`](Self::open_file), if that need not wait for a disk, another machine or another
    /// program. If it may have to, `None`: whatever the name leads to is mounted beneath the root, or not
    /// all of the folders that lead there are in memory.
    ///
    /// # Errors
    /// As [`open_file`](Self::open_file).
    pub fn open_file_at_once(&self, name: &[u8]) -> Result<Option<ServedFile>, OpenError> {
        if self.file_system == FileSystem::Remote {
            return Ok(None);
        }
        self.check_file(name)?;
        let opened = self.resolution.open_at_once(&self.fd, name, FILE)?;
        opened.map(|fd| self.served(fd)).transpose()
    }

    fn check_file(&self, name: &[u8]) -> Result<(), OpenError> {
        let last = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        self.check(name, self.hides(last, FileKind::File))
    }

    /// What was opened, if it is to be served.
    fn served(&self, fd: OwnedFd) -> Result<ServedFile, OpenError> {
        let statx = statx(&fd)?;
        if FileKind::of(statx.mode) != FileKind::File {
            return Err(OpenError::Refused(Reason::Kind));
        }
        let is_elsewhere = statx.device != self.device;
        let file_system = if is_elsewhere { FileSystem::of(&fd)? } else { self.file_system };
        let opened = ServedFile::new(fd, file_system, Version::of(&statx));
        if file_system == FileSystem::Generated
            || opened.size() == 0 && opened.read_at(0, &mut [0])? > 0
        {
            return Err(OpenError::Refused(Reason::Size));
        }
        Ok(opened)
    }

    /// Whether something of this kind is not to be seen, by its own name.
    pub(super) fn hides(&self, name: &[u8], kind: FileKind) -> bool {
        let is_hidden = name.starts_with(b".") && !matches!(name, b"." | b"..");
        !self.shows_hidden && (is_hidden || kind == FileKind::File && is_like_a_part(name))
    }

    /// Refuses what the system could not even be asked for, and what is not to be seen: what
    /// `is_hidden` itself, or lies in a folder that is.
    pub(super) fn check(&self, name: &[u8], is_hidden: bool) -> Result<(), OpenError> {
        if name.is_empty() || name.contains(&0) {
            return Err(OpenError::Refused(Reason::Name));
        }
        let mut folders = name.split(|byte| *byte == b'/');
        if !is_hidden && !folders.any(|folder| self.hides(folder, FileKind::Folder)) {
            return Ok(());
        }
        // What leads out is refused, whatever it is called.
        match self.open_beneath(name, OFlag::O_PATH).map_err(OpenError::from) {
            Err(refusal) if refusal.raw_os_error() == Some(Errno::EXDEV as i32) => Err(refusal),
            _ => Err(OpenError::Hidden),
        }
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
