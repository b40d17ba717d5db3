//! The folder and its files, as a download asks for them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::io;
use std::rc::Rc;

use barewire_linux::files::{self, BootId, FileKind, FileStatus, Found, StorageFile};

use super::disk_state::{DiskState, NameChange, Names, Nature, UnnamedFiles, gone};
use super::file::{Attributes, SECTOR};
use crate::simulator::random::Random;

/// What the user lets new files be.
const USUAL_MODE: u32 = 0o640;

/// A program's view of the folder. Clones are views of the same program; after a crash,
/// [`restarted`](Self::restarted) gives one to the next program, and the old ones do nothing any
/// more.
#[derive(Clone, Debug)]
pub struct Disk {
    state: Rc<RefCell<DiskState>>,
    /// The life of the program that this view is for.
    life: u64,
}

impl Disk {
    /// An empty folder, in the first run of the system.
    pub fn new(random: Random, nature: Nature) -> Self {
        let state = DiskState {
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
        Self { state: Rc::new(RefCell::new(state)), life: 0 }
    }

    /// Has the program end in the middle of its change number `count`, counted from 0: it makes no
    /// other, and every call fails.
    pub fn crash_after(&self, count: usize) {
        self.state.borrow_mut().fuse = Some(count);
    }

    /// Whether the program has ended so.
    pub fn has_crashed(&self) -> bool {
        self.state.borrow().crashed
    }

    /// The program is killed: it does nothing any more, and leaves everything as it is.
    pub fn kill(&self) {
        self.state.borrow_mut().end_program();
    }

    /// The system fails, and with it the program. What was not synced is lost, or there, or torn.
    pub fn lose_power(&self) {
        let mut state = self.state.borrow_mut();
        state.end_program();
        state.forget();
    }

    /// The folder for the program that runs now.
    #[must_use]
    pub fn restarted(&self) -> Self {
        let life = self.state.borrow().life;
        Self { state: Rc::clone(&self.state), life }
    }

    /// Whether names change in order ([`Nature::is_ordered`]).
    pub fn is_ordered(&self) -> bool {
        self.state.borrow().nature.is_ordered
    }

    /// What a file contains, as programs see it; `None` if nothing has the name.
    pub fn contents(&self, name: &[u8]) -> Option<Vec<u8>> {
        let state = self.state.borrow();
        let file = state.names.get(name)?;
        Some(state.files[file].contents.live().to_vec())
    }

    /// Somebody else changes the bytes of a file at `offset` and sets its times back, as far as they
    /// can be.
    pub fn edit(&self, name: &[u8], offset: usize, bytes: &[u8]) {
        let mut state = self.state.borrow_mut();
        let number = state.names[name];
        let file = state.files.get_mut(&number).expect("it has a name");
        file.contents.write(offset, bytes);
        file.changed += 1;
    }

    /// A file's permissions, and when its contents were modified, if that was set.
    pub fn attributes(&self, name: &[u8]) -> Option<(u32, Option<i64>)> {
        let state = self.state.borrow();
        let Attributes { mode, modified } = state.files[state.names.get(name)?].attributes.live;
        Some((mode, modified))
    }

    /// All names, as programs see them.
    pub fn names(&self) -> Vec<String> {
        let state = self.state.borrow();
        state.names.keys().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }
}

/// An open file.
#[derive(Debug)]
pub struct OpenFile {
    state: Rc<RefCell<DiskState>>,
    life: u64,
    number: usize,
    has_locked: Cell<bool>,
}

impl files::Storage for Disk {
    type File = OpenFile;

    /// So little that small files are synced on their way.
    const SYNC_EVERY: u64 = 2048;

    /// That even small files are sealed.
    const SEAL_FROM: u64 = 1;

    fn try_clone(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    fn boot(&self) -> BootId {
        u128::from(self.state.borrow().boot).to_be_bytes()
    }

    fn expects(&self, _name: &[u8]) -> bool {
        false
    }

    fn look(&self, name: &[u8]) -> io::Result<Option<FileStatus>> {
        let state = self.state.borrow();
        state.check(self.life)?;
        Ok(state.names.get(name).map(|number| state.status(*number)))
    }

    fn owns(&self, _entry: &FileStatus) -> io::Result<bool> {
        Ok(true)
    }

    fn usual_mode(&self) -> u32 {
        USUAL_MODE
    }

    fn create(&self, name: &[u8]) -> io::Result<OpenFile> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let number = state.create(name);
        Ok(self.open(number))
    }

