//! From a part to a file: in which order, so that a kill at any point leaves one or the other.

use std::{io, mem};

use super::part::Part;
use super::{Download, Phase, part};
use crate::files::storage::{FileKind, PRIVATE, Storage, StorageFile};
use crate::files::sync_each::unsynced;

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
    /// from what has verified, if the part has a name; only an error of `fsync(2)`, the last step, leaves
    /// the complete file under its name, though a crash of the system may undo that.
    pub fn finish(mut self) -> io::Result<()> {
        self.sync_contents()?;
        self.publish()?;
        self.clean()
    }

    /// [Finishes](Self::finish) several downloads, with the same guarantee for each: none has its name
    /// before its contents have reached the disk, and the names have, too, when this returns. But the
    /// disk is waited for far less often: the contents of small files begin their way there together, so that
    /// one commit of the file system's journal carries them all; many are waited for at once; and each folder
    /// is synced once. The results are in the order of the downloads.
    pub fn finish_all(downloads: Vec<Self>) -> Vec<io::Result<()>> {
        let mut all: Vec<_> = downloads.into_iter().map(Ok).collect();
        each(&mut all, |download| download.prepare());
        if all.len() > 1 {
            all.iter().flatten().for_each(Self::begin_sync);
        }
        // All are synced before the first gets its name, which would need a commit of its own.
        at_once(&mut all, |download| Some(&download.part.file), D::sync_files);
        each(&mut all, |download| {
            download.check_part()?;
            download.publish()?;
            download.part.remove_journal(&download.disk)
        });
        at_once(&mut all, |download| download.part.to_sync_again(), D::sync_files);
        at_once(&mut all, |download| Some(&download.disk), D::sync_folders);
        all.into_iter().map(|download| download.map(drop)).collect()
    }

    /// Has the contents begin their way to the disk, without a wait.
    fn begin_sync(&self) {
        if self.position() <= SMALL {
            self.part.file.begin_sync();
        }
    }

    /// All of it is there: it becomes what it will be under its name.
    fn prepare(&self) -> io::Result<()> {
        let Self { proven, position, .. } = self;
        let is_all_there = proven.size.is_none_or(|size| size == *position) || proven.is_complete();
        if self.phase != Phase::Started || !is_all_there {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let file = &self.part.file;
        file.set_mode(self.final_mode()?)?;
        self.modified.map_or(Ok(()), |time| file.set_modified(time))
    }

    /// That what was synced is what will get the name.
    fn check_part(&self) -> io::Result<()> {
        let length = self.proven.size.unwrap_or(self.position);
        if self.part.is_intact(&self.disk, length)? {
            return Ok(());
        }
        let what = "another program has moved the part, or changed its length";
        Err(io::Error::new(io::ErrorKind::InvalidData, what))
    }

    pub(super) fn sync_contents(&self) -> io::Result<()> {
        self.prepare()?;
        self.part.file.sync_all()?;
        self.check_part()
    }

    /// The permissions of the file that is replaced, or else those that the user lets new files have. What has
    /// no name replaces none.
    fn final_mode(&self) -> io::Result<u32> {
        let has_name = self.part.name().is_some();
        let replaced = if has_name { self.disk.look(&self.name)? } else { None };
        let replaced = replaced.filter(|it| it.kind == FileKind::File);
        Ok(replaced.map_or_else(|| self.disk.usual_mode(), |it| it.mode & PERMISSIONS))
    }

    pub(super) fn publish(&mut self) -> io::Result<()> {
        let published = match self.part.publish(&self.disk, &self.name, self.force) {
            Err(error) if self.part.name().is_none() && !self.is_taken(&error) => {
                self.name_part()?;
                self.sync_contents()?;
                self.part.publish(&self.disk, &self.name, self.force)
            }
            published => published,
        };
        if let Err(error) = published {
            // It is a part still.
            self.part.file.set_mode(PRIVATE)?;
            return Err(error);
        }
        self.phase = Phase::Over;
        Ok(())
    }

    /// Whether the error says that something has the name that is not to be replaced.
    fn is_taken(&self, error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::AlreadyExists && !self.force
    }

    /// Goes on with a part that has a name, and the same contents, where one without cannot be published: what
    /// has the name is to be replaced, or the system does not give a name to what has none.
    fn name_part(&mut self) -> io::Result<()> {
        let unnamed = mem::replace(&mut self.part, Part::claim_named(&self.disk, &self.name)?);
        let named = &self.part;
        named.journal.strike_from(0)?;
        named.file.truncate(0)?;
        let mut bytes = vec![0; usize::try_from(unnamed.file.status()?.length).unwrap_or(0)];
        let count = unnamed.file.read_all(&mut bytes, 0)?;
        named.file.write(&bytes[..count], 0)?;
        self.record(None)?;
        unnamed.journal.notes(self.generation, 0).try_for_each(|note| {
            let (number, digest) = note?;
            named.journal.note(self.generation, number, &digest)
        })
    }

    /// Removes the journal, and has the file last under its name.
    pub(super) fn clean(&self) -> io::Result<()> {
        self.part.remove_journal(&self.disk)?;
        self.part.to_sync_again().map_or(Ok(()), D::File::sync_all)?;
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

/// Takes a step with each that has had no error yet.
fn each<T>(all: &mut [io::Result<T>], mut step: impl FnMut(&mut T) -> io::Result<()>) {
    for result in all {
        let Ok(download) = result else { continue };
        if let Err(error) = step(download) {
            *result = Err(error);
        }
    }
}

/// Syncs what each has to be synced that has had no error yet. What `sync` gives no result for is not synced.
fn at_once<T, S>(
    all: &mut [io::Result<T>],
    of: impl Fn(&T) -> Option<&S>,
    sync: impl FnOnce(&[&S]) -> Vec<io::Result<()>>,
) {
    let some: Vec<&S> = all.iter().flatten().filter_map(&of).collect();
    let mut results = sync(&some).into_iter();
    each(all, |download| of(download).map_or(Ok(()), |_| results.next().unwrap_or_else(unsynced)));
}

impl<D: Storage> Drop for Download<D> {
    fn drop(&mut self) {
        // Errors are of no consequence here: what the journal says is checked in any case.
        let is_as_found = self.phase == Phase::Begun && self.part.length > 0;
        if is_as_found || self.phase == Phase::Over {
            return;
        }
        if self.proven.is_empty() {
            let _ = self.part.remove(&self.disk);
        } else if self.part.file.truncate(self.proven.end()).is_ok() {
            // What has not verified is gone, and so is the room reserved.
            let _ = self.seal();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_result_is_not_synced() {
        let broken = || Err(io::Error::other("broken before"));
        // An odd one has nothing to be synced.
        let mut all: Vec<io::Result<u8>> = vec![Ok(0), broken(), Ok(1), Ok(2), Ok(4)];
        at_once(
            &mut all,
            |number| (number % 2 == 0).then_some(number),
            |some| {
                assert_eq!(some, [&0, &2, &4]);
                vec![Ok(()), Err(io::Error::other("broken"))]
            },
        );
        let are_well: Vec<_> = all.iter().map(Result::is_ok).collect();
        assert_eq!(are_well, [true, false, true, false, false], "{all:?}");
    }
}
