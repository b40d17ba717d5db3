//! From a part to a file: in which order, so that a kill at any point leaves one or the other.

use std::io;

use super::Download;
use crate::files::disk::{Disk, DiskFile};

impl<D: Disk> Download<D> {
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
        self.part.file.sync()?;
        let entry = self.part.file.entry()?;
        let named = self.disk.look(&self.part.name)?.is_some_and(|it| it.is_same(&entry));
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
        self.disk.rename(&self.part.name, &self.name, self.force)?;
        self.over = true;
        Ok(())
    }

    /// Removes the journal, and has the names last.
    pub(super) fn clean(&self) -> io::Result<()> {
        self.disk.remove(&self.part.journal_name)?;
        self.disk.sync()
    }
}
