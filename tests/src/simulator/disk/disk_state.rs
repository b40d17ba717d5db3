//! The disk, and what the system keeps of it in memory.

use std::collections::BTreeMap;
use std::io;

use barewire_linux::files::FileId;

use super::file::{Contents, KeptAttributes};
use crate::simulator::random::Random;

/// What can be relied on besides what `fsync(2)` promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Names change on the disk in the order in which programs changed them, as on file systems
    /// that keep a log.
    pub is_ordered: bool,
    /// Files bear the time of their creation, which tells them from others that had their number.
    pub tells_births: bool,
    /// Files bear the time of their last change, precisely.
    pub tells_changes: bool,
    /// What is written whole or not at all, in bytes; 512 at least.
    pub sector: usize,
    /// What there is of files without a name.
    pub unnamed: UnnamedFiles,
}

/// What a disk has of files without a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnnamedFiles {
    /// There are none.
    Missing,
    /// They never get a name.
    Unlinkable,
    /// They are as all others.
    Plain,
    /// What is synced of them is certain to be on the disk together with all that was done before; but when
    /// only the names are synced later, not so (`btrfs`).
    SyncedAgain,
}

impl Nature {
    /// Some nature, most often an orderly one.
    pub fn draw(random: &mut Random) -> Self {
        Self {
            is_ordered: random.chance(75),
            tells_births: random.chance(75),
            tells_changes: random.chance(75),
            sector: random.pick(&[512, 4096]),
            unnamed: random.pick(&[
                UnnamedFiles::Missing,
                UnnamedFiles::Unlinkable,
                UnnamedFiles::Plain,
                UnnamedFiles::SyncedAgain,
            ]),
        }
    }
}

/// The disk, and what the system keeps of it in memory.
#[derive(Debug)]
pub(super) struct DiskState {
    pub(super) nature: Nature,
    pub(super) random: Random,
    /// All that there is, by a number that is never used again; also what has no name any more but
    /// might have after a crash.
    pub(super) files: BTreeMap<usize, File>,
    pub(super) created: usize,
    /// The names as programs see them.
    pub(super) names: Names,
    /// The names that are certain to be on the disk, and the changes since.
    pub(super) synced_names: Names,
    pub(super) changes: Vec<NameChange>,
    pub(super) life: u64,
    pub(super) boot: u64,
    /// How many more changes the program makes before it ends in the middle of the next.
    pub(super) fuse: Option<usize>,
    pub(super) crashed: bool,
}

pub(super) type Names = BTreeMap<Vec<u8>, usize>;

#[derive(Debug)]
pub(super) struct File {
    pub(super) id: FileId,
    pub(super) contents: Contents,
    pub(super) attributes: KeptAttributes,
    /// Another number after each change of anything; after a crash, perhaps, that of a change which is
    /// lost.
    pub(super) changed: i64,
    /// The life of the program that has locked it.
    pub(super) locked_by: Option<u64>,
    /// It never had a name.
    pub(super) is_unnamed: bool,
    /// It was synced when it had none, and not since, on a disk where that is [not all](UnnamedFiles::SyncedAgain).
    pub(super) is_half_synced: bool,
}

