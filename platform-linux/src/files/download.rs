//! Downloads: files that appear under their names only when they are complete.

mod finish;
mod journal;
mod part;
mod part_names;
#[cfg(test)]
mod tests;

use std::io;

use nix::errno::Errno;

use super::folder::{Folder, check_name};
use super::storage::{BootId, FileKind, Storage, StorageFile};
use journal::JournalRecord;
use part::Part;
pub(super) use part_names::is_like_a_part;

/// For how many bytes more than those that have come the disk keeps room: at first, and at most.
const LEAST_RESERVED: u64 = 16 << 20;
const MOST_RESERVED: u64 = 1 << 30;

/// How a download treats what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DownloadOptions {
    /// Replaces a file that has the name. Without it, that is an error.
    pub force: bool,
    /// Goes on from what an earlier run has left.
    pub resume: bool,
}

impl DownloadOptions {
    /// A file that has the name is kept, and what an earlier run has left is resumed.
    pub const fn new() -> Self {
        Self { force: false, resume: true }
    }

    /// Sets [`force`](Self::force).
    #[must_use]
    pub const fn with_force(mut self, force: bool) -> Self {
        self.force = force;
        self
    }

    /// Sets [`resume`](Self::resume).
    #[must_use]
    pub const fn with_resume(mut self, resume: bool) -> Self {
        self.resume = resume;
        self
    }
}

impl Default for DownloadOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// What is there of a download, and need not be asked for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The version it is of; never 0.
    pub tag: u64,
    /// The size of the whole in bytes.
    pub size: u64,
    /// How many bytes, from the beginning, have verified; never 0.
    pub verified: u64,
}

impl Held {
    /// Of a version (its tag and size), if there is one, what has verified, if anything has.
    pub(super) fn of(version: Option<(u64, u64)>, verified: u64) -> Option<Self> {
        let (tag, size) = version.filter(|_| verified > 0)?;
        Some(Self { tag, size, verified })
    }
}

/// A file on its way.
///
/// It is written to `NAME.part`, which nobody else may read (0600), with a journal beside it,
/// `NAME.part.journal`, that says how much has verified; [`finish`](Self::finish) gives it its name. Whenever the process is killed, the name
/// is either as it was before or that of the complete file, and the next run goes on from what the
/// journal vouches for. If the system crashes, that is what had reached the disk by then
/// ([`SYNC_EVERY`](super::SYNC_EVERY)). A part of another program, or any file that merely has the
/// part's name, is left alone, and `NAME.2.part` taken instead; likewise if the folder
/// [expects](Folder::expect) the name.
///
/// The order of calls: [`begin`](Self::begin), [`held`](Self::held), [`start`](Self::start), then
/// [`write`](Self::write) and [`verified`](Self::verified) in turns, and [`finish`](Self::finish).
/// After a connection has broken it goes on with `held` and `start`.
///
/// Dropped before it has finished, it leaves what is worth resuming, that is, what has verified, and
/// removes everything else.
#[derive(Debug)]
pub struct Download<D: Storage = Folder> {
    disk: D,
    name: Vec<u8>,
    part: Part<D::File>,
    force: bool,
    boot: BootId,
    tag: u64,
    size: Option<u64>,
    position: u64,
    verified: u64,
    synced: u64,
    /// The most that the journal may vouch for after a crash.
    vouched: u64,
    /// Up to where the disk keeps room.
    reserved: u64,
    /// When the contents were modified, in nanoseconds since 1970.
    modified: Option<i64>,
    started: bool,
    /// Nothing is left to be tidied up.
    over: bool,
}

