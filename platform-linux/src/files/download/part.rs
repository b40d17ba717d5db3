//! Finding, or making, the file that a download is written to.

#[cfg(test)]
mod tests;

use std::io;

use super::journal::{Journal, JournalState};
use super::record::JournalRecord;
use crate::files::part_names::names;
use crate::files::storage::{FileStatus, Found, PRIVATE, Storage, StorageFile};

/// How many names for a part are tried, when what has them is not this program's.
const NAMES: u32 = 9;
/// How often a name is tried anew when it comes and goes.
const ATTEMPTS: u32 = 16;

/// A part with its journal, which nobody else writes to as long as it is held.
#[derive(Debug)]
pub(super) struct Part<F> {
    pub(super) file: F,
    pub(super) name: Vec<u8>,
    pub(super) journal: Journal<F>,
    pub(super) journal_name: Vec<u8>,
    /// It was not there before.
    pub(super) is_new: bool,
    pub(super) status: FileStatus,
    /// What the journal says of this very file.
    pub(super) record: Option<JournalRecord>,
}

impl<F: StorageFile> Part<F> {
    /// The part of what will be `name`: the one that an earlier run has left, or a new one.
    ///
    /// What is not this program's (a link, a folder, another's file, or one that no journal lies
    /// beside: another program's part, perhaps, or a file that is really called so) is left as it is,
    /// and the next name tried.
    pub(super) fn claim(disk: &impl Storage<File = F>, name: &[u8]) -> io::Result<Self> {
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
            return Ok(Some(Self { file, name, journal, journal_name, is_new, status, record }));
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }
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
        Ok(file) => Ok(Some((Journal(file), None))),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match open(disk, name)? {
            Some((_, Some(_))) => {
                disk.remove(name)?;
                Ok(Some((Journal(disk.create(name)?), None)))
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
    let journal = Journal(file);
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
