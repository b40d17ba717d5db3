//! A file that is open for reading.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use nix::sys::memfd::{MFdFlags, memfd_create};

use super::file_system::FileSystem;
use super::version::{self, FileTime, Version};
use crate::sys::{self, knows_no_cache, retry};

/// How much of each end of a file is marked.
const MARKED: u64 = 64 << 10;

/// How far apart the bytes are by which it is told whether a part of a file is in memory: the system
/// reads in, and forgets, more than this at once as a rule.
const PROBED: usize = 256 << 10;

/// A regular file as it was when it was opened. A rename over its name, or its removal, leaves it as
/// it is; what is done to the file itself shows in [`check`](Self::check).
#[derive(Debug)]
pub struct ServedFile {
    file: Arc<File>,
    file_system: FileSystem,
    size: u64,
    tag: u64,
    modified: i64,
    /// As it was opened: the time of the last change of anything.
    changed: FileTime,
    /// As seen last, and never smaller than `size`.
    seen: Version,
    /// The digest of both ends of what was opened.
    mark: Option<blake3::Hash>,
}

/// What has become of an open file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileChange {
    /// It is as it was.
    Unchanged,
    /// It is longer, as a log would be. Its beginning is taken to be as it was, if both ends of it
    /// are as they were [marked](ServedFile::mark): what else was overwritten only its digests tell.
    Grown,
    /// It has the size and the time of modification that it had, but not the time of change. Its name or
    /// its permissions may be others, or it was rewritten and its time set back: only its digests tell, and
    /// its ends where they were [marked](ServedFile::mark). It stays so, and may grow besides.
    Touched,
    /// It has shrunk, was written to without growing, or was rewritten longer: what has been read of
    /// it may be of two versions. It stays so.
    Changed,
}

impl ServedFile {
    pub(super) fn new(fd: OwnedFd, file_system: FileSystem, seen: Version) -> Self {
        let (size, tag, modified) = (seen.size, seen.tag(), seen.modified.nanoseconds());
        let (file, changed) = (Arc::new(fd.into()), seen.changed);
        Self { file, file_system, size, tag, modified, changed, seen, mark: None }
    }

    /// Contents made for the occasion, which then are a file like any other: in memory, without a
    /// name (`memfd_create(2)`). The tag is that of these contents.
    ///
    /// # Errors
    /// Those of `memfd_create(2)` and `write(2)`: no descriptor or no memory is left.
    pub fn from_bytes(contents: &[u8]) -> io::Result<Self> {
        let file = File::from(memfd_create("contents", MFdFlags::MFD_CLOEXEC)?);
        file.write_all_at(contents, 0)?;
        let seen = Version::read(&file)?;
        let (file, file_system) = (Arc::new(file), FileSystem::Memory);
        let (size, tag, changed) = (seen.size, version::tag(contents), seen.changed);
        Ok(Self { file, file_system, size, tag, modified: 0, changed, seen, mark: None })
    }

    /// The size in bytes when it was opened. It may have grown since.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// When the contents were last modified, in nanoseconds since 1970, UTC; 0 for contents made for the
    /// occasion.
    pub fn modified(&self) -> i64 {
        self.modified
    }