impl<D: Storage> Download<D> {
    /// Begins a download to the file `name` in the folder `disk`. Until it ends, no other can begin to the
    /// same name.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if `name` is not one name: empty, `.`, `..`, or
    /// with a slash or NUL; [`AlreadyExists`](io::ErrorKind::AlreadyExists) if something has that
    /// name and is not to be replaced; [`IsADirectory`](io::ErrorKind::IsADirectory) and
    /// [`Unsupported`](io::ErrorKind::Unsupported) if it is never replaced, being a directory, or a
    /// device, FIFO or socket; [`ResourceBusy`](io::ErrorKind::ResourceBusy) if another download of it is
    /// under way; others of `open(2)`.
    pub fn begin(disk: &D, name: &[u8], options: DownloadOptions) -> io::Result<Self> {
        Self::begin_in(disk.boot(), disk, name, options)
    }

    /// As [`begin`](Self::begin), in that run of the system.
    fn begin_in(boot: BootId, disk: &D, name: &[u8], options: DownloadOptions) -> io::Result<Self> {
        check_name(name)?;
        match disk.look(name)? {
            None => {}
            Some(status) => match status.kind {
                FileKind::Folder => return Err(Errno::EISDIR.into()),
                FileKind::File | FileKind::Link if options.force => {}
                FileKind::File | FileKind::Link => return Err(Errno::EEXIST.into()),
                FileKind::Other => return Err(io::ErrorKind::Unsupported.into()),
            },
        }
        let part = Part::claim(disk, name)?;
        let mut download = Self {
            disk: disk.try_clone()?,
            name: name.to_vec(),
            force: options.force,
            boot,
            tag: 0,
            size: None,
            position: 0,
            verified: 0,
            synced: 0,
            // An earlier run may have been killed before what it wrote there reached the disk.
            vouched: if part.is_new { 0 } else { u64::MAX },
            reserved: 0,
            modified: None,
            started: false,
            over: false,
            part,
        };
        if let Some(record) = download.part.record.filter(|_| options.resume) {
            let trusted = record.trusted(boot);
            // A part that is shorter than that has been tampered with.
            if record.tag != 0 && trusted <= record.size.min(download.part.status.length) {
                download.tag = record.tag;
                download.size = Some(record.size);
                download.verified = trusted;
                download.synced = record.synced.min(trusted);
            }
        }
        Ok(download)
    }

    /// What need not be asked for again: from an earlier run, or from an earlier
    /// [`start`](Self::start).
    pub fn held(&self) -> Option<Held> {
        Held::of(self.version(), self.verified)
    }

    /// The tag and the size of what is downloaded, if it can be told from other versions.
    pub(super) fn version(&self) -> Option<(u64, u64)> {
        self.size.filter(|_| self.tag != 0).map(|size| (self.tag, size))
    }

    /// The name of the part, for messages.
    pub fn part_name(&self) -> &[u8] {
        &self.part.name
    }

