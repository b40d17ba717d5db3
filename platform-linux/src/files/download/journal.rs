//! The journal beside a part: a record of what it is, and the digests of what is proven of it.

use std::cell::RefCell;
use std::io;

use barewire_core::file::Digest;

use super::record::{self, JournalRecord};
use crate::files::storage::StorageFile;
use crate::files::version;

/// What a disk writes whole or not at all, in bytes. The digests begin behind the one of the record.
const SECTOR: usize = 512;
/// How many bytes each takes: 32, and 8 that tell whether it is whole, and of this generation.
const ENTRY: usize = 40;
/// How many are read at once.
const AT_ONCE: usize = 256;

/// What reading a journal gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JournalState {
    /// A whole record.
    Says(JournalRecord),
    /// Nothing, or only a piece of it.
    Torn,
    /// It is no journal.
    Foreign,
}

/// A journal, in a file or only in memory.
#[derive(Debug)]
pub(super) enum Journal<F> {
    File(F),
    Memory(RefCell<Vec<u8>>),
}

impl<F: StorageFile> Journal<F> {
    /// One that ends with this process, as what it speaks of does.
    pub(super) fn in_memory() -> Self {
        Self::Memory(RefCell::default())
    }

    /// Reads the record.
    pub(super) fn read(&self) -> io::Result<JournalState> {
        let mut sector = [0; SECTOR];
        let count = self.read_at(&mut sector, 0)?;
        let bytes = &sector[..count];
        let whole = bytes.first_chunk().and_then(JournalRecord::decode);
        Ok(match whole {
            Some(record) => JournalState::Says(record),
            None if record::is_torn(bytes) => JournalState::Torn,
            None => JournalState::Foreign,
        })
    }

    /// Writes the record.
    pub(super) fn write(&self, record: &JournalRecord) -> io::Result<()> {
        self.write_at(&record.encode(), 0)
    }

    /// Notes that the segment `number` has this digest.
    pub(super) fn note(&self, generation: u64, number: u64, digest: &Digest) -> io::Result<()> {
        let mut entry = [0; ENTRY];
        entry[..32].copy_from_slice(digest);
        entry[32..].copy_from_slice(&check(generation, number, digest).to_le_bytes());
        self.write_at(&entry, place(number))
    }

    /// Strikes out what was noted of the segment `number`.
    pub(super) fn strike(&self, number: u64) -> io::Result<()> {
        self.write_at(&[0; ENTRY], place(number))
    }

    /// Strikes out what was noted of all segments from `number` on.
    pub(super) fn strike_from(&self, number: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.truncate(place(number)),
            Self::Memory(bytes) => {
                bytes.borrow_mut().truncate(index(place(number)));
                Ok(())
            }
        }
    }

    /// What is noted of the segments from `number` on.
    pub(super) fn notes(&self, generation: u64, number: u64) -> Notes<'_, F> {
        Notes { journal: self, generation, next: number, buffer: Vec::new(), read: 0 }
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        match self {
            Self::File(file) => file.sync(),
            Self::Memory(_) => Ok(()),
        }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::File(file) => file.read_all(buffer, offset),
            Self::Memory(bytes) => {
                let bytes = bytes.borrow();
                let rest = bytes.get(index(offset)..).unwrap_or_default();
                let count = rest.len().min(buffer.len());
                buffer[..count].copy_from_slice(&rest[..count]);
                Ok(count)
            }
        }
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        match self {
            Self::File(file) => file.write(bytes, offset),
            Self::Memory(all) => {
                let (mut all, start) = (all.borrow_mut(), index(offset));
                let end = start + bytes.len();
                if all.len() < end {
                    all.resize(end, 0);
                }
                all[start..end].copy_from_slice(bytes);
                Ok(())
            }
        }
    }
}

/// The digests noted, with the numbers of their segments, in order. What is torn, or of another
/// generation, is left out.
#[derive(Debug)]
pub(super) struct Notes<'a, F> {
    journal: &'a Journal<F>,
    generation: u64,
    /// The number of what comes next in the buffer.
    next: u64,
    buffer: Vec<u8>,
    read: usize,
}

impl<F: StorageFile> Notes<'_, F> {
    fn read_next(&mut self) -> io::Result<Option<(u64, Digest)>> {
        loop {
            let Some(entry) = self.buffer[self.read..].first_chunk::<ENTRY>() else {
                self.buffer.resize(AT_ONCE * ENTRY, 0);
                let count = self.journal.read_at(&mut self.buffer, place(self.next))?;
                self.buffer.truncate(count / ENTRY * ENTRY);
                self.read = 0;
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                continue;
            };
            let (number, mut digest, mut noted) = (self.next, Digest::default(), [0; 8]);
            digest.copy_from_slice(&entry[..32]);
            noted.copy_from_slice(&entry[32..]);
            self.next += 1;
            self.read += ENTRY;
            if u64::from_le_bytes(noted) == check(self.generation, number, &digest) {
                return Ok(Some((number, digest)));
            }
        }
    }
}

