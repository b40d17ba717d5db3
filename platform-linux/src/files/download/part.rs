//! Finding, or making, the file that a download is written to.

#[cfg(test)]
mod tests;

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{FlockOperation, Mode, flock};
use rustix::io::{Errno, retry_on_intr};

use super::journal::{Journal, Reading, Record};
use super::names::names;
use crate::files::folder::{Entry, Folder};

/// How many names for a part are tried, when what has them is not this program's.
const NAMES: u32 = 9;
/// How often a name is tried anew when it comes and goes.
const ATTEMPTS: u32 = 16;

/// A part with its journal, which nobody else writes to as long as it is held.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) fd: OwnedFd,
    pub(super) name: Vec<u8>,
    pub(super) journal: Journal,
    pub(super) journal_name: Vec<u8>,
    /// As it was found.
    pub(super) entry: Entry,
    /// What the journal says of this very file.
    pub(super) record: Option<Record>,
}

impl Part {
    /// The part of what will be `name`: the one that an earlier run has left, or a new one.
    ///
    /// What is not this program's (a link, a folder, another's file, or one that no journal lies
    /// beside: another program's part, perhaps, or a file that is really called so) is left as it is,
    /// and the next name tried.
    pub(super) fn claim(folder: &Folder, name: &[u8]) -> io::Result<Self> {
        for number in 1..=NAMES {
            if let Some(part) = Self::try_claim(folder, name, number)? {
                return Ok(part);
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "other files have all the names for the part",
        ))
    }

    fn try_claim(folder: &Folder, target: &[u8], number: u32) -> io::Result<Option<Self>> {
        let (name, journal_name) = names(target, number);
        if folder.expects(&name) || folder.expects(&journal_name) {
            return Ok(None);
        }
        for _ in 0..ATTEMPTS {
            let (fd, journal) = match folder.open_existing(&name) {
                Ok(fd) => (fd, None),
                Err(Errno::NOENT) => {
                    let Some(journal) = open_or_create(folder, &journal_name)? else {
                        return Ok(None);
                    };
                    match folder.create(&name, Mode::from_raw_mode(0o666)) {
                        Ok(fd) => (fd, Some(journal)),
                        Err(Errno::EXIST) => continue,
                        Err(errno) => {
                            folder.remove(&journal_name)?;
                            return Err(errno.into());
                        }
                    }
                }
                Err(errno) if is_strange(errno) => return Ok(None),
                Err(errno) => return Err(errno.into()),
            };
            let entry = Entry::of(&fd)?;
            if entry.links == 2 && folder.look(target)?.is_some_and(|it| it.is_same(&entry)) {
                // Killed after it had been linked to its final name.
                folder.remove(&name)?;
                continue;
            }
            if entry.links > 1 || !folder.owns(&entry)? {
                return Ok(None);
            }
            lock(&fd)?;
            // While it was not locked, another may have finished or removed it.
            let entry = Entry::of(&fd)?;
            if !folder.look(&name)?.is_some_and(|it| it.is_same(&entry)) {
                continue;
            }
            let journal = match journal {
                Some(journal) => Some(journal),
                None => open(folder, &journal_name)?,
            };
            let Some((journal, record)) = journal else { return Ok(None) };
            if record.is_some_and(|record| speaks_of_another(&record, &entry)) {
                return Ok(None);
            }
            let record = record.filter(|record| record.part == entry.mark);
            return Ok(Some(Self { fd, name, journal, journal_name, entry, record }));
        }
        Err(io::ErrorKind::ResourceBusy.into())
    }
}

/// Whether the journal is that of a part which is gone, and somebody else's file has its name now.
/// An empty file is not worth the question; and where files bear no time of creation, their numbers
/// may change from one day to the next, and say nothing.
fn speaks_of_another(record: &Record, entry: &Entry) -> bool {
    let known = record.part.born != 0 && entry.mark.born != 0;
    known && entry.length > 0 && record.part != entry.mark
}

/// A journal, and what it says.
type Found = (Journal, Option<Record>);

/// The journal, which is created unless it is there: before the part, since a part without a journal
/// is not this program's. `None` if something else has its name.
fn open_or_create(folder: &Folder, name: &[u8]) -> io::Result<Option<Found>> {
    match folder.create(name, Mode::RUSR | Mode::WUSR) {
        Ok(fd) => Ok(Some((Journal(fd), None))),
        Err(Errno::EXIST) => open(folder, name),
        Err(errno) => Err(errno.into()),
    }
}

/// The journal that is there, and what it says, if it is this program's.
fn open(folder: &Folder, name: &[u8]) -> io::Result<Option<Found>> {
    match folder.open_existing(name) {
        Ok(fd) => {
            let entry = Entry::of(&fd)?;
            if entry.links != 1 || !folder.owns(&entry)? {
                return Ok(None);
            }
            let journal = Journal(fd);
            Ok(match journal.read()? {
                Reading::Says(record) => Some((journal, Some(record))),
                Reading::Torn => Some((journal, None)),
                Reading::Foreign => None,
            })
        }
        Err(Errno::NOENT) => Ok(None),
        Err(errno) if is_strange(errno) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

/// Whether it is no file that could be this program's: a link, a folder, a socket or device, a
/// program that runs, or not to be read and written.
fn is_strange(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::LOOP
            | Errno::ISDIR
            | Errno::NXIO
            | Errno::NODEV
            | Errno::ACCESS
            | Errno::PERM
            | Errno::TXTBSY
    )
}

/// Keeps others that download to the same file away (`flock(2)`).
fn lock(fd: &OwnedFd) -> io::Result<()> {
    match retry_on_intr(|| flock(fd, FlockOperation::NonBlockingLockExclusive)) {
        // A file system without locks has no protection to offer.
        Ok(()) | Err(Errno::NOLCK | Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL) => Ok(()),
        Err(Errno::WOULDBLOCK) => {
            Err(io::Error::new(io::ErrorKind::ResourceBusy, "another download of it is under way"))
        }
        Err(errno) => Err(errno.into()),
    }
}