    /// How many bytes are there, counted from the beginning of the file.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Contents will follow from `offset` on: either what [`held`](Self::held) says, for that version
    /// and size, or 0, which forgets what was held. `size` is that of the whole file in bytes, if it
    /// is known. A `tag` of 0 means that there is no telling versions apart, and so no resuming.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for another offset;
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge) or [`StorageFull`](io::ErrorKind::StorageFull) if
    /// there is no room for the whole that this user may take; others of `ftruncate(2)`, `statvfs(3)`
    /// and `write(2)`.
    pub fn start(&mut self, offset: u64, size: Option<u64>, tag: u64) -> io::Result<()> {
        if size.is_some_and(|size| i64::try_from(size).is_err()) {
            return Err(Errno::EFBIG.into());
        }
        if offset == 0 {
            (self.tag, self.size, self.verified, self.synced) = (tag, size, 0, 0);
            self.started = true;
            // First of all nothing may vouch for what is about to be overwritten.
            self.record(0, 0)?;
        } else {
            let held = size.map(|size| Held { tag, size, verified: offset });
            if held.is_none() || held != self.held() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            self.started = true;
        }
        self.part.file.truncate(offset)?;
        (self.position, self.reserved) = (offset, offset);
        self.part.file.check_room(size.map_or(0, |size| size - offset))
    }

    /// The time at which the contents were modified, in nanoseconds since 1970, UTC: the file will
    /// bear it, where the file system has such times. Without, it is the time of the download.
    pub fn set_modified(&mut self, time: Option<i64>) {
        self.modified = time;
    }

    /// Writes the contents that come next, all of them and at once; pieces of 16 KiB and more are
    /// best.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) before [`start`](Self::start), or for more than
    /// the size told; [`StorageFull`](io::ErrorKind::StorageFull) if there is no room for what comes
    /// next; others of `pwrite(2)` and `fallocate(2)`.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let end = self.position.checked_add(bytes.len() as u64);
        let end = end.filter(|end| self.started && self.size.is_none_or(|size| *end <= size));
        let end = end.ok_or(io::ErrorKind::InvalidInput)?;
        self.reserve(end)?;
        self.part.file.write(bytes, self.position)?;
        self.position = end;
        Ok(())
    }

    /// Has the disk keep room for what is about to be written, and for as much more as has come
    /// already: what is only announced takes none from anybody.
    fn reserve(&mut self, end: u64) -> io::Result<()> {
        let Some(size) = self.size.filter(|_| end > self.reserved) else { return Ok(()) };
        let ahead = end.clamp(LEAST_RESERVED, MOST_RESERVED);
        let reserved = end.saturating_add(ahead).min(size);
        self.part.file.reserve(self.reserved, reserved - self.reserved)?;
        self.reserved = reserved;
        Ok(())
    }

    /// Everything before `end` has verified, and need never be asked for again. It costs one small
    /// write, and every [`SYNC_EVERY`](super::SYNC_EVERY) bytes a wait for the disk.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for what was not written, or had verified before;
    /// those of `pwrite(2)` and `fdatasync(2)`.
    pub fn verified(&mut self, end: u64) -> io::Result<()> {
        if !self.started || end > self.position || end < self.verified {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        if end - self.synced < D::SYNC_EVERY {
            return self.record(end, self.synced);
        }
        self.sync(end)
    }

    /// Has everything before `end`, which has verified, reach the disk, and then the journal that says
    /// so.
    fn sync(&mut self, end: u64) -> io::Result<()> {
        self.part.file.sync()?;
        if self.synced == 0 {
            // The first time: the names have to last as well, and before the journal says so.
            self.disk.sync()?;
        }
        self.vouched = self.vouched.max(end);
        self.record(end, end)?;
        self.part.journal.sync()
    }

    /// Writes the journal: what it does not say is not held.
    fn record(&mut self, verified: u64, synced: u64) -> io::Result<()> {
        self.part.journal.write(&JournalRecord {
            tag: self.tag,
            // Without a tag nobody asks.
            size: self.size.unwrap_or(0),
            verified,
            synced,
            boot: self.boot,
            part: self.part.status.id,
        })?;
        (self.verified, self.synced) = (verified, synced);
        if self.vouched > self.synced {
            // What it used to vouch for must not come back with a crash.
            self.part.journal.sync()?;
            self.vouched = self.synced;
        }
        Ok(())
    }

    /// Gives up, and leaves nothing, not even what has verified.
    ///
    /// # Errors
    /// Those of `unlink(2)`.
    pub fn discard(mut self) -> io::Result<()> {
        self.over = true;
        self.remove()
    }

    /// A journal without a part does no harm; the other way round it would.
    fn remove(&self) -> io::Result<()> {
        self.disk.remove(&self.part.name)?;
        self.disk.remove(&self.part.journal_name)
    }
}

impl<D: Storage> Drop for Download<D> {
    fn drop(&mut self) {
        // Errors are of no consequence here: the journal vouches for nothing wrong in any case.
        if self.over || !self.started && self.part.status.length > 0 {
            return;
        }
        if self.held().is_some() {
            // What has not verified goes, and so does the room reserved.
            let _ = self.part.file.truncate(self.verified);
        } else {
            let _ = self.remove();
        }
    }
}