impl<F: StorageFile> Iterator for Notes<'_, F> {
    type Item = io::Result<(u64, Digest)>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read_next().transpose()
    }
}

/// Where the digest of the segment `number` is.
fn place(number: u64) -> u64 {
    number.saturating_mul(ENTRY as u64).saturating_add(SECTOR as u64)
}

/// Where that is in memory, where journals are short.
fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn check(generation: u64, number: u64, digest: &Digest) -> u64 {
    let mut bytes = [0; 48];
    bytes[..8].copy_from_slice(&generation.to_le_bytes());
    bytes[8..16].copy_from_slice(&number.to_le_bytes());
    bytes[16..].copy_from_slice(digest);
    version::tag(&bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use barewire_core::file::SegmentSize;

    use super::*;
    use crate::files::storage::FileId;

    fn open(path: &Path) -> Journal<File> {
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        Journal::File(options.open(path).unwrap())
    }

    fn record() -> JournalRecord {
        JournalRecord {
            tag: 77,
            size: 9,
            segment_size: SegmentSize::MAX,
            generation: 1,
            part: FileId { inode: 99, born: 5 },
            source: [8; 32],
            seal: None,
        }
    }

    fn noted(journal: &Journal<File>, generation: u64, from: u64) -> Vec<(u64, u8)> {
        let notes = journal.notes(generation, from).map(|note| note.unwrap());
        notes.map(|(number, digest)| (number, digest[0])).collect()
    }

    #[test]
    fn a_journal_says_something_or_is_torn_or_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        for (bytes, state) in [(&b""[..], JournalState::Torn), (b"notes", JournalState::Foreign)] {
            fs::write(&path, bytes).unwrap();
            assert_eq!(open(&path).read().unwrap(), state);
        }
        fs::write(&path, "").unwrap();
        let journal = open(&path);
        // In whatever order they reach the disk.
        journal.note(1, 0, &[1; 32]).unwrap();
        assert_eq!(journal.read().unwrap(), JournalState::Torn);
        journal.write(&record()).unwrap();
        assert_eq!(journal.read().unwrap(), JournalState::Says(record()));
        assert_eq!(noted(&journal, 1, 0), [(0, 1)]);
    }

    #[test]
    fn digests_are_those_that_were_noted_in_any_order() {
        let folder = tempfile::tempdir().unwrap();
        for journal in [open(&folder.path().join("journal")), Journal::in_memory()] {
            journal.write(&record()).unwrap();
            assert_eq!(noted(&journal, 1, 0), []);
            for number in [5_u8, 0, 7, 255, 3] {
                journal.note(1, number.into(), &[number; 32]).unwrap();
            }
            journal.note(1, 1000, &[9; 32]).unwrap();
            journal.strike(7).unwrap();
            assert_eq!(noted(&journal, 1, 0), [(0, 0), (3, 3), (5, 5), (255, 255), (1000, 9)]);
            assert_eq!(noted(&journal, 1, 4), [(5, 5), (255, 255), (1000, 9)]);
            journal.strike_from(5).unwrap();
            assert_eq!(noted(&journal, 1, 0), [(0, 0), (3, 3)]);
            assert_eq!(noted(&journal, 1, 2000), []);
            assert_eq!(journal.read().unwrap(), JournalState::Says(record()));
        }
    }

    #[test]
    fn what_is_torn_or_of_another_generation_or_place_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let journal = open(&path);
        journal.note(1, 0, &[7; 32]).unwrap();
        journal.note(2, 1, &[8; 32]).unwrap();
        assert_eq!(noted(&journal, 1, 0), [(0, 7)]);
        assert_eq!(noted(&journal, 2, 0), [(1, 8)]);
        let whole = fs::read(&path).unwrap();
        let (first, second) = whole[SECTOR..].split_at(ENTRY);
        for at in 0..ENTRY {
            let mut torn = whole.clone();
            torn[SECTOR + at] ^= 1;
            fs::write(&path, &torn).unwrap();
            assert_eq!(noted(&open(&path), 1, 0), [], "at {at}");
        }
        fs::write(&path, [&whole[..SECTOR], second, first].concat()).unwrap();
        assert_eq!(noted(&open(&path), 1, 0), []);
        assert_eq!(noted(&open(&path), 2, 0), []);
    }
}
