//! What a file contains, and what would remain of it.

use crate::simulator::random::Random;

/// What a program writes whole or not at all when it is killed, in bytes.
pub(super) const SECTOR: usize = 512;

/// The contents of a file as programs see them, and all that may be on the disk instead.
#[derive(Debug, Default)]
pub(super) struct Contents {
    live: Vec<u8>,
    synced: Vec<u8>,
    changes: Vec<Change>,
}

/// What is known of a file besides its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Attributes {
    pub(super) mode: u32,
    /// When its contents were modified, if that was set.
    pub(super) modified: Option<i64>,
}

/// Those that programs see, and those that are certain to be on the disk.
#[derive(Debug)]
pub(super) struct KeptAttributes {
    pub(super) live: Attributes,
    synced: Attributes,
}

impl KeptAttributes {
    /// Of a new file.
    pub(super) fn new() -> Self {
        let new = Attributes { mode: 0o600, modified: None };
        Self { live: new, synced: new }
    }

    pub(super) fn sync(&mut self) {
        self.synced = self.live;
    }

    pub(super) fn forget(&mut self, random: &mut Random) {
        if random.chance(50) {
            self.live = self.synced;
        }
        self.synced = self.live;
    }
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl Contents {
    pub(super) fn live(&self) -> &[u8] {
        &self.live
    }

    pub(super) fn write(&mut self, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        if self.live.len() < end {
            self.live.resize(end, 0);
        }
        self.live[offset..end].copy_from_slice(bytes);
        self.changes.push(Change::Write(offset, bytes.to_vec()));
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.live.resize(length, 0);
        self.changes.push(Change::Truncate(length));
    }

    pub(super) fn sync(&mut self) {
        self.synced.clone_from(&self.live);
        self.changes.clear();
    }

    /// Each sector, and the length, becomes what it was at some time since the last sync.
    pub(super) fn forget(&mut self, random: &mut Random, sector: usize) {
        let changes = std::mem::take(&mut self.changes);
        let most = changes.len();
        let mut longest = self.synced.len();
        let mut lengths = vec![longest];
        for change in &changes {
            let before = lengths[lengths.len() - 1];
            lengths.push(match change {
                Change::Write(offset, bytes) => before.max(offset + bytes.len()),
                Change::Truncate(length) => *length,
            });
            longest = longest.max(lengths[lengths.len() - 1]);
        }
        // How many of the changes have reached each sector: none, all or any number.
        let reached: Vec<usize> = (0..longest.div_ceil(sector))
            .map(|_| {
                let some = random.count(0..=most);
                random.pick(&[0, some, most])
            })
            .collect();
        let mut bytes = std::mem::take(&mut self.synced);
        bytes.resize(longest, 0);
        for (number, change) in changes.iter().enumerate() {
            let (start, new) = match change {
                Change::Write(offset, bytes) => (*offset, &bytes[..]),
                Change::Truncate(length) => (*length, &[][..]),
            };
            let end = if new.is_empty() { longest } else { start + new.len() };
            let mut at = start;
            while at < end {
                let next = end.min((at / sector + 1) * sector);
                if number < reached[at / sector] {
                    match new.get(at - start..next - start) {
                        Some(new) => bytes[at..next].copy_from_slice(new),
                        None => bytes[at..next].fill(0),
                    }
                }
                at = next;
            }
        }
        let some = random.count(0..=most);
        bytes.truncate(lengths[random.pick(&[0, some, most])]);
        self.synced.clone_from(&bytes);
        self.live = bytes;
    }
}
