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

    /// The same, but small pieces, which are read rather than sent by `sendfile(2)`, only if they are in
    /// the page cache (`RWF_NOWAIT`, `preadv2(2)`). Where the system cannot tell, they count as if they
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

    /// Reads a small piece. `None`: it is not to be waited for.
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
