//! From a part to a file: in which order, so that a kill at any point leaves one or the other.

use std::io;

use rustix::fs::{AtFlags, RenameFlags, fdatasync, linkat, renameat, renameat_with};
use rustix::io::{Errno, retry_on_intr};

use super::Download;
use crate::files::folder::Entry;

impl Download {
    /// The contents are complete: they are made to last, and get their name.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if they are not complete;
    /// [`InvalidData`](io::ErrorKind::InvalidData) if somebody else has changed or moved the part;
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has got the name meanwhile that is
    /// not to be replaced; others of `fdatasync(2)` and `rename(2)`. After these the next run can go on
    /// from what has verified; only an error of `fsync(2)`, the last step, leaves the complete file
    /// under its name, though a crash of the system may undo that.
    pub fn finish(mut self) -> io::Result<()> {
        self.settle()?;
        self.publish()?;
        self.clean()
    }

    /// Has the whole reach the disk.
    pub(super) fn settle(&self) -> io::Result<()> {
        if !self.started || self.size.is_some_and(|size| size != self.position) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        retry_on_intr(|| fdatasync(&self.part.fd))?;
        let entry = Entry::of(&self.part.fd)?;
        let named = self.folder.look(&self.part.name)?.is_some_and(|it| it.is_same(&entry));
        if !named || entry.length != self.position {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the part was changed by somebody else",
            ));
        }
        Ok(())
    }

    /// Gives the part its final name.
    pub(super) fn publish(&mut self) -> io::Result<()> {
        let fd = self.folder.fd();
        let renamed = if self.force {
            renameat(fd, &self.part.name, fd, &self.name)
        } else {
            renameat_with(fd, &self.part.name, fd, &self.name, RenameFlags::NOREPLACE)
        };
        match renamed {
            // The file system, or the kernel, cannot rename so.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if !self.force => self.link(),
            renamed => {
                renamed?;
                self.over = true;
                Ok(())
            }
        }
    }

    /// Gives the part its final name unless something has it, as older means can: by a second name,
    /// or where there is no such thing, by looking first.
    pub(super) fn link(&mut self) -> io::Result<()> {
        let fd = self.folder.fd();
        match linkat(fd, &self.part.name, fd, &self.name, AtFlags::empty()) {
            Ok(()) => {
                self.over = true;
                return self.folder.remove(&self.part.name);
            }
            Err(Errno::EXIST) => return Err(Errno::EXIST.into()),
            Err(_) if self.folder.look(&self.name)?.is_some() => return Err(Errno::EXIST.into()),
            Err(_) => renameat(fd, &self.part.name, fd, &self.name)?,
        }
        self.over = true;
        Ok(())
    }

    /// Removes the journal, and has the names last.
    pub(super) fn clean(&self) -> io::Result<()> {
        self.folder.remove(&self.part.journal_name)?;
        self.folder.sync()
    }
}
