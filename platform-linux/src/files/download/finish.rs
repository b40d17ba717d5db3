//! From a part to a file: in which order, so that a kill at any point leaves one or the other.

use std::io;

use super::{Download, Phase, part};
use crate::files::storage::{FileKind, FileStatus, PRIVATE, Storage, StorageFile};

/// What is at most so long in bytes is on its way to the disk as a whole when it is complete.
const SMALL: u64 = 1 << 20;
/// Reading, writing and executing, for everybody; what else a mode says is not kept (`inode(7)`).
const PERMISSIONS: u32 = 0o777;

impl<D: Storage> Download<D> {
    /// The contents are complete: they are made to last, and get their name.
    ///
    /// The file has the permissions of the one that it replaces (not its owner), or else those that
    /// the user lets new files have; and from the moment on at which it has its name, the
    /// [time](Self::set_modified) at which its contents were modified.
    ///
    /// # Errors
    /// [`UnexpectedEof`](io::ErrorKind::UnexpectedEof) if they are not complete;
    /// [`InvalidData`](io::ErrorKind::InvalidData) if somebody else has moved the part, or changed its
    /// length;
    /// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has got the name meanwhile that is
    /// not to be replaced; others of `fdatasync(2)` and `rename(2)`. After these the next run can go on
    /// from what has verified; only an error of `fsync(2)`, the last step, leaves the complete file
    /// under its name, though a crash of the system may undo that.
    pub fn finish(mut self) -> io::Result<()> {
        self.sync_contents()?;
        self.publish()?;
        self.clean()
    }

    /// [Finishes](Self::finish) several downloads, with the same guarantee for each: none has its name
    /// before its contents have reached the disk, and the names have, too, when this returns. But the
    /// disk is waited for far less often: the contents of small files begin their way there together,
    /// so that one commit of the file system's journal carries them all, and each folder is synced
    /// once. The results are in the order of the downloads.
    pub fn finish_all(downloads: Vec<Self>) -> Vec<io::Result<()>> {
        if downloads.len() > 1 {
            downloads.iter().for_each(Self::begin_sync);
        }
        // All are synced before the first is renamed, which would need a commit of its own.
        let on_disk: Vec<io::Result<Self>> = downloads
            .into_iter()
            .map(|download| download.sync_contents().map(|()| download))
            .collect();
        let publish = |mut download: Self| {
            download.publish()?;
            download.disk.remove(&download.part.journal_name)?;
            Ok(download)
        };
        let published: Vec<io::Result<Self>> =
            on_disk.into_iter().map(|download| download.and_then(publish)).collect();
        let mut synced: Vec<FileStatus> = Vec::new();
        let mut sync = |download: Self| {
            let folder = download.disk.status()?;
            if !synced.iter().any(|it| it.is_same(&folder)) {
                download.disk.sync()?;
                synced.push(folder);
            }
            Ok(())
        };
        published.into_iter().map(|published| published.and_then(&mut sync)).collect()
    }

    /// Has the contents begin their way to the disk, without a wait.
    fn begin_sync(&self) {
        if self.position() <= SMALL {
            self.part.file.begin_sync();
        }
    }

    pub(super) fn sync_contents(&self) -> io::Result<()> {
        let Self { proven, position, .. } = self;
        let is_all_there = proven.size.is_none_or(|size| size == *position) || proven.is_complete();
        if self.phase != Phase::Started || !is_all_there {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let file = &self.part.file;
        file.set_mode(self.final_mode()?)?;
        if let Some(time) = self.modified {
            file.set_modified(time)?;
        }
        file.sync_all()?;
        let status = file.status()?;
        let named = self.disk.look(&self.part.name)?.is_some_and(|it| it.is_same(&status));
        if !named || status.length != proven.size.unwrap_or(*position) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "another program has moved the part, or changed its length",
            ));
        }
        Ok(())
    }

    /// The permissions of the file that is replaced, or else those that the user lets new files have.
    fn final_mode(&self) -> io::Result<u32> {
        let replaced = self.disk.look(&self.name)?.filter(|it| it.kind == FileKind::File);
        Ok(replaced.map_or_else(|| self.disk.usual_mode(), |it| it.mode & PERMISSIONS))
    }

    pub(super) fn publish(&mut self) -> io::Result<()> {
        if let Err(error) = self.disk.rename(&self.part.name, &self.name, self.force) {
            // It is a part still.
            self.part.file.set_mode(PRIVATE)?;
            return Err(error);
        }
        self.phase = Phase::Over;
        Ok(())
    }

    /// Removes the journal, and has the names last.
    pub(super) fn clean(&self) -> io::Result<()> {
        self.disk.remove(&self.part.journal_name)?;
        self.disk.sync()
    }

    /// Removes what lies beside the file `name` of a run that was killed when it had given the file its name,
    /// and not done more. [`begin`](Self::begin) does so itself.
    ///
    /// # Errors
    /// Those of `open(2)` and `unlink(2)`.
    pub fn clear_published(disk: &D, name: &[u8]) -> io::Result<()> {
        part::clear_published(disk, name)
    }
}
