//! What the journal beside a part says of it as a whole.

use barewire_core::file::SegmentSize;

use crate::files::storage::{BootId, FileId};
use crate::files::version;

/// The length of a record in bytes: so short that it lies in one sector, and is written at once.
pub(super) const LENGTH: usize = 120;
const CHECK: usize = LENGTH - 8;
const MAGIC: &[u8; 7] = b"BWpart\0";
/// Of the journal's format.
const VERSION: u8 = 2;

/// The first thing in a journal.
///
/// | at | what |
/// |---|---|
/// | 0 | `BWpart`, 0, 2 |
/// | 8 | tag |
/// | 16 | size |
/// | 24 | segments are 1 KiB times 2 to the power of this |
/// | 32 | generation |
/// | 40 | number of the part's inode |
/// | 48 | time of the part's creation |
/// | 56 | source |
/// | 88 | seal: boot, or zeros |
/// | 104 | seal: time of the part's last change |
/// | 112 | the first 8 bytes of the BLAKE3 digest of what is before |
///
/// Numbers are little-endian, times in nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct JournalRecord {
    /// The version that is downloaded; 0 if there is no telling.
    pub(super) tag: u64,
    /// The size of the whole in bytes.
    pub(super) size: u64,
    pub(super) segment_size: SegmentSize,
    /// What tells its digests from those of an earlier version that a crash may bring back.
    pub(super) generation: u64,
    /// The part it speaks of.
    pub(super) part: FileId,
    /// Where the file comes from.
    pub(super) source: [u8; 32],
    pub(super) seal: Option<Seal>,
}

/// The state in which a program has left the part: as long as it is so, what is in it need not be
/// read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    /// When it was left; never zeros.
    pub(super) boot: BootId,
    /// When anything in or about the part was changed for the last time; nobody can set it at will.
    pub(super) changed: i64,
}

impl JournalRecord {
    pub(super) fn encode(&self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        bytes[..7].copy_from_slice(MAGIC);
        bytes[7] = VERSION;
        bytes[8..16].copy_from_slice(&self.tag.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.size.to_le_bytes());
        bytes[24] = self.segment_size.exponent();
        bytes[32..40].copy_from_slice(&self.generation.to_le_bytes());
        bytes[40..48].copy_from_slice(&self.part.inode.to_le_bytes());
        bytes[48..56].copy_from_slice(&self.part.born.to_le_bytes());
        bytes[56..88].copy_from_slice(&self.source);
        if let Some(Seal { boot, changed }) = self.seal {
            bytes[88..104].copy_from_slice(&boot);
            bytes[104..112].copy_from_slice(&changed.to_le_bytes());
        }
        let check = version::tag(&bytes[..CHECK]);
        bytes[CHECK..].copy_from_slice(&check.to_le_bytes());
        bytes
    }

    /// `None` if it is not whole, or of another version of the format.
    pub(super) fn decode(bytes: &[u8; LENGTH]) -> Option<Self> {
        let word = |at: usize| u64::from_le_bytes(array(bytes, at));
        let is_whole = bytes.starts_with(MAGIC)
            && bytes[7] == VERSION
            && word(CHECK) == version::tag(&bytes[..CHECK]);
        let boot: BootId = array(bytes, 88);
        let seal = Seal { boot, changed: word(104).cast_signed() };
        is_whole.then_some(())?;
        Some(Self {
            tag: word(8),
            size: word(16),
            segment_size: SegmentSize::new(bytes[24])?,
            generation: word(32),
            part: FileId { inode: word(40), born: word(48).cast_signed() },
            source: array(bytes, 56),
            seal: (boot != BootId::default()).then_some(seal),
        })
    }
}

/// Whether that may be all that a crash has left of a record, or is one of another version of the
/// format. Of what was cut off, or never reached the disk, zeros remain.
pub(super) fn is_torn(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) || MAGIC.starts_with(bytes) || bytes.iter().all(|byte| *byte == 0)
}

fn array<const N: usize>(bytes: &[u8; LENGTH], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> JournalRecord {
        JournalRecord {
            tag: 0x0123_4567_89AB_CDEF,
            size: u64::MAX,
            segment_size: SegmentSize::MAX,
            generation: 7 << 60,
            part: FileId { inode: 99, born: -5 },
            source: [8; 32],
            seal: Some(Seal { boot: [7; 16], changed: -3 }),
        }
    }

    #[test]
    fn a_record_says_what_was_recorded() {
        for seal in [record().seal, None] {
            let record = JournalRecord { seal, ..record() };
            assert_eq!(JournalRecord::decode(&record.encode()), Some(record));
        }
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
    fn what_is_torn_is_told_from_what_is_no_record() {
        let whole = record().encode();
        for torn in [&b""[..], &[0], &[0; 2 * LENGTH], &whole[..5], &whole[..LENGTH - 1]] {
            assert!(is_torn(torn), "{torn:?}");
        }
        for other in [&b"notes"[..], &[1], b"BWparts", &[0, 1]] {
            assert!(!is_torn(other), "{other:?}");
        }
    }
}