impl File {
    /// What there is of it is certain to be on the disk.
    pub(super) fn sync(&mut self, nature: Nature, with_attributes: bool) {
        self.is_half_synced = self.is_unnamed && nature.unnamed == UnnamedFiles::SyncedAgain;
        if !self.is_half_synced {
            self.contents.sync();
            if with_attributes {
                self.attributes.sync();
            }
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Given(Vec<u8>, usize),
    Taken(Vec<u8>),
    Moved(Vec<u8>, Vec<u8>, usize),
}

impl NameChange {
    pub(super) fn apply(&self, names: &mut Names) {
        match self {
            Self::Given(name, file) => {
                names.insert(name.clone(), *file);
            }
            Self::Taken(name) => {
                names.remove(name);
            }
            Self::Moved(from, to, file) => {
                names.remove(from);
                names.insert(to.clone(), *file);
            }
        }
    }
}

impl DiskState {
    pub(super) fn end_program(&mut self) {
        self.life += 1;
        self.fuse = None;
        self.crashed = false;
        self.files.retain(|_, file| !file.is_unnamed);
    }

    /// A program whose `life` this was wants to know or to change something.
    pub(super) fn check(&self, life: u64) -> io::Result<()> {
        if self.crashed || life != self.life { Err(gone()) } else { Ok(()) }
    }

    /// As [`check`](Self::check), for a change: it may be the one in which the program ends.
    pub(super) fn check_change(&mut self, life: u64) -> io::Result<()> {
        self.check(life)?;
        if let Some(fuse) = &mut self.fuse {
            let Some(left) = fuse.checked_sub(1) else {
                self.crashed = true;
                return Err(gone());
            };
            *fuse = left;
        }
        Ok(())
    }

    pub(super) fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    pub(super) fn create(&mut self, name: &[u8]) -> usize {
        let number = self.create_unnamed();
        self.give_name(number, name);
        number
    }

    pub(super) fn give_name(&mut self, number: usize, name: &[u8]) {
        if let Some(file) = self.files.get_mut(&number) {
            file.is_unnamed = false;
        }
        self.change_name(NameChange::Given(name.to_vec(), number));
    }

    pub(super) fn create_unnamed(&mut self) -> usize {
        let number = self.created;
        self.created += 1;
        let inode = if self.nature.is_ordered { self.free_inode() } else { number as u64 + 1 };
        let born = if self.nature.tells_births { i64::try_from(number).unwrap() + 1 } else { 0 };
        let id = FileId { inode, born };
        let (contents, attributes) = (Contents::default(), KeptAttributes::new());
        let file = File {
            id,
            contents,
            attributes,
            changed: 1,
            locked_by: None,
            is_unnamed: true,
            is_half_synced: false,
        };
        self.files.insert(number, file);
        number
    }

    /// The lowest number that no file has which has a name, or never had one.
    pub(super) fn free_inode(&self) -> u64 {
        let named = self.names.values().map(|number| &self.files[number]);
        let is_taken = |inode| {
            named.clone().any(|file| file.id.inode == inode)
                || self.files.values().any(|file| file.is_unnamed && file.id.inode == inode)
        };
        let most = self.files.len() as u64 + 1;
        (1..=most).find(|inode| !is_taken(*inode)).expect("there is one more number than files")
    }

    pub(super) fn sync_names(&mut self) {
        self.synced_names = self.names.clone();
        self.changes.clear();
        for number in self.names.values() {
            if let Some(file) = self.files.get_mut(number) {
                file.is_half_synced = false;
            }
        }
    }

    /// What remains when the power has failed.
    pub(super) fn forget(&mut self) {
        self.boot += 1;
        let changes = std::mem::take(&mut self.changes);
        let most = changes.len();
        let count = self.random.count(0..=most);
        let kept = self.random.pick(&[0, count, most]);
        for (number, change) in changes.iter().enumerate() {
            let happened =
                if self.nature.is_ordered { number < kept } else { self.random.chance(50) };
            if happened {
                change.apply(&mut self.synced_names);
            }
        }
        self.names = self.synced_names.clone();
        let names = &self.names;
        self.files.retain(|number, _| names.values().any(|named| named == number));
        for file in self.files.values_mut() {
            if file.is_half_synced {
                file.is_half_synced = false;
                file.contents.sync();
                file.attributes.sync();
            }
            file.contents.forget(&mut self.random, self.nature.sector);
            file.attributes.forget(&mut self.random);
            file.locked_by = None;
        }
    }
}

/// What a program gets to know when it has ended: nothing that anybody hears.
pub(super) fn gone() -> io::Error {
    io::Error::other("the program has ended")
}