    fn create_unnamed(&self) -> Option<OpenFile> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life).ok()?;
        let has_such = state.nature.unnamed != UnnamedFiles::Missing;
        has_such.then(|| self.open(state.create_unnamed()))
    }

    fn link(&self, file: &OpenFile, name: &[u8]) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check(file.life)?;
        state.check_change(self.life)?;
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        if state.nature.unnamed == UnnamedFiles::Unlinkable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        state.give_name(file.number, name);
        Ok(())
    }

    fn open_found(&self, name: &[u8]) -> io::Result<Found<OpenFile>> {
        let state = self.state.borrow();
        state.check(self.life)?;
        let number = state.names.get(name);
        Ok(number.map_or(Found::Nothing, |number| Found::File(self.open(*number))))
    }

    fn rename(&self, from: &[u8], to: &[u8], replaces: bool) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        let number = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        if !replaces && state.names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.change_name(NameChange::Moved(from.to_vec(), to.to_vec(), number));
        Ok(())
    }

    fn remove(&self, name: &[u8]) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        if state.names.contains_key(name) {
            state.change_name(NameChange::Taken(name.to_vec()));
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        state.sync_names();
        Ok(())
    }

    /// Several threads would do it, in any order.
    fn sync_files(files: &[&OpenFile]) -> Vec<io::Result<()>> {
        let mut left: Vec<(usize, &OpenFile)> = files.iter().copied().enumerate().collect();
        let mut results = BTreeMap::new();
        while let Some((_, file)) = left.first() {
            let next = file.state.borrow_mut().random.count(0..=left.len() - 1);
            let (number, file) = left.swap_remove(next);
            results.insert(number, file.sync_all());
        }
        results.into_values().collect()
    }
}

impl Disk {
    fn open(&self, number: usize) -> OpenFile {
        OpenFile {
            state: Rc::clone(&self.state),
            life: self.life,
            number,
            has_locked: Cell::new(false),
        }
    }
}

impl DiskState {
    fn sync_file(&mut self, number: usize, with_attributes: bool) -> io::Result<()> {
        let nature = self.nature;
        self.files.get_mut(&number).ok_or_else(gone)?.sync(nature, with_attributes);
        Ok(())
    }

    fn status(&self, number: usize) -> FileStatus {
        let file = &self.files[&number];
        let links = self.names.values().filter(|named| **named == number).count();
        FileStatus {
            kind: FileKind::File,
            length: file.contents.live().len() as u64,
            links: u32::try_from(links).unwrap(),
            id: file.id,
            owner: 0,
            mode: file.attributes.live.mode,
            device: (0, 0),
        }
    }
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).expect("files here are small")
}

impl StorageFile for OpenFile {
    fn status(&self) -> io::Result<FileStatus> {
        let state = self.state.borrow();
        state.check(self.life)?;
        Ok(state.status(self.number))
    }

    fn lock(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check(self.life)?;
        let life = state.life;
        let file = state.files.get_mut(&self.number).ok_or_else(gone)?;
        if file.locked_by == Some(life) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        file.locked_by = Some(life);
        self.has_locked.set(true);
        Ok(())
    }

    fn read(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let state = self.state.borrow();
        state.check(self.life)?;
        let live = state.files[&self.number].contents.live();
        let rest = live.get(place(offset)..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }

    fn changed(&self) -> io::Result<Option<i64>> {
        let state = self.state.borrow();
        state.check(self.life)?;
        Ok(state.nature.tells_changes.then(|| state.files[&self.number].changed))
    }

    /// A program that ends in it may have written the beginning.
    fn write(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        let was_running = state.check(self.life).is_ok();
        let result = state.check_change(self.life);
        let count = match &result {
            Ok(()) => bytes.len(),
            // What lies in one sector is written at once.
            Err(_) if place(offset) % SECTOR + bytes.len() <= SECTOR => 0,
            Err(_) => state.random.count(0..=bytes.len()),
        };
        if was_running && count > 0 {
            let file = state.files.get_mut(&self.number).ok_or_else(gone)?;
            file.contents.write(place(offset), &bytes[..count]);
            file.attributes.live.modified = None;
            file.changed += 1;
        }
        result
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        let file = state.files.get_mut(&self.number).ok_or_else(gone)?;
        file.contents.truncate(place(length));
        file.attributes.live.modified = None;
        file.changed += 1;
        Ok(())
    }

    fn check_room(&self, _bytes: u64) -> io::Result<()> {
        self.state.borrow().check(self.life)
    }

    fn reserve(&self, _offset: u64, _length: u64) -> io::Result<()> {
        self.state.borrow().check(self.life)
    }

    fn set_mode(&self, mode: u32) -> io::Result<()> {
        self.set_attributes(|attributes| attributes.mode = mode)
    }

    fn set_modified(&self, time: i64) -> io::Result<()> {
        self.set_attributes(|attributes| attributes.modified = Some(time))
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        state.sync_file(self.number, false)
    }

    fn sync_all(&self) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        state.sync_file(self.number, true)
    }
}

impl OpenFile {
    fn set_attributes(&self, set: impl FnOnce(&mut Attributes)) -> io::Result<()> {
        let mut state = self.state.borrow_mut();
        state.check_change(self.life)?;
        let file = state.files.get_mut(&self.number).ok_or_else(gone)?;
        set(&mut file.attributes.live);
        file.changed += 1;
        Ok(())
    }
}

impl Drop for OpenFile {
    /// Whoever closes a file unlocks it, and without a name it is gone; whoever has ended has done so before.
    fn drop(&mut self) {
        let mut state = self.state.borrow_mut();
        if state.life != self.life {
            return;
        }
        if let Some(file) = state.files.get_mut(&self.number)
            && self.has_locked.get()
        {
            file.locked_by = None;
        }
        if state.files.get(&self.number).is_some_and(|file| file.is_unnamed) {
            state.files.remove(&self.number);
        }
    }
}
