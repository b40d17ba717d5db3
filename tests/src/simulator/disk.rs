//! A folder on a disk that forgets, in a crash, what was not made to last.
//!
//! A [`Download`](barewire_linux::files::Download) runs on it as it does on Linux. When its program
//! is killed, the files stay as they were at that moment. When the power fails, each sector of what
//! was not synced is as it was at any time since, the length of a file too, and of the changes to
//! names that were not synced only the first so many have happened; or, on a disk
//! [without order](Nature::is_ordered), any of them.
//!
//! ```
//! use barewire_linux::files::{Download, DownloadOptions};
//! use barewire_tests::simulator::disk::{Disk, Nature};
//! use barewire_tests::simulator::random::Random;
//!
//! let mut random = Random::new(7);
//! let disk = Disk::new(random.fork(), Nature::draw(&mut random));
//! let mut download = Download::begin(&disk, b"file", DownloadOptions::default())?;
//! download.start(0, Some(8), 77)?;
//! download.write(b"contents")?;
//! download.finish()?;
//! disk.lose_power();
//! assert_eq!(disk.contents(b"file").as_deref(), Some(&b"contents"[..]));
//! # Ok::<(), std::io::Error>(())
//! ```

mod file;
mod folder;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use barewire_linux::files::FileId;

use super::random::Random;
use file::{Contents, SECTOR};
pub use folder::OpenFile;

/// What can be relied on besides what `fsync(2)` promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nature {
    /// Names change on the disk in the order in which programs changed them, as on file systems
    /// that keep a log.
    pub is_ordered: bool,
    /// Files bear the time of their creation, which tells them from others that had their number.
    pub tells_births: bool,
}

impl Nature {
    /// Some nature, most often an orderly one.
    pub fn draw(random: &mut Random) -> Self {
        Self { is_ordered: random.chance(75), tells_births: random.chance(75) }
    }
}

/// A program's view of the folder. Clones are views of the same program; after a crash,
/// [`restarted`](Self::restarted) gives one to the next program, and the old ones do nothing any
/// more.
#[derive(Clone, Debug)]
pub struct Disk {
    platter: Rc<RefCell<Platter>>,
    /// The life of the program that this view is for.
    life: u64,
}

/// The disk, and what the system keeps of it in memory.
#[derive(Debug)]
struct Platter {
    nature: Nature,
    random: Random,
    /// All that there is, by a number that is never used again; also what has no name any more but
    /// might have after a crash.
    files: BTreeMap<usize, File>,
    created: usize,
    /// The names as programs see them.
    names: Names,
    /// The names that are certain to be on the disk, and the changes since.
    synced_names: Names,
    changes: Vec<NameChange>,
    life: u64,
    boot: u64,
    /// How many more changes the program makes before it ends in the middle of the next.
    fuse: Option<usize>,
    crashed: bool,
}

type Names = BTreeMap<Vec<u8>, usize>;

#[derive(Debug)]
struct File {
    id: FileId,
    contents: Contents,
    /// The life of the program that has locked it.
    locked_by: Option<u64>,
}

#[derive(Clone, Debug)]
enum NameChange {
    Given(Vec<u8>, usize),
    Taken(Vec<u8>),
    Moved(Vec<u8>, Vec<u8>, usize),
}

impl NameChange {
    fn apply(&self, names: &mut Names) {
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

impl Disk {
    /// An empty folder, in the first run of the system.
    pub fn new(random: Random, nature: Nature) -> Self {
        let platter = Platter {
            nature,
            random,
            files: BTreeMap::new(),
            created: 0,
            names: Names::new(),
            synced_names: Names::new(),
            changes: Vec::new(),
            life: 0,
            boot: 1,
            fuse: None,
            crashed: false,
        };
        Self { platter: Rc::new(RefCell::new(platter)), life: 0 }
    }

    /// Has the program end in the middle of its change number `count`, counted from 0: it makes no
    /// other, and every call fails.
    pub fn crash_after(&self, count: usize) {
        self.platter.borrow_mut().fuse = Some(count);
    }

    /// Whether the program has ended so.
    pub fn has_crashed(&self) -> bool {
        self.platter.borrow().crashed
    }

    /// The program is killed: it does nothing any more, and leaves everything as it is.
    pub fn kill(&self) {
        self.platter.borrow_mut().end_program();
    }

    /// The system fails, and with it the program. What was not synced is lost, or there, or torn.
    pub fn lose_power(&self) {
        let mut platter = self.platter.borrow_mut();
        platter.end_program();
        platter.forget();
    }

    /// The folder for the program that runs now.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let life = self.platter.borrow().life;
        Self { platter: Rc::clone(&self.platter), life }
    }

    /// Whether names change in order ([`Nature::is_ordered`]).
    pub fn is_ordered(&self) -> bool {
        self.platter.borrow().nature.is_ordered
    }

    /// What a file contains, as programs see it; `None` if nothing has the name.
    pub fn contents(&self, name: &[u8]) -> Option<Vec<u8>> {
        let platter = self.platter.borrow();
        let file = platter.names.get(name)?;
        Some(platter.files[file].contents.live().to_vec())
    }

    /// All names, as programs see them.
    pub fn names(&self) -> Vec<String> {
        let platter = self.platter.borrow();
        platter.names.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }
}

impl Platter {
    fn end_program(&mut self) {
        self.life += 1;
        self.fuse = None;
        self.crashed = false;
    }

    /// A program whose `life` this was wants to know or to change something.
    fn check(&self, life: u64) -> io::Result<()> {
        if self.crashed || life != self.life { Err(gone()) } else { Ok(()) }
    }

    /// As [`check`](Self::check), for a change: it may be the one in which the program ends.
    fn check_change(&mut self, life: u64) -> io::Result<()> {
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

    fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.changes.push(change);
    }

    fn create(&mut self, name: &[u8]) -> usize {
        let number = self.created;
        self.created += 1;
        let inode = if self.nature.is_ordered { self.free_inode() } else { number as u64 + 1 };
        let born = if self.nature.tells_births { i64::try_from(number).unwrap() + 1 } else { 0 };
        let id = FileId { inode, born };
        self.files.insert(number, File { id, contents: Contents::default(), locked_by: None });
        self.change_name(NameChange::Given(name.to_vec(), number));
        number
    }

    /// The lowest number that no file with a name has.
    fn free_inode(&self) -> u64 {
        let is_taken =
            |inode| self.names.values().any(|number| self.files[number].id.inode == inode);
        let most = self.names.len() as u64 + 1;
        (1..=most).find(|inode| !is_taken(*inode)).expect("there is one more number than names")
    }

    fn sync_names(&mut self) {
        self.synced_names = self.names.clone();
        self.changes.clear();
    }

    /// What remains when the power has failed.
    fn forget(&mut self) {
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
            file.contents.forget(&mut self.random);
            file.locked_by = None;
        }
    }
}

/// What a program gets to know when it has ended: nothing that anybody hears.
fn gone() -> io::Error {
    io::Error::other("the program has ended")
}
