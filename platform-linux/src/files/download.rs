//! Downloads: files that appear under their names only when they are complete.

mod finish;
mod held_digests;
mod journal;
mod options;
mod part;
mod proven;
mod record;
mod resume;
mod room;
mod segment_set;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use barewire_core::file::Digest;
use nix::errno::Errno;

use super::folder::{Folder, check_name};
use super::storage::{BootId, FileKind, Storage, StorageFile};
use part::Part;
use record::{JournalRecord, Seal};
use segment_set::SegmentSet;

pub use held_digests::HeldDigests;
pub use options::DownloadOptions;
pub use proven::Held;
pub(super) use proven::Proven;

/// A file on its way.
///
/// It is written to `NAME.part`, which nobody else may read (0600), with a journal beside it,
/// `NAME.part.journal`, that holds the digests of what is proven; [`finish`](Self::finish) gives it its
/// name. Whenever the process is killed, the name is either as it was before or that of the complete
/// file. A part of another program, or any file that merely has the part's name, is left alone, and
/// `NAME.2.part` taken instead; likewise if the folder [expects](Folder::expect) the name.
///
/// A file of one segment, of which nothing could be gone on with, has no name until it is complete, and
/// whatever ends the process leaves nothing of it; but not if it replaces another, and only where the file
/// system has files without names (`O_TMPFILE`, `open(2)`) and lets them have one later (`linkat(2)`).
///
/// The order of calls: [`begin`](Self::begin), [`check_next`](Self::check_next) as long as there is
/// something to check, and [`held`](Self::held). Then [`start`](Self::start), and
/// [`write`](Self::write) and [`verified`](Self::verified) in turns; or [`fill`](Self::fill), and
/// [`write_at`](Self::write_at) and `verified`, for contents that come from several connections in any
/// order. In the end, `finish`. After a connection has broken it goes on with `held`.
///
/// # What is held
///
/// A segment is held if it has this run's proof, or if it is in the part and has the digest that the
/// journal holds for it. So the next run reads again and hashes what it finds, whether or not it was
/// made to reach the disk: a crash may have torn it, and somebody may have edited it. What does not
/// have its digest is not held. Only what an orderly end has left, in the same run of the system, is
/// taken as it is, if the part was not touched since: no change leaves the time of a file's last
/// change as it was (`inode(7)`), and nobody can set it back. A crash of the system costs at most what
/// had not reached the disk by then ([`SYNC_EVERY`](super::SYNC_EVERY)).
///
/// What a program of the same user writes into a part that is being downloaded is not noticed, no more than
/// what it writes into the file afterwards; that the part was moved, or its length changed, is.
///
/// Dropped before it has finished, it leaves what is worth resuming, that is, what is proven, and
/// removes everything else.
#[derive(Debug)]
pub struct Download<D: Storage = Folder> {
    disk: D,
    name: Vec<u8>,
    part: Part<D::File>,
    force: bool,
    boot: BootId,
    source: [u8; 32],
    generation: u64,
    proven: Proven,
    /// What the journal has digests of that were not compared with the part.
    claimed: SegmentSet,
    /// Up to where segments are written that are not proven yet.
    filled: BTreeMap<u64, u64>,
    /// Everything before it is there.
    position: u64,
    /// How many bytes are proven that may not have reached the disk.
    unsynced: u64,
    has_synced: bool,
    /// Up to where the disk keeps room.
    reserved: u64,
    /// When the contents were modified, in nanoseconds since 1970.
    modified: Option<i64>,
    phase: Phase,
}

/// How far a download has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The part is as it was found.
    Begun,
    Started,
    /// Nothing is left to be tidied up.
    Over,
}

