//! Finding, or making, the file that a download is written to, and giving it its name.

#[cfg(test)]
mod tests;

use std::io;

use super::journal::{Journal, JournalState};
use super::record::JournalRecord;
use crate::files::part_names::names;
use crate::files::storage::{FileId, FileStatus, Found, PRIVATE, Storage, StorageFile};

/// How many names for a part are tried, when what has them is not this program's.
const NAMES: u32 = 9;
/// How often a name is tried anew when it comes and goes.
const ATTEMPTS: u32 = 16;

/// Where contents are until they are whole.
///
/// With a name, `NAME.part`, it has a journal beside it, and nobody else writes to it as long as it is held.
/// Without one it is gone when it is closed, however that comes; nothing of it is left to be cleared away, and
/// nothing can be gone on with.
#[derive(Debug)]
pub(super) struct Part<F> {
    pub(super) file: F,
    pub(super) journal: Journal<F>,
    names: Option<PartNames>,
    /// It was not there before.
    pub(super) is_new: bool,
    pub(super) id: FileId,
    /// As it was found, in bytes.
    pub(super) length: u64,
    /// What the journal says of this very file.
    pub(super) record: Option<JournalRecord>,
}

#[derive(Debug)]
struct PartNames {
    part: Vec<u8>,
    journal: Vec<u8>,
}

impl<F: StorageFile> Part<F> {
    /// The part of what will be `name`, which nothing has: the one that an earlier run has left, or else one
    /// without a name, where there are such.
    pub(super) fn claim(disk: &impl Storage<File = F>, name: &[u8]) -> io::Result<Self> {
        if !is_anything_left(disk, name)?
            && let Some(file) = disk.create_unnamed()
        {
            let (journal, id) = (Journal::in_memory(), FileId { inode: 0, born: 0 });
            let (names, record) = (None, None);
            return Ok(Self { file, journal, names, is_new: true, id, length: 0, record });
        }
        Self::claim_named(disk, name)
    }

    /// The part of what will be `name`: the one that an earlier run has left, or a new one.
    ///
    /// What is not this program's (a link, a folder, another's file, or one that no journal lies
    /// beside: another program's part, perhaps, or a file that is really called so) is left as it is,
    /// and the next name tried.
    pub(super) fn claim_named(disk: &impl Storage<File = F>, name: &[u8]) -> io::Result<Self> {
        for number in 1..=NAMES {
            if let Some(part) = Self::try_claim(disk, name, number)? {
                return Ok(part);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "other files have all the names for the part",
        ))
    }