    /// An opaque mark of the version that was opened, never 0: made of the file's identity, size, and
    /// times of modification and of change. It proves nothing: two versions that were written within one
    /// tick of the file system's clock (10 ms at most, on most), and are of one size, cannot be told
    /// apart.
    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// Reads from `offset` on what one call gives (`pread(2)`). 0 is the end of the file, unless the
    /// buffer is empty.
    ///
    /// # Errors
    /// Those of `pread(2)`.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        retry(|| self.file.read_at(buffer, offset))
    }

    /// Whether a read may have to wait: not where all files are in memory.
    pub fn may_wait(&self) -> bool {
        self.file_system != FileSystem::Memory
    }

    /// Whether it is on a disk of this machine, as far as the system says.
    pub(super) fn is_on_disk(&self) -> bool {
        self.file_system == FileSystem::Disk
    }

    /// Whether another machine or program has it, which may not answer.
    pub fn is_remote(&self) -> bool {
        self.file_system == FileSystem::Remote
    }

    /// Reads as [`read_at`](Self::read_at) does, but only what is in memory: `WouldBlock` if nothing is
    /// at `offset`, or if it is another machine or program that would be waited for. Where nobody can
    /// tell, it is read.
    pub(super) fn read_cached(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match self.file_system {
            FileSystem::Remote => Err(io::ErrorKind::WouldBlock.into()),
            FileSystem::Memory => self.read_at(offset, buffer),
            FileSystem::Disk | FileSystem::Generated => {
                match sys::read_cached(&self.file, buffer, offset) {
                    Err(error) if knows_no_cache(&error) => self.read_at(offset, buffer),
                    result => result,
                }
            }
        }
    }

    /// Whether the bytes from `offset` to `end` can be read without waiting for the disk, as far as a
    /// look at some of them tells. What cannot be read at all need not be waited for either.
    pub(super) fn is_cached(&self, offset: u64, end: u64) -> bool {
        let looks_cached = |at: u64| {
            let looked = self.read_cached(at, &mut [0]);
            !looked.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
        };
        !self.may_wait()
            || (offset..end).step_by(PROBED).all(looks_cached)
                && looks_cached(end.saturating_sub(1))
    }

    /// Another of the same: what is made once is given to several.
    #[must_use]
    pub fn again(&self) -> Self {
        Self { file: Arc::clone(&self.file), ..*self }
    }

    /// The same, as if it were on such a file system.
    #[cfg(test)]
    pub(super) fn with_file_system(self, file_system: FileSystem) -> Self {
        Self { file_system, ..self }
    }

    /// Remembers the digest of the first and the last 64 KiB of what was opened, by which
    /// [`check`](Self::check) tells a file that only grew, or was only touched, from one that was
    /// rewritten. A second call does nothing.
    ///
    /// # Errors
    /// Those of `pread(2)`.
    pub fn mark(&mut self) -> io::Result<()> {
        if self.mark.is_none() {
            self.mark = Some(self.ends()?);
        }
        Ok(())
    }

    pub(super) fn is_marked(&self) -> bool {
        self.mark.is_some()
    }

    pub(super) fn set_mark(&mut self, ends: blake3::Hash) {
        self.mark = Some(ends);
    }

    /// Whether to [mark](Self::mark) it takes no waiting for the disk.
    pub(super) fn ends_are_cached(&self) -> bool {
        self.is_cached(0, self.size.min(MARKED))
            && self.is_cached(self.size.saturating_sub(MARKED), self.size)
    }

    /// The digest of both ends of what was opened, as they are now.
    pub(super) fn ends(&self) -> io::Result<blake3::Hash> {
        let mut hasher = blake3::Hasher::new();
        let mut buffer = vec![0; 64 << 10];
        let last = self.size.saturating_sub(MARKED).max(MARKED);
        for (mut offset, end) in [(0, self.size.min(MARKED)), (last, self.size)] {
            while offset < end {
                let most = usize::try_from(end - offset).unwrap_or(usize::MAX).min(buffer.len());
                let count = self.read_at(offset, &mut buffer[..most])?;
                if count == 0 {
                    break;
                }
                hasher.update(&buffer[..count]);
                offset += count as u64;
            }
        }
        Ok(hasher.finalize())
    }

    /// What has become of the file since it was opened, and since it was last checked.
    ///
    /// # Errors
    /// Those of `statx(2)` and `pread(2)`.
    pub fn check(&mut self) -> io::Result<FileChange> {
        let now = Version::read(&self.file)?;
        let seen = self.seen;
        if now.size < seen.size || now.size == seen.size && now.modified != seen.modified {
            return Ok(FileChange::Changed);
        }
        if now.changed != seen.changed
            && let Some(mark) = self.mark
            && self.ends()? != mark
        {
            return Ok(FileChange::Changed);
        }
        self.seen = now;
        Ok(match now {
            _ if now.size > self.size => FileChange::Grown,
            _ if now.changed != self.changed => FileChange::Touched,
            _ => FileChange::Unchanged,
        })
    }

    pub(super) fn version(&self) -> io::Result<Version> {
        Version::read(&self.file)
    }
}

impl AsFd for ServedFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