impl<D: Storage> Download<D> {
    /// Begins a download to the file `name` in the folder `disk`. As long as it has a part with a name, no
    /// other can begin to the same one; of files of one segment, the first that finishes has it.
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
        let part = match disk.look(name)?.map(|status| status.kind) {
            None => Part::claim(disk, name)?,
            Some(FileKind::Folder) => return Err(Errno::EISDIR.into()),
            // Only what has a name itself replaces what has one.
            Some(FileKind::File | FileKind::Link) if options.force => {
                Part::claim_named(disk, name)?
            }
            Some(FileKind::File | FileKind::Link) => {
                Self::clear_published(disk, name)?;
                return Err(Errno::EEXIST.into());
            }
            Some(FileKind::Other) => return Err(io::ErrorKind::Unsupported.into()),
        };
        let mut download = Self {
            disk: disk.try_clone()?,
            name: name.to_vec(),
            force: options.force,
            boot,
            source: options.source,
            generation: part.record.map_or(0, |record| record.generation),
            proven: Proven::new(0, None, options.segment_size),
            claimed: SegmentSet::default(),
            filled: BTreeMap::new(),
            position: 0,
            unsynced: 0,
            has_synced: false,
            reserved: 0,
            modified: None,
            phase: Phase::Begun,
            part,
        };
        if options.resume {
            download.recall()?;
        }
        Ok(download)
    }

    /// What need not be asked for again: from an earlier run, as far as it was
    /// [checked](Self::check_next), and from this one.
    pub fn held(&self) -> Option<Held> {
        self.proven.held()
    }

    /// What is not proven yet, in order; nothing before the size is known.
    pub fn missing(&self) -> impl Iterator<Item = Range<u64>> {
        self.proven.missing()
    }

    /// Whether all of it is proven.
    pub fn is_proven(&self) -> bool {
        self.proven.is_complete()
    }

    /// What is proven.
    pub(super) fn proven(&self) -> &Proven {
        &self.proven
    }

    /// The name of the part, if it has one.
    pub fn part_name(&self) -> Option<&[u8]> {
        self.part.name()
    }

    /// How many bytes are there, counted from the beginning of the file.
    pub fn position(&self) -> u64 {
        self.position.max(self.proven.verified())
    }

    /// Contents will follow from `offset` on: either from where [`held`](Self::held) says that everything
    /// has verified, for that version and size, or 0. What is held from there on is forgotten. `size` is
    /// that of the whole file in bytes, if it is known. A `tag` of 0 means that there is no telling
    /// versions apart, and so no proving and no resuming.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for another offset;
    /// [`FileTooLarge`](io::ErrorKind::FileTooLarge) or [`StorageFull`](io::ErrorKind::StorageFull) if
    /// there is no room for the whole that this user may take; others of `ftruncate(2)`, `statvfs(3)`
    /// and `write(2)`.
    pub fn start(&mut self, offset: u64, size: Option<u64>, tag: u64) -> io::Result<()> {
        if offset == 0 {
            self.restart(size, tag)?;
        } else {
            let held = size.map(|size| Held { tag, size, verified: offset });
            if held.is_none() || held != self.held() {
                return Err(io::ErrorKind::InvalidInput.into());
            }
            self.phase = Phase::Started;
            let number = offset.div_ceil(self.proven.segment_size.bytes());
            self.proven.truncate(number);
            self.claimed.truncate(0);
            self.part.journal.strike_from(number)?;
            self.go_on()?;
        }
        self.position = offset;
        self.part.file.check_room(size.map_or(0, |size| size - offset))
    }

    /// Contents of a version will follow in any order, by [`write_at`](Self::write_at). If it is the one
    /// that is [held](Self::held), what is [missing](Self::missing) will; or else all.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn fill(&mut self, size: u64, tag: u64) -> io::Result<()> {
        if self.held().is_none_or(|held| (held.size, held.tag) != (size, tag)) {
            self.restart(Some(size), tag)?;
        } else {
            self.phase = Phase::Started;
            self.strike_claimed()?;
            self.go_on()?;
        }
        self.position = 0;
        self.part.file.check_room(self.missing().map(|range| range.end - range.start).sum())
    }

    /// Forgets everything, for a version that may be another.
    fn restart(&mut self, size: Option<u64>, tag: u64) -> io::Result<()> {
        if size.is_some_and(|size| i64::try_from(size).is_err()) {
            return Err(Errno::EFBIG.into());
        }
        let is_one_segment = size.is_some_and(|size| size <= self.proven.segment_size.bytes());
        if self.part.name().is_none() && !is_one_segment {
            self.part = Part::claim_named(&self.disk, &self.name)?;
            self.generation = self.part.record.map_or(0, |record| record.generation);
        }
        let is_empty = self.part.is_new && self.part.length == 0;
        let is_as_created = self.phase == Phase::Begun && is_empty;
        if !is_as_created {
            self.part.journal.strike_from(0)?;
        }
        self.phase = Phase::Started;
        self.claimed.truncate(0);
        self.proven = Proven::new(tag, size, self.proven.segment_size);
        self.generation = self.next_generation();
        if is_as_created { self.record(None) } else { self.go_on() }
    }

    /// The part is about to be written to, behind what is proven.
    fn go_on(&mut self) -> io::Result<()> {
        self.record(None)?;
        self.filled.clear();
        self.reserved = self.proven.end();
        self.part.file.truncate(self.reserved)
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
    /// As [`write_at`](Self::write_at).
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_at(self.position, bytes)?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Writes contents at `offset`: at the beginning of a segment, or where what was written of one
    /// ends.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) before [`start`](Self::start) or
    /// [`fill`](Self::fill), for more than the size told, for another offset, or for what is proven
    /// already; [`StorageFull`](io::ErrorKind::StorageFull) if there is no room for what comes next;
    /// others of `pwrite(2)` and `fallocate(2)`.
    pub fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let end = offset.checked_add(bytes.len() as u64);
        let end = end.filter(|end| {
            self.phase == Phase::Started && self.proven.size.is_none_or(|size| *end <= size)
        });
        let end = end.filter(|end| self.may_be_written(offset..*end));
        let end = end.ok_or(io::ErrorKind::InvalidInput)?;
        self.reserve(offset, end)?;
        self.part.file.write(bytes, offset)?;
        if self.is_provable() {
            let mut at = offset;
            while let Some((number, segment)) = self.proven.segment(at).filter(|_| at < end) {
                at = segment.end().min(end);
                self.filled.insert(number, at);
            }
        }
        Ok(())
    }

    /// Whether it goes on with what is written of each segment, and none is proven.
    fn may_be_written(&self, range: Range<u64>) -> bool {
        let mut at = range.start;
        while let Some((number, segment)) = self.proven.segment(at)
            && at < range.end
            && self.is_provable()
        {
            let goes_on = at == segment.start() || self.filled.get(&number) == Some(&at);
            if !goes_on || self.proven.contains(number) {
                return false;
            }
            at = segment.end();
        }
        true
    }

    /// Whether anything of it can ever be proven.
    fn is_provable(&self) -> bool {
        self.proven.tag != 0
    }

    /// The segment from `start` to `end` has verified, by this digest, and need never be asked for again.
    /// It costs one small write, and every [`SYNC_EVERY`](super::SYNC_EVERY) bytes a wait for the disk.
    ///
    /// # Errors
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) for what is no segment, or was not written, or had
    /// verified before; those of `pwrite(2)` and `fdatasync(2)`.
    pub fn verified(&mut self, start: u64, end: u64, digest: &Digest) -> io::Result<()> {
        let segment = self.proven.segment(start).filter(|_| self.is_provable());
        let number = segment
            .filter(|(_, segment)| (segment.start(), segment.end()) == (start, end))
            .map(|(number, _)| number)
            .filter(|number| self.filled.get(number) == Some(&end))
            .ok_or(io::ErrorKind::InvalidInput)?;
        self.part.journal.note(self.generation, number, digest)?;
        self.filled.remove(&number);
        self.proven.insert(number);
        self.unsynced += end - start;
        if self.unsynced >= D::SYNC_EVERY { self.sync() } else { Ok(()) }
    }

    /// Has what is proven reach the disk, and the journal that says so, and once their names.
    fn sync(&mut self) -> io::Result<()> {
        self.part.file.sync()?;
        self.part.journal.sync()?;
        if !self.has_synced {
            self.disk.sync()?;
            self.has_synced = true;
        }
        self.unsynced = 0;
        Ok(())
    }

    /// Writes the record of the journal.
    fn record(&self, seal: Option<Seal>) -> io::Result<()> {
        self.part.journal.write(&JournalRecord {
            tag: self.proven.tag,
            // Without it nobody asks.
            size: self.proven.size.unwrap_or(0),
            segment_size: self.proven.segment_size,
            generation: self.generation,
            part: self.part.id,
            source: self.source,
            seal,
        })
    }

    /// Gives up, and leaves nothing, not even what has verified.
    ///
    /// # Errors
    /// Those of `unlink(2)`.
    pub fn discard(mut self) -> io::Result<()> {
        self.phase = Phase::Over;
        self.part.remove(&self.disk)
    }
}
