//! The journal beside a part: how much of it is known to be right.

use std::io;

use crate::files::storage::{BootId, FileId, StorageFile};
use crate::files::version;

/// The length of a record in bytes: so short that it lies in one sector, and is written at once.
const LENGTH: usize = 80;
const MAGIC: &[u8; 8] = b"BWpart\0\x01";

/// What a journal says.
///
/// | at | what |
/// |---|---|
/// | 0 | `BWpart`, 0, 1 |
/// | 8 | tag |
/// | 16 | size |
/// | 24 | verified |
/// | 32 | synced |
/// | 40 | boot |
/// | 56 | number of the part's inode |
/// | 64 | time of the part's creation |
/// | 72 | the first 8 bytes of the BLAKE3 digest of what is before |
///
/// Numbers are little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JournalRecord {
    /// The version that is downloaded; 0 if there is no telling.
    pub(super) tag: u64,
    /// The size of the whole in bytes.
    pub(super) size: u64,
    /// Everything before this is right, unless the system has been started anew since.
    pub(super) verified: u64,
    /// Everything before this is right and on the disk.
    pub(super) synced: u64,
    /// When it was written.
    pub(super) boot: BootId,
    /// The part it speaks of.
    pub(super) part: FileId,
}

impl JournalRecord {
    fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.tag.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.verified.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.synced.to_le_bytes());
        bytes[40..56].copy_from_slice(&self.boot);
        bytes[56..64].copy_from_slice(&self.part.inode.to_le_bytes());
        bytes[64..72].copy_from_slice(&self.part.born.to_le_bytes());
        let sum = version::tag(&bytes[..72]);
        bytes[72..].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    fn decode(bytes: &[u8; LENGTH]) -> Option<Self> {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_le_bytes(word)
        };
        let mut boot = [0; 16];
        boot.copy_from_slice(&bytes[40..56]);
        let whole = bytes.starts_with(MAGIC) && word(72) == version::tag(&bytes[..72]);
        whole.then(|| Self {
            tag: word(8),
            size: word(16),
            verified: word(24),
            synced: word(32),
            boot,
            part: FileId { inode: word(56), born: word(64).cast_signed() },
        })
    }

    /// How far the part is right, as seen in the run of the system that `boot` names. What was
    /// written in an earlier run may not have reached the disk.
    pub(super) fn trusted(&self, boot: BootId) -> u64 {
        let same = self.boot == boot && boot != BootId::default();
        if same { self.verified } else { self.synced.min(self.verified) }
    }
}

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

#[derive(Debug)]
pub(super) struct Journal<F>(pub(super) F);

impl<F: StorageFile> Journal<F> {
    pub(super) fn read(&self) -> io::Result<JournalState> {
        // One byte more shows what is longer.
        let mut bytes = [0; LENGTH + 1];
        let count = self.0.read(&mut bytes)?;
        let bytes = &bytes[..count];
        if let Some(record) = bytes.try_into().ok().and_then(JournalRecord::decode) {
            return Ok(JournalState::Says(record));
        }
        // Of a journal that was cut off, or never reached the disk, zeros remain.
        let torn =
            count <= LENGTH && bytes.iter().zip(MAGIC).all(|(is, was)| is == was || *is == 0);
        Ok(if torn { JournalState::Torn } else { JournalState::Foreign })
    }

    pub(super) fn write(&self, record: &JournalRecord) -> io::Result<()> {
        // What is longer is no journal, so nothing is left behind it.
        self.0.write(&record.encode(), 0)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.0.sync()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;

    fn record() -> JournalRecord {
        JournalRecord {
            tag: 0x0123_4567_89AB_CDEF,
            size: u64::MAX,
            verified: 3 << 20,
            synced: 1 << 20,
            boot: [7; 16],
            part: FileId { inode: 99, born: -5 },
        }
    }

    #[test]
    fn a_record_says_what_was_recorded() {
        assert_eq!(JournalRecord::decode(&record().encode()), Some(record()));
    }

    #[test]
    fn every_torn_or_damaged_record_is_recognised() {
        let whole = record().encode();
        for at in 0..LENGTH {
            let mut damaged = whole;
            damaged[at] ^= 1;
            assert_eq!(JournalRecord::decode(&damaged), None, "at {at}");
            let mut torn = whole;
            torn[at..].fill(0);
            assert_eq!(JournalRecord::decode(&torn), None, "from {at} on");
        }
    }

    #[test]
    fn after_another_start_only_what_was_synced_counts() {
        assert_eq!(record().trusted([7; 16]), 3 << 20);
        assert_eq!(record().trusted([8; 16]), 1 << 20);
        let unknown = JournalRecord { boot: BootId::default(), ..record() };
        assert_eq!(unknown.trusted(BootId::default()), 1 << 20);
    }

    #[test]
    fn a_journal_says_something_or_is_torn_or_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let open = || Journal(File::options().read(true).write(true).open(&path).unwrap());
        let whole = record().encode();
        for torn in [&b""[..], &[0], &[0; LENGTH], &whole[..5], &whole[..LENGTH - 1]] {
            fs::write(&path, torn).unwrap();
            assert_eq!(open().read().unwrap(), JournalState::Torn);
        }
        for foreign in [&b"notes"[..], &[1], &[0; LENGTH + 1], &[&whole[..], &[0]].concat()] {
            fs::write(&path, foreign).unwrap();
            assert_eq!(open().read().unwrap(), JournalState::Foreign);
        }
        fs::write(&path, &whole[..LENGTH - 1]).unwrap();
        open().write(&record()).unwrap();
        assert_eq!(open().read().unwrap(), JournalState::Says(record()));
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
}
