//! What a session's contents are taken from.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use nix::sys::uio::pread;

use crate::sys::{knows_no_cache, read_cached, retry};

/// A file, and how much of it may be sent in this turn.
///
/// The file must be a regular one (or a `memfd_create(2)`). A read that has to wait for the disk keeps
/// the whole executor waiting; so an owner whose files may not be in memory says what it knows, and finds
/// out at the end of the turn [where it stopped](Self::stopped_at).
#[derive(Clone, Copy, Debug)]
pub struct Contents<'a> {
    pub(super) file: BorrowedFd<'a>,
    pub(super) end: u64,
    pub(super) only_cached: bool,
    pub(super) stopped_at: Option<u64>,
}

impl<'a> Contents<'a> {
    /// All of `file`.
    pub fn new(file: &'a impl AsFd) -> Self {
        Self { file: file.as_fd(), end: u64::MAX, only_cached: false, stopped_at: None }
    }

    /// The same, but nothing from the offset `end` on.
    #[must_use]
    pub fn before(mut self, end: u64) -> Self {
        self.end = end;
        self
    }

    /// The same, but what is read rather than sent by `sendfile(2)`, small pieces and records, only if it is in
    /// the page cache (`RWF_NOWAIT`, `preadv2(2)`). Where the system cannot tell, it counts as if it
    /// were.
    #[must_use]
    pub fn only_cached(mut self) -> Self {
        self.only_cached = true;
        self
    }

    /// The offset of what the session wanted to send, and was not to be.
    pub fn stopped_at(&self) -> Option<u64> {
        self.stopped_at
    }

    /// Up to how many bytes of a range may be sent. `None` where it is to stop; 0 where no file has bytes, and
    /// the system would call it a mistake.
    pub(super) fn allow(&mut self, offset: u64, length: u64) -> Option<u64> {
        if offset.checked_add(length).is_none_or(|end| i64::try_from(end).is_err()) {
            return Some(0);
        }
        let length = length.min(self.end.saturating_sub(offset));
        if length == 0 {
            self.stopped_at = Some(offset);
            return None;
        }
        Some(length)
    }

    /// Reads to where a record is sealed, up to as much as there is room for. `None`: it is to stop there, or
    /// is not to be waited for. 0 bytes: the file ends before.
    pub(super) fn read_record(
        &mut self,
        room: &mut [u8],
        offset: u64,
    ) -> io::Result<Option<usize>> {
        let Some(length) = self.allow(offset, room.len() as u64) else { return Ok(None) };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 {
            return Ok(Some(0));
        }
        judge(self.read(&mut room[..length], offset))
    }

    /// Reads a piece. `None`: it is not to be waited for.
    pub(super) fn read(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<Option<usize>> {
        if self.only_cached {
            match read_cached(self.file, buffer, offset) {
                Ok(count) => return Ok(Some(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.stopped_at = Some(offset);
                    return Ok(None);
                }
                Err(error) if knows_no_cache(&error) => self.only_cached = false,
                Err(error) => return Err(error),
            }
        }
        let offset = i64::try_from(offset).map_err(|_| Errno::EOVERFLOW)?;
        retry(|| pread(self.file, buffer, offset)).map(Some)
    }
}

/// What was moved of a file, judged by what has moved it: 0 bytes also where even the file system's largest
/// file ends, and an error that says so if the file is to blame.
pub(super) fn judge(moved: io::Result<Option<usize>>) -> io::Result<Option<usize>> {
    match moved {
        Err(error) if error.raw_os_error() == Some(Errno::EOVERFLOW as i32) => Ok(Some(0)),
        moved => moved.map_err(with_culprit),
    }
}

/// Says so if the file is to blame, where a socket is to be expected: these errors are not among
/// those of a connection.
fn with_culprit(error: io::Error) -> io::Error {
    match error.raw_os_error().map(Errno::from_raw) {
        Some(
            errno @ (Errno::EIO
            | Errno::ESTALE
            | Errno::ENODATA
            | Errno::EINVAL
            | Errno::EISDIR
            | Errno::ESPIPE
            | Errno::EBADF),
        ) => io::Error::new(error.kind(), format!("the contents cannot be read: {}", errno.desc())),
        _ => error,
    }
}