    fn try_claim(
        disk: &impl Storage<File = F>,
        target: &[u8],
        number: u32,
    ) -> io::Result<Option<Self>> {
        let (name, journal_name) = names(target, number);
        if disk.expects(&name) || disk.expects(&journal_name) {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let (file, journal) = match disk.open_found(&name)? {
                Found::File(file) => (file, None),
                Found::Strange => return Ok(None),
                Found::Nothing => {
                    let Some(journal) = open_or_create(disk, &journal_name)? else {
                        return Ok(None);
                    };
                    match disk.create(&name) {
                        Ok(file) => (file, Some(journal)),
                        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                        Err(error) => {
                            disk.remove(&journal_name)?;
                            return Err(error);
                        }
                    }
                }
            };
            let status = file.status()?;
            if status.links == 2 && disk.look(target)?.is_some_and(|it| it.is_same(&status)) {
                // Killed after it had been linked to its final name.
                disk.remove(&name)?;
                continue;
            }
            if status.links > 1 || !disk.owns(&status)? {
                return Ok(None);
            }
            lock(&file)?;
            // While it was not locked, another may have finished or removed it.
            let Some(status) = disk.look(&name)?.filter(|it| it.is_same(&status)) else { continue };
            if status.mode != PRIVATE {
                // Killed just before it got its name.
                file.set_mode(PRIVATE)?;
            }
            let is_new = journal.is_some();
            let journal = match journal {
                Some(journal) => Some(journal),
                None => open(disk, &journal_name)?,
            };
            let Some((journal, record)) = journal else { return Ok(None) };
            if record.is_some_and(|record| speaks_of_another(&record, &status)) {
                return Ok(None);
            }
            let record = record.filter(|record| record.part == status.id);
            let names = Some(PartNames { part: name, journal: journal_name });
            let FileStatus { id, length, .. } = status;
            return Ok(Some(Self { file, journal, names, is_new, id, length, record }));
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }

    /// Its name, if it has one.
    pub(super) fn name(&self) -> Option<&[u8]> {
        self.names.as_ref().map(|names| &names.part[..])
    }

    /// Whether it has this length, and nobody has moved it. Nobody else knows of one without a name.
    pub(super) fn is_intact(&self, disk: &impl Storage<File = F>, length: u64) -> io::Result<bool> {
        let Some(name) = self.name() else { return Ok(true) };
        let status = self.file.status()?;
        let is_in_place = disk.look(name)?.is_some_and(|it| it.is_same(&status));
        Ok(is_in_place && status.length == length)
    }

    /// Gives it its final name, `target`.
    pub(super) fn publish(
        &self,
        disk: &impl Storage<File = F>,
        target: &[u8],
        replaces: bool,
    ) -> io::Result<()> {
        match self.name() {
            Some(name) => disk.rename(name, target, replaces),
            None => disk.link(&self.file, target),
        }
    }

    /// What is to be synced when it is published: what reached the disk when it had no name may not be found
    /// there if only the name is made to last afterwards (`btrfs` keeps no log of a file without a name).
    pub(super) fn to_sync_again(&self) -> Option<&F> {
        self.names.is_none().then_some(&self.file)
    }

    /// Once it is published, the journal is of no use.
    pub(super) fn remove_journal(&self, disk: &impl Storage<File = F>) -> io::Result<()> {
        self.names.as_ref().map_or(Ok(()), |names| disk.remove(&names.journal))
    }

    /// A journal without a part does no harm; the other way round it would.
    pub(super) fn remove(&self, disk: &impl Storage<File = F>) -> io::Result<()> {
        let Some(names) = &self.names else { return Ok(()) };
        disk.remove(&names.part)?;
        disk.remove(&names.journal)
    }
}

/// Whether an earlier run may have left a part, or a journal, of what will be `target`.
fn is_anything_left(disk: &impl Storage, target: &[u8]) -> io::Result<bool> {
    for number in 1..=NAMES {
        let (name, journal_name) = names(target, number);
        if disk.expects(&name) || disk.expects(&journal_name) {
            continue;
        }
        if disk.look(&journal_name)?.is_some() {
            return Ok(true);
        }
        // Where this name was free for a part, no run has tried the next.
        if disk.look(&name)?.is_none() {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Removes what a run has left beside the file `target` that was killed when the file had its name already:
/// the journal, and where names are given by links, the part's.
pub(super) fn clear_published(disk: &impl Storage, target: &[u8]) -> io::Result<()> {
    let Some(published) = disk.look(target)? else { return Ok(()) };
    for number in 1..=NAMES {
        let (name, journal_name) = names(target, number);
        if disk.expects(&name) || disk.expects(&journal_name) {
            continue;
        }
        match disk.look(&name)? {
            Some(part) if part.links == 2 && part.is_same(&published) => disk.remove(&name)?,
            Some(_) => continue,
            None => {}
        }
        // Where this name was free for a part, no run has tried the next.
        return match open(disk, &journal_name)? {
            Some((_, Some(record))) if record.part == published.id => disk.remove(&journal_name),
            _ => Ok(()),
        };
    }
    Ok(())
}

/// Whether the journal is that of a part which is gone, and somebody else's file has its name now.
/// An empty file is not worth the question; and where files bear no time of creation, their numbers
/// may change from one day to the next, and say nothing.
fn speaks_of_another(record: &JournalRecord, status: &FileStatus) -> bool {
    let known = record.part.born != 0 && status.id.born != 0;
    known && status.length > 0 && record.part != status.id
}

type Journaled<F> = (Journal<F>, Option<JournalRecord>);

/// The journal, which is created before the part, since a part without a journal is not this
/// program's. `None` if something else has its name.
///
/// One that speaks of a part which is gone is not written to: a crash may undo that, and then the
/// new part would be another's. It makes room for a new one.
fn open_or_create<D: Storage>(disk: &D, name: &[u8]) -> io::Result<Option<Journaled<D::File>>> {
    match disk.create(name) {
        Ok(file) => Ok(Some((Journal::File(file), None))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match open(disk, name)? {
            Some((_, Some(_))) => {
                disk.remove(name)?;
                Ok(Some((Journal::File(disk.create(name)?), None)))
            }
            found => Ok(found),
        },
        Err(error) => Err(error),
    }
}

/// The journal that is there, and what it says, if it is this program's.
fn open<D: Storage>(disk: &D, name: &[u8]) -> io::Result<Option<Journaled<D::File>>> {
    let Found::File(file) = disk.open_found(name)? else { return Ok(None) };
    let status = file.status()?;
    if status.links != 1 || !disk.owns(&status)? {
        return Ok(None);
    }
    let journal = Journal::File(file);
    Ok(match journal.read()? {
        JournalState::Says(record) => Some((journal, Some(record))),
        JournalState::Torn => Some((journal, None)),
        JournalState::Foreign => None,
    })
}

/// Keeps others that download to the same file away.
fn lock(file: &impl StorageFile) -> io::Result<()> {
    file.lock().map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            io::Error::new(io::ErrorKind::ResourceBusy, "another download of it is under way")
        }
        _ => error,
    })
}
